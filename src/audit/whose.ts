import { isOpen } from '../access/policy.js';
import { systems } from '../domain/codes.js';
import { parseJson } from '../fhir/json.js';
import { findReferences, readReference } from '../fhir/references.js';
import { referenceTo, type Key } from '../fhir/resource.js';
import { isContainedType } from '../store/layout.js';
import type { Reader, Stored } from '../store/port.js';

/**
 * A record that an answer shows or a write leaves; its text, where there is one, says whose it is. `again`: one and the same object is
 * shown many times, so that what it says is remembered.
 */
export type Shown = Key & { readonly body?: string | undefined; readonly again?: boolean };

/** The patients of an access: ids of Patient records, and NHS numbers by which a record names its patient without a literal reference. */
export type Whose = { readonly patients: readonly string[]; readonly numbers: readonly string[] };

/** A text to look for, from a letter on that records seldom have: the engine finds a first letter, and a quote stands at every eighth. */
type Rare = { readonly from: string; readonly before: string };
const rare = (text: string, at: number): Rare => ({ from: text.slice(at), before: text.slice(0, at) });

const number = rare(`"${systems.nhsNumber}"`, `"${systems.nhsNumber}`.indexOf('Id/'));
const patient = rare('"reference":"Patient/', '"reference":"'.length);

/** Where the text from its rare letter on stands next, at or after `start`; -1 when it does not. */
const next = (text: string, { from, before }: Rare, start: number): number => {
  let at = text.indexOf(from, start);
  while (at >= 0 && !text.startsWith(before, at - before.length)) at = text.indexOf(from, at + 1);
  return at;
};

/** a literal reference that an identifier stands behind, as e-RS commands write both */
const besides = /"reference":"Patient\/[^"]{1,100}",(?:"type":"Patient",)?$/;
const identifierText = '"identifier":{';

/** The ids of the Patients that literal references in a text name. Texts are looked through, not parsed: this is on the way of every answer. */
const literalIn = (text: string): readonly string[] => {
  const ids: string[] = [];
  for (let at = next(text, patient, 0); at >= 0; at = next(text, patient, at + 1)) {
    const start = at + patient.from.length;
    const [id = ''] = text.slice(start, text.indexOf('"', start)).split('/');
    if (id !== '') ids.push(id);
  }
  return ids;
};

/** The NHS numbers of patients whom the text names by them alone. */
const logicalIn = (type: string, text: string): readonly string[] => {
  for (let at = next(text, number, 0); at >= 0; at = next(text, number, at + 1)) {
    const identifier = text.lastIndexOf(identifierText, at);
    if (identifier >= 0 && besides.test(text.slice(Math.max(0, identifier - 160), identifier))) continue;
    return findReferences(parseJson(text), type).flatMap(({ reference, identifier: { system, value } = {} }) =>
      reference === undefined && system === systems.nhsNumber && value !== undefined ? [value] : [],
    );
  }
  return [];
};

const remembered = new WeakMap<Shown, Whose>();

/** The patients whom the text of a record names. */
const namedBy = (shown: Shown, body: string): Whose => {
  const known = shown.again === true ? remembered.get(shown) : undefined;
  if (known) return known;
  const whose = { patients: literalIn(body), numbers: logicalIn(shown.type, body) };
  if (shown.again === true) remembered.set(shown, whose);
  return whose;
};

/**
 * True for a type whose records say whose they are. Directory data is nobody's, a Patient is named itself, and so is an AuditEvent: it
 * names its patients, and who reads the trail is no second time in it for each of them.
 */
const isSomebodys = (type: string): boolean => type !== 'Patient' && type !== 'AuditEvent' && !isOpen(type);

/** Gathers whose the records are, and those of which their own text does not say it. */
class Gathering {
  readonly patients = new Set<string>();
  readonly numbers = new Set<string>();
  /** records of which nothing is said here */
  readonly unsaid: Shown[] = [];

  note(shown: Shown): void {
    const { type, id } = shown;
    if (type === 'Patient') this.patients.add(id);
    else if (isSomebodys(type) && !(shown.body !== undefined && this.reads(shown, shown.body))) this.unsaid.push(shown);
  }

  /** True when the text names a patient. */
  private reads(shown: Shown, body: string): boolean {
    const { patients, numbers } = namedBy(shown, body);
    for (const id of patients) this.patients.add(id);
    for (const number of numbers) this.numbers.add(number);
    return patients.length + numbers.length > 0;
  }

  get whose(): Whose {
    return { patients: [...this.patients], numbers: [...this.numbers] };
  }
}

type Records = Pick<Reader, 'findMany' | 'search'>;

/** The referrals that a record is about: those it refers to, and of a document those of the DocumentReferences that it is attached to. */
const referralsOf = async (store: Records, rows: readonly Shown[]): Promise<readonly Key[]> => {
  const files = rows.filter(({ type }) => type === 'Binary').map(referenceTo);
  const letters =
    files.length === 0
      ? []
      : (
          await store.search(
            { type: 'DocumentReference', where: [{ kind: 'text', param: 'location', mode: 'exact', any: files }], sort: [], count: 100 },
            'all',
          )
        ).rows;
  const found = new Map<string, Key>();
  for (const { type, body } of [...rows, ...letters])
    for (const { reference } of body?.includes('"ServiceRequest/') === true ? findReferences(parseJson(body), type) : []) {
      const key = readReference(reference ?? '', '');
      if (key?.type === 'ServiceRequest') found.set(referenceTo(key), { type: key.type, id: key.id });
    }
  return [...found.values()];
};

/**
 * Whose the records are: of most their text says it, at once; of the others (a document, a task, what is known by its name alone) their
 * referral does, which is then read.
 *
 * @param store reads without a sight: what is gathered goes into the audit alone
 */
export const whoseAre = (store: Records, shown: readonly Shown[]): Whose | Promise<Whose> => {
  const [only] = shown;
  // most accesses are of one record that names one patient: there is nothing to gather
  if (shown.length === 1 && only?.body !== undefined && isSomebodys(only.type)) {
    const whose = namedBy(only, only.body);
    if (whose.patients.length + whose.numbers.length === 1) return whose;
  }
  const gathering = new Gathering();
  for (const one of shown) gathering.note(one);
  return gathering.unsaid.length === 0 ? gathering.whose : fromReferrals(store, gathering);
};

const fromReferrals = async (store: Records, gathering: Gathering): Promise<Whose> => {
  const unsaid = gathering.unsaid.splice(0).filter(({ type }) => !isContainedType(type));
  const unread = unsaid.filter(({ body }) => body === undefined).map(({ type, id }) => ({ type, id }));
  const read: readonly Stored[] = unread.length === 0 ? [] : await store.findMany(unread, 'all');
  for (const one of read) gathering.note(one);
  const silent = [...unsaid.filter(({ body }) => body !== undefined), ...gathering.unsaid.splice(0)];
  const referrals = silent.length === 0 ? [] : await referralsOf(store, silent);
  for (const one of referrals.length === 0 ? [] : await store.findMany(referrals, 'all')) gathering.note(one);
  return gathering.whose;
};
