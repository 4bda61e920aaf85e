import type { ValueSet, ValueSetComposeInclude, ValueSetComposeIncludeFilter } from 'fhir/r4.js';
import type { Definitions } from '../definitions.js';
import type { Concept, LocalCodeSystem, LocalCodeSystems } from './code-systems.js';
import { matchWithin } from '../regular-expressions.js';
import { grammarOf } from './grammars.js';

/** Whether a code is in a value set; `unknown` when only a terminology server could say. */
export type Membership = 'in' | 'out' | 'unknown';

/** A value set as a set of codes. */
export type CodeSet = {
  readonly url: string;
  readonly title: string;
  /** `system` undefined: the code of a `code` element, whose system is implied */
  readonly membership: (system: string | undefined, code: string) => Membership;
  /** the codes that are known here, by system, with their display */
  readonly codes: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;
  /** whether `codes` is all of it */
  readonly enumerated: boolean;
  readonly systems: () => readonly string[];
};

export type ValueSets = {
  readonly find: (canonical: string) => CodeSet | undefined;
  /** a value set that is not among the definitions */
  readonly expand: (valueSet: ValueSet) => CodeSet;
};

type Codes = Map<string, Map<string, string | undefined>>;

/** Part of a value set: codes that are listed, systems taken whole by a grammar, systems of which only a server knows the part. */
type Part = { readonly codes: Codes; readonly whole: Set<string>; readonly open: Set<string> };

/** Stands in `open` for all systems: an imported value set that is not here may hold codes of any. */
const anySystem = '*';

const emptyPart = (): Part => ({ codes: new Map(), whole: new Set(), open: new Set() });

/** R4 valueset-filter-operator, `regex`: of the whole text; undefined for what cannot be told in time. */
const matching = (pattern: string, text: string): boolean | undefined => {
  const match = matchWithin(`^(?:${pattern})$`, 'u', text, { stopped: 0 });
  return typeof match === 'boolean' ? match : undefined;
};

/** The values of a property as texts; `display` and `definition` count as properties. */
const textsOf = (concept: Concept, property: string): readonly string[] => {
  if (property === 'display') return concept.display === undefined ? [] : [concept.display];
  if (property === 'definition') return concept.definition === undefined ? [] : [concept.definition];
  return (concept.properties ?? [])
    .filter(({ code }) => code === property)
    .flatMap((given) => {
      const value =
        given.valueCode ?? given.valueString ?? given.valueBoolean ?? given.valueInteger ?? given.valueDecimal ?? given.valueDateTime;
      return value === undefined ? (given.valueCoding?.code ?? []) : [String(value)];
    });
};

const matches = (concept: Concept, filter: ValueSetComposeIncludeFilter, system: LocalCodeSystem): boolean | undefined => {
  const { property, op, value } = filter;
  if (property === 'concept' || property === 'code') {
    if (op === 'is-a') return system.isA(concept.code, value);
    if (op === 'descendent-of') return concept.code !== value && system.isA(concept.code, value);
    if (op === 'is-not-a') return !system.isA(concept.code, value);
    if (op === 'in') return value.split(',').includes(concept.code);
    if (op === 'not-in') return !value.split(',').includes(concept.code);
    if (op === 'generalizes') return system.isA(value, concept.code);
    if (op === '=') return concept.code === value;
    if (op === 'regex') return matching(value, concept.code);
    return undefined;
  }
  const texts = textsOf(concept, property);
  if (property === 'parent' && op === '=') return concept.parents.includes(value);
  if (op === '=') return texts.includes(value);
  if (op === 'in') return value.split(',').some((one) => texts.includes(one));
  if (op === 'not-in') return !value.split(',').some((one) => texts.includes(one));
  if (op === 'exists') return texts.length > 0 === (value === 'true');
  if (op === 'regex') {
    const results = texts.map((text) => matching(value, text));
    return results.includes(undefined) ? undefined : results.includes(true);
  }
  return undefined;
};

const filtered = (
  system: LocalCodeSystem,
  filters: readonly ValueSetComposeIncludeFilter[],
): Map<string, string | undefined> | undefined => {
  const found = new Map<string, string | undefined>();
  for (const concept of system.codes()) {
    const results = filters.map((filter) => matches(concept, filter, system));
    if (results.includes(undefined)) return undefined;
    if (results.every((result) => result === true)) found.set(concept.code, concept.display);
  }
  return found;
};

const systemPart = (include: ValueSetComposeInclude, systems: LocalCodeSystems): Part => {
  const part = emptyPart();
  const url = include.system!;
  const local = systems.find(include.version === undefined ? url : `${url}|${include.version}`) ?? systems.find(url);
  if (include.concept !== undefined) {
    part.codes.set(url, new Map(include.concept.map(({ code, display }) => [code, display ?? local?.find(code)?.display])));
    return part;
  }
  if (local !== undefined) {
    const codes = filtered(local, include.filter ?? []);
    if (codes !== undefined) part.codes.set(url, codes);
    if (codes === undefined || !local.complete) part.open.add(url);
  } else if (include.filter === undefined && grammarOf(url) !== undefined) part.whole.add(url);
  else part.open.add(url);
  return part;
};

const merge = (into: Part, from: Part): void => {
  for (const [system, codes] of from.codes) {
    const known = into.codes.get(system) ?? new Map<string, string | undefined>();
    for (const [code, display] of codes) known.set(code, display);
    into.codes.set(system, known);
  }
  for (const system of from.whole) into.whole.add(system);
  for (const system of from.open) into.open.add(system);
};

const statusOf = (part: Part, system: string, code: string): Membership => {
  if (part.codes.get(system)?.has(code) === true) return 'in';
  if (part.whole.has(system)) return grammarOf(system)?.(code) ?? 'unknown';
  if (!part.open.has(system) && !part.open.has(anySystem)) return 'out';
  return grammarOf(system)?.(code) === 'out' ? 'out' : 'unknown';
};

const intersection = (left: Part, right: Part): Part => {
  const both = emptyPart();
  const keep = (from: Part, other: Part): void => {
    for (const [system, codes] of from.codes)
      for (const [code, display] of codes) {
        const status = statusOf(other, system, code);
        if (status === 'in') merge(both, { ...emptyPart(), codes: new Map([[system, new Map([[code, display]])]]) });
        if (status === 'unknown') both.open.add(system);
      }
  };
  keep(left, right);
  keep(right, left);
  for (const system of [...left.open, ...left.whole])
    if (right.open.has(system) || right.whole.has(system))
      (left.whole.has(system) && right.whole.has(system) ? both.whole : both.open).add(system);
  return both;
};

const subtract = (from: Part, part: Part): void => {
  for (const [system, codes] of from.codes)
    for (const code of [...codes.keys()]) {
      const status = statusOf(part, system, code);
      if (status !== 'out') codes.delete(code);
      if (status === 'unknown') from.open.add(system);
    }
};

const codeSetOf = (resource: ValueSet, part: Part, excluded: Part): CodeSet => {
  // for a `code` element: the systems in which a code may be, found once
  const listed = new Set<string>();
  for (const codes of part.codes.values()) for (const code of codes.keys()) listed.add(code);
  const unlisted = [...part.whole, ...part.open];
  const membership = (system: string | undefined, code: string): Membership => {
    if (system !== undefined) {
      const status = statusOf(part, system, code);
      return status === 'out' || statusOf(excluded, system, code) !== 'in' ? status : 'out';
    }
    if (listed.has(code)) return 'in';
    const statuses = unlisted.map((url) => statusOf(part, url, code));
    return statuses.includes('in') ? 'in' : statuses.includes('unknown') ? 'unknown' : 'out';
  };
  return {
    url: resource.url ?? '',
    title: resource.title ?? resource.name ?? resource.url ?? 'the value set',
    membership,
    codes: part.codes,
    enumerated: unlisted.length === 0,
    systems: () => [...new Set([...part.codes.keys(), ...unlisted])],
  };
};

/** The value sets of the definitions, expanded when first asked for (R4 valueset.html#compositions). */
export const createValueSets = (definitions: Definitions, systems: LocalCodeSystems): ValueSets => {
  const made = new Map<string, { readonly part: Part; readonly set: CodeSet } | undefined>();

  const includePart = (include: ValueSetComposeInclude, open: ReadonlySet<string>): Part => {
    const imports = (include.valueSet ?? []).map((url) => imported(url, open));
    const parts = include.system === undefined ? imports : [systemPart(include, systems), ...imports];
    return parts.length === 0 ? emptyPart() : parts.reduce(intersection);
  };

  const imported = (url: string, open: ReadonlySet<string>): Part =>
    open.has(url) ? emptyPart() : (make(url, open)?.part ?? { ...emptyPart(), open: new Set([anySystem]) });

  const compose = (resource: ValueSet, open: ReadonlySet<string>): { readonly part: Part; readonly set: CodeSet } => {
    const part = emptyPart();
    const excluded = emptyPart();
    for (const include of resource.compose?.include ?? []) merge(part, includePart(include, open));
    for (const exclude of resource.compose?.exclude ?? []) merge(excluded, includePart(exclude, open));
    subtract(part, excluded);
    if (resource.compose === undefined) for (const contains of resource.expansion?.contains ?? []) addExpanded(part, contains);
    return { part, set: codeSetOf(resource, part, excluded) };
  };

  const make = (canonical: string, open: ReadonlySet<string> = new Set()): { readonly part: Part; readonly set: CodeSet } | undefined => {
    if (made.has(canonical)) return made.get(canonical);
    const resource = definitions.findValueSet(canonical);
    const result = resource === undefined ? undefined : compose(resource, new Set([...open, canonical]));
    made.set(canonical, result);
    return result;
  };
  return { find: (canonical) => make(canonical)?.set, expand: (resource) => compose(resource, new Set()).set };
};

const addExpanded = (part: Part, contains: NonNullable<NonNullable<ValueSet['expansion']>['contains']>[number]): void => {
  if (contains.system !== undefined && contains.code !== undefined)
    merge(part, { ...emptyPart(), codes: new Map([[contains.system, new Map([[contains.code, contains.display]])]]) });
  for (const child of contains.contains ?? []) addExpanded(part, child);
};
