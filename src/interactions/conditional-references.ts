import { failure } from '../fhir/outcome.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import { isJudged, meets } from '../fhir/search/meets.js';
import type { Predicate, Value } from '../store/port.js';
import { isError } from '../validation/finding.js';
import { readConditional } from './bundle-links.js';
import { criteriaPlan, severalMatches } from './criteria.js';
import type { Call, House } from './house.js';

/** What an entry of a transaction makes of a record, before it is decided. */
export type Own = Key & {
  /** what searches would find it by; undefined when it is deleted, or cannot be read */
  readonly values: () => readonly Value[] | undefined;
  /** `Type?criteria` of a conditional interaction */
  readonly madeBy: string | undefined;
};

const valuesOf = (house: House, { id }: Key, resource: Resource | undefined): readonly Value[] | undefined => {
  // what cannot be read stops the transaction when its own entry is decided
  if (resource === undefined || house.validate(resource, { baseOnly: true }).some(isError)) return undefined;
  return house.extract({ ...resource, id }, { resolve: () => undefined, baseUrl: house.baseUrl, timeZone: house.timeZone });
};

/** `resource`: undefined when it is deleted. It is looked at once, however many references ask for it, and not when none does. */
export const ownOf = (house: House, key: Key, resource: Resource | undefined, madeBy: string | undefined): Own => {
  let known: { readonly values: readonly Value[] | undefined } | undefined;
  return { ...key, madeBy, values: () => (known ??= { values: valuesOf(house, key, resource) }).values };
};

const isTold = (predicate: Predicate): boolean => predicate.kind === 'id' || isJudged(predicate);

/** Whether what an entry writes will match; undefined where only the index of a stored row can tell. */
const isMatch = (own: Own, where: readonly Predicate[]): boolean | undefined => {
  const values = own.values();
  const holds = (predicate: Predicate): boolean =>
    predicate.kind === 'id' ? predicate.ids.includes(own.id) : meets(predicate, values ?? []);
  if (values === undefined || !where.filter(isTold).every(holds)) return false;
  return where.every(isTold) ? true : undefined;
};

/**
 * What a conditional reference stands for: the one match among what the caller may see, as it is when the transaction's own entries are
 * carried out (R4 http.html#trules: conditional references come after all writes). Undefined for every other form of reference.
 *
 * @throws Failure `precondition` for several matches, `business-rule`/`not-found` for none, `invalid`/`not-supported` where nobody can tell
 *   before the commit whether one of the entries matches
 */
export const resolveConditional = async (house: House, call: Call, reference: string, own: readonly Own[]): Promise<Key | undefined> => {
  const wanted = readConditional(reference);
  if (!wanted || !house.registry.has(wanted.type)) return undefined;
  const { type, criteria } = wanted;
  const plan = await criteriaPlan(house, call, type, criteria, reference);
  const writes = own.filter((one) => one.type === type);
  const matching = writes.filter((one) => {
    const matches = isMatch(one, plan.where) ?? (one.madeBy === reference ? true : undefined);
    if (matches === undefined)
      throw failure('invalid', 'not-supported', `Whether ${reference} means what another entry writes is not known before it is written.`);
    return matches;
  });
  const written = new Set(writes.map(referenceTo));
  const { rows } = await house.store.search({ ...plan, count: 2 + writes.length }, plan.sight);
  const found = [...matching, ...rows.filter((row) => !written.has(referenceTo(row)))];
  const [one] = found;
  if (found.length > 1) throw severalMatches(type, reference);
  if (!one) throw failure('business-rule', 'not-found', `No ${type} matches the conditional reference ${reference}.`);
  return { type: one.type, id: one.id };
};
