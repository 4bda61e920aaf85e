import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { isLosslessNumber } from 'lossless-json';
import { failure, type Failure } from '../outcome.js';
import type { Resource } from '../resource.js';

/** The way from the root of a resource to an element, choice elements by their FHIRPath name (`value`, not `valueString`). */
export type Location = readonly Step[];
export type Step = { readonly name: string; readonly index: number | undefined };

/** What fhirpath keeps of a node; `parentResNode` is null at the root and on values that are no part of the resource. */
type Node = {
  readonly propName?: string | null;
  readonly index?: number | null;
  readonly parentResNode?: Node | null;
  readonly fhirNodeDataType?: string | null;
};
type Syntax = { readonly type: string; readonly text?: string; readonly children?: readonly Syntax[] };

/**
 * R4 fhirpatch.html asks for simple statements. Functions that select are taken; `matches`, `repeat`, `trace` and the like would let
 * a client spend the server's time.
 */
const selectors = new Set([
  ...['where', 'first', 'last', 'single', 'tail', 'skip', 'take', 'ofType', 'as', 'is', 'extension'],
  ...['exists', 'empty', 'not', 'count', 'hasValue', 'startsWith', 'endsWith', 'contains', 'lower', 'upper'],
]);
const maxLength = 1000;

/** Every element that the FHIRPath finds, in order. Throws a Failure for a malformed path and for functions that do not select. */
export const locate = (resource: Resource, path: string, expression: string): readonly Location[] => {
  const wrong = (text: string): Failure => failure('invalid', 'value', `${text}: ${path.slice(0, 200)}`, { expression: [expression] });
  if (path.length > maxLength) throw failure('too-costly', 'too-costly', 'The path of a patch is too long.', { expression: [expression] });
  try {
    refuseFunctions(fhirpath.parse(path) as Syntax, wrong);
  } catch (error) {
    throw error instanceof SyntaxError || !(error instanceof Error && error.name === 'Failure') ? wrong('The path is not FHIRPath') : error;
  }
  const nodes: Node[] = [];
  const collect = {
    fn: (inputs: readonly Node[]) => {
      nodes.push(...inputs);
      return [];
    },
    arity: { 0: [] },
    nullable: true,
    internalStructures: true,
  };
  try {
    fhirpath.evaluate(plain(resource), `(${path}).collected()`, {}, r4, { userInvocationTable: { collected: collect }, async: false });
  } catch {
    throw wrong('The path cannot be evaluated');
  }
  return nodes.map((node) => {
    const location = locationOf(node);
    if (!location) throw wrong('The path does not lead to elements of the resource');
    return location;
  });
};

const refuseFunctions = (syntax: Syntax, wrong: (text: string) => Failure): void => {
  const [name] = syntax.children ?? [];
  if (syntax.type === 'Functn' && !selectors.has(name?.text ?? '')) throw wrong(`A patch does not take the function ${name?.text ?? ''}()`);
  for (const child of syntax.children ?? []) refuseFunctions(child, wrong);
};

const locationOf = (node: Node): Location | undefined => {
  const steps: Step[] = [];
  let current = node;
  while (current.parentResNode) {
    if (typeof current.propName !== 'string') return undefined;
    steps.unshift({ name: current.propName, index: current.index ?? undefined });
    current = current.parentResNode;
  }
  return typeof current.fhirNodeDataType === 'string' ? steps : undefined;
};

/** A copy that fhirpath may mark, with JavaScript numbers: it knows no others. */
const plain = (value: unknown): unknown => {
  if (isLosslessNumber(value)) return Number(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
};
