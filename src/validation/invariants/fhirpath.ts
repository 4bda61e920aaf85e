import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { isNode, type Node, type Walk } from '../walk.js';
import { resolveReference } from '../references.js';
import { matchWithin } from '../regular-expressions.js';
import type { CodeSet, Membership } from '../terminology/value-sets.js';

/** Numbers that kept their text, as the numbers that the general engine knows. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('isLosslessNumber' in value) return Number((value as unknown as { value: string }).value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
};

/** What the evaluations of one validation share: the plain form of its resources, and the functions that know where it is. */
type Ground = { readonly plain: Map<unknown, unknown>; readonly functions: object };

const grounds = new WeakMap<Walk, Ground>();

const groundOf = (walk: Walk): Ground => {
  const known = grounds.get(walk);
  if (known !== undefined) return known;
  const ground = { plain: new Map<unknown, unknown>(), functions: functionsOf(walk) };
  grounds.set(walk, ground);
  return ground;
};

const plainResource = ({ plain: made }: Ground, resource: unknown): unknown => {
  if (!made.has(resource)) made.set(resource, plain(resource));
  return made.get(resource);
};

const referenceOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  return isNode(value) && typeof value['reference'] === 'string' ? value['reference'] : undefined;
};

const dataOf = (item: unknown): unknown => (typeof item === 'object' && item !== null && 'data' in item ? item.data : item);

type NodeMaker = { readonly makeResNode?: (context: unknown, data: unknown, ...rest: readonly unknown[]) => unknown };

/** A resource as the engine knows its own: with its type, for `is` and `ofType()`. */
const asResource = (context: unknown, from: unknown, resource: Node): unknown => {
  const { makeResNode } = (from as { readonly constructor: NodeMaker }).constructor;
  return makeResNode === undefined ? resource : makeResNode(context, plain(resource), null, null, null, null);
};

/** A match that was stopped: the invariant cannot be judged. */
class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

const textOf = (items: readonly unknown[]): string | undefined => {
  const [item, ...others] = items.map(dataOf);
  if (others.length > 0) throw new Error('matches() takes one text');
  return typeof item === 'string' ? item : undefined;
};

const matches =
  (walk: Walk, whole: boolean) =>
  (items: readonly unknown[], pattern: unknown): readonly boolean[] => {
    const text = textOf(items);
    if (text === undefined || typeof pattern !== 'string') return [];
    const match = matchWithin(whole ? `^(?:${pattern})$` : pattern, 'us', text, walk.cost);
    if (match === 'too-costly') throw new TooCostly();
    if (match === 'unreadable') throw new Error('no regular expression');
    return [match];
  };

const membershipOf = (codes: CodeSet, value: unknown): Membership => {
  if (typeof value === 'string') return codes.membership(undefined, value);
  if (!isNode(value)) return 'unknown';
  if (Array.isArray(value['coding'])) {
    const statuses = value['coding'].map((coding) => membershipOf(codes, coding));
    return statuses.find((status) => status === 'in') ?? statuses.find((status) => status === 'unknown') ?? 'out';
  }
  const { system, code } = value;
  return typeof code === 'string' ? codes.membership(typeof system === 'string' ? system : undefined, code) : 'out';
};

// http://hl7.org/fhir/R4/fhirpath.html#functions: empty where it cannot be told
const memberOf =
  (walk: Walk) =>
  (items: readonly unknown[], valueSet: unknown): readonly boolean[] => {
    const codes = typeof valueSet === 'string' ? walk.given.codes(valueSet) : undefined;
    const [item] = items;
    const status = codes === undefined || item === undefined ? 'unknown' : membershipOf(codes, dataOf(item));
    return status === 'unknown' ? [] : [status === 'in'];
  };

/** The functions of FHIR beside those of FHIRPath, and matches(), whose expressions are not ours. */
const functionsOf = (walk: Walk): object => ({
  // of what the resource itself holds; what it does not hold is left out
  resolve: {
    // the engine calls it with its own context as `this`
    fn(this: unknown, items: readonly unknown[]) {
      return items.flatMap((item) => {
        const reference = referenceOf(dataOf(item));
        const target = reference === undefined ? undefined : resolveReference(walk.frame, reference);
        return target === undefined ? [] : [asResource(this, item, target.resource)];
      });
    },
    arity: { 0: [] },
  },
  memberOf: { fn: memberOf(walk), arity: { 1: ['String'] } },
  matches: { fn: matches(walk, false), arity: { 1: ['String'] } },
  matchesFull: { fn: matches(walk, true), arity: { 1: ['String'] } },
  htmlChecks: { fn: () => [true], arity: { 0: [] } },
});

/** Whether a text is FHIRPath at all. */
export const isReadable = (expression: string): boolean => {
  try {
    fhirpath.parse(expression);
    return true;
  } catch {
    return false;
  }
};

export type Outcome = boolean | 'undecided' | 'too-costly';

type Evaluate = (walk: Walk, value: unknown) => Outcome;

const isFalse = (result: unknown): boolean => result === false;

/** An invariant as R4 writes it, on the general engine; `type` is the FHIR type or element path of the values. */
export const compileExpression = (expression: string, type: string): Evaluate => {
  // trace() writes to the console
  const quiet = expression.replaceAll(/\.trace\((?:'[^']*'|"[^"]*")(?:,[^)]*)?\)/g, '');
  let compiled: (value: unknown, variables: object, options: object) => unknown;
  try {
    compiled = fhirpath.compile({ base: type, expression: quiet }, r4, { async: false });
  } catch {
    return () => 'undecided';
  }
  const evaluate = (value: unknown, walk: Walk): readonly unknown[] => {
    const ground = groundOf(walk);
    const variables = {
      resource: plainResource(ground, walk.frame.resource),
      rootResource: plainResource(ground, walk.frame.container),
      ucum: 'http://unitsofmeasure.org',
      sct: 'http://snomed.info/sct',
      loinc: 'http://loinc.org',
    };
    return compiled(plain(value), variables, { userInvocationTable: ground.functions }) as readonly unknown[];
  };
  return (walk, value) => {
    try {
      return !evaluate(value, walk).some(isFalse);
    } catch (error) {
      return error instanceof TooCostly ? 'too-costly' : 'undecided';
    }
  };
};
