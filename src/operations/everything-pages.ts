import { mayRead, sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { patientCompartment } from '../fhir/patient-compartment.js';
import { findReferences, readReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Span } from '../fhir/search/dates.js';
import type { Call, House } from '../interactions/house.js';
import { identifierKey, resolveLogical } from '../interactions/logical-references.js';
import type { Predicate, Stored } from '../store/port.js';

/**
 * Where a walk over the record of a patient stands: the step, and the position in it. Step 0 is the patient, then come the steps
 * through the compartment, and behind them what its resources refer to, in the order of type and id.
 */
export type Position = { readonly step: number; readonly after: string | undefined };

/** The resources of a type that refer to the patient through one parameter. */
type Step = { readonly type: string; readonly param: string; readonly earlier: readonly string[] };

export type Walk = {
  readonly house: House;
  readonly call: Call;
  readonly patient: Stored;
  /** undefined: all */
  readonly types: readonly string[] | undefined;
  readonly since: Span | undefined;
  readonly start: Span | undefined;
  readonly end: Span | undefined;
};

export type RecordPage = {
  readonly matches: readonly Stored[];
  readonly included: readonly Stored[];
  readonly next: Position | undefined;
};

/** rows read at once where the whole compartment is looked through */
const together = 500;

const isOf = ({ types, call }: Walk, type: string): boolean => (types === undefined || types.includes(type)) && mayRead(call.caller, type);

const stepsOf = (walk: Walk): readonly Step[] =>
  Object.entries(patientCompartment)
    .filter(([type]) => mayRead(walk.call.caller, type))
    .flatMap(([type, { params }]) => params.map((param, index) => ({ type, param, earlier: params.slice(0, index) })));

const conditions = ({ patient, start, end }: Walk, { type, param }: Step): readonly Predicate[] => {
  const date = patientCompartment[type]?.date;
  return [
    { kind: 'reference', param, any: [{ type: 'Patient', id: patient.id }] },
    ...(start === undefined || date === undefined ? [] : [{ kind: 'range', param: date, any: [{ prefix: 'ge', ...start }] } as const]),
    ...(end === undefined || date === undefined ? [] : [{ kind: 'range', param: date, any: [{ prefix: 'le', ...end }] } as const]),
  ];
};

/** R4 patient-operation-everything.html, `_since`: what was updated after it. */
const isSince = ({ since }: Walk, { lastUpdated }: Stored): boolean => since === undefined || lastUpdated >= since.low;

/** A resource that refers to the patient in two ways is shown the first time only. */
const isShownBefore = ({ house, patient }: Walk, step: Step, row: Stored): boolean => {
  if (step.earlier.length === 0) return false;
  const resource = parseJson(row.body ?? '{}') as Resource;
  const identifiers = ((JSON.parse(patient.body ?? '{}') as Resource)['identifier'] ?? []) as readonly {
    system?: string;
    value?: string;
  }[];
  const values = house.extract(resource, {
    resolve: ({ identifier }) =>
      identifiers.some(({ system, value }) => system === identifier.system && value === identifier.value) ? patient : undefined,
    baseUrl: house.baseUrl,
    timeZone: house.timeZone,
  });
  return values.some(
    (value) =>
      value.kind === 'reference' && step.earlier.includes(value.param) && value.target.type === 'Patient' && value.target.id === patient.id,
  );
};

const readStep = async (
  walk: Walk,
  step: Step,
  count: number,
  after: string | undefined,
): Promise<{ readonly rows: readonly Stored[]; readonly next: string | undefined }> => {
  const since: readonly Predicate[] = walk.since === undefined ? [] : [{ kind: 'updated', any: [{ prefix: 'ge', ...walk.since }] }];
  const where = [...conditions(walk, step), ...since];
  const plan = { type: step.type, where, sort: [], count, ...(after === undefined ? {} : { after }) };
  const found = await walk.house.store.search(plan, sightOf(walk.call.caller, step.type));
  return { rows: found.rows.filter((row) => !isShownBefore(walk, step, row)), next: found.next };
};

/** What a reference means outside of the compartment: who and where. */
const outsideOf = (walk: Walk, key: Key | undefined): string | undefined =>
  key && key.type !== 'Patient' && key.type !== 'AuditEvent' && !Object.hasOwn(patientCompartment, key.type) && isOf(walk, key.type)
    ? referenceTo({ type: key.type, id: key.id })
    : undefined;

/**
 * What the record refers to, by `type/id`. True: a resource that was updated since then refers to it, so that it belongs into the answer
 * although it was not itself updated.
 */
const referredTo = async (walk: Walk): Promise<ReadonlyMap<string, boolean>> => {
  const { house } = walk;
  const found = new Map<string, boolean>();
  const note = async (rows: readonly Stored[]): Promise<void> => {
    const all = rows.map((row) => ({ row, references: findReferences(JSON.parse(row.body ?? '{}'), row.type) }));
    const logical = await resolveLogical(
      house,
      all.flatMap(({ references }) => references),
      [],
    );
    for (const { row, references } of all)
      for (const { reference, identifier } of references) {
        const key = reference === undefined ? logical.get(identifierKey(identifier ?? {})) : readReference(reference, house.baseUrl);
        const name = outsideOf(walk, key);
        if (name !== undefined) found.set(name, found.get(name) === true || isSince(walk, row));
      }
  };
  await note([walk.patient]);
  const all = { ...walk, since: undefined };
  for (const step of stepsOf(walk))
    for (let after: string | undefined; ;) {
      const { rows, next } = await readStep(all, step, together, after);
      await note(rows);
      if (next === undefined) break;
      after = next;
    }
  return found;
};

type Part = { readonly rows: readonly Stored[]; readonly after: string | undefined };

/** The next resources that the record refers to. Which they are is found anew for each page, so that the cursor need not name them. */
const included = async (walk: Walk, count: number, from: string | undefined): Promise<Part> => {
  const wanted = await referredTo(walk);
  const names = [...wanted.keys()].filter((name) => from === undefined || name > from).sort();
  const found = async (name: string): Promise<Stored | undefined> => {
    const [type = '', id = ''] = name.split('/');
    const row = await walk.house.store.find({ type, id }, sightOf(walk.call.caller, type));
    return row?.body !== undefined && (wanted.get(name) === true || isSince(walk, row)) ? row : undefined;
  };
  const rows: Stored[] = [];
  let at = 0;
  while (at < names.length && rows.length < count) {
    const some = await Promise.all(names.slice(at, at + count - rows.length).map(found));
    rows.push(...some.filter((row) => row !== undefined));
    at += some.length;
  }
  return { rows, after: at < names.length ? names[at - 1] : undefined };
};

/** Whether only resources of the compartment are asked for. */
const isInside = ({ types }: Walk): boolean =>
  types?.every((type) => type === 'Patient' || Object.hasOwn(patientCompartment, type)) === true;

/**
 * One page of at most `count` entries: a walk over the pages shows each resource that stays as it is once. A page may have fewer, or none,
 * before the last one.
 */
export const recordPage = async (walk: Walk, from: Position, count: number): Promise<RecordPage> => {
  const steps = stepsOf(walk);
  const matches: Stored[] = [];
  let { step, after } = from;
  if (step === 0) {
    if (isOf(walk, 'Patient') && isSince(walk, walk.patient)) matches.push(walk.patient);
    step = 1;
  }
  for (; step <= steps.length; step++) {
    const here = steps[step - 1]!;
    if (!isOf(walk, here.type)) continue;
    if (matches.length === count) return { matches, included: [], next: { step, after } };
    const found = await readStep(walk, here, count - matches.length, after);
    matches.push(...found.rows);
    after = found.next;
    if (after !== undefined) return { matches, included: [], next: { step, after } };
  }
  if (isInside(walk)) return { matches, included: [], next: undefined };
  if (matches.length === count) return { matches, included: [], next: { step, after } };
  const rest = await included(walk, count - matches.length, after);
  return { matches, included: rest.rows, next: rest.after === undefined ? undefined : { step, after: rest.after } };
};
