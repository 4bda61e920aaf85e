import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { isNode, type Walk } from '../walk.js';
import { resolveReference } from '../references.js';

/** Numbers that kept their text, as the numbers that the general engine knows. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('isLosslessNumber' in value) return Number((value as unknown as { value: string }).value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
};

/** The plain form of the resources of one validation: every invariant of a resource asks for it again. */
const copies = new WeakMap<Walk, Map<unknown, unknown>>();

const plainResource = (walk: Walk, resource: unknown): unknown => {
  const known = copies.get(walk) ?? new Map<unknown, unknown>();
  copies.set(walk, known);
  if (!known.has(resource)) known.set(resource, plain(resource));
  return known.get(resource);
};

const referenceOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  return isNode(value) && typeof value['reference'] === 'string' ? value['reference'] : undefined;
};

const dataOf = (item: unknown): unknown => (typeof item === 'object' && item !== null && 'data' in item ? item.data : item);

// http://hl7.org/fhir/R4/fhirpath.html#functions: resolve() of what the resource itself holds; what it does not hold is left out
const resolver = (walk: Walk) => ({
  resolve: {
    fn: (items: readonly unknown[]) =>
      items.flatMap((item) => {
        const reference = referenceOf(dataOf(item));
        const target = reference === undefined ? undefined : resolveReference(walk.frame, reference);
        return target === undefined ? [] : [target.resource];
      }),
    arity: { 0: [] },
  },
  memberOf: { fn: () => [], arity: { 1: ['AnyAtRoot'] } },
  htmlChecks: { fn: () => [true], arity: { 0: [] } },
});

type Evaluate = (walk: Walk, value: unknown) => true | false | 'undecided';

const isFalse = (result: unknown): boolean => result === false;

/** An invariant as R4 writes it, on the general engine; `type` is the FHIR type or element path of the values. */
export const compileExpression = (expression: string, type: string): Evaluate => {
  // trace() writes to the console
  const quiet = expression.replaceAll(/\.trace\((?:'[^']*'|"[^"]*")(?:,[^)]*)?\)/g, '');
  let evaluate: (value: unknown, walk: Walk) => readonly unknown[];
  try {
    const make = (walk: Walk | undefined) =>
      fhirpath.compile({ base: type, expression: quiet }, r4, {
        async: false,
        ...(walk === undefined ? {} : { userInvocationTable: resolver(walk) as never }),
      });
    const resolves = /resolve\(|memberOf\(|htmlChecks\(/.test(quiet);
    const shared = make(undefined);
    evaluate = (value, walk) =>
      (resolves ? make(walk) : shared)(plain(value), {
        resource: plainResource(walk, walk.frame.resource),
        rootResource: plainResource(walk, walk.frame.container),
        ucum: 'http://unitsofmeasure.org',
        sct: 'http://snomed.info/sct',
        loinc: 'http://loinc.org',
      } as never) as readonly unknown[];
  } catch {
    return () => 'undecided';
  }
  return (walk, value) => {
    try {
      return !evaluate(value, walk).some(isFalse);
    } catch {
      return 'undecided';
    }
  };
};
