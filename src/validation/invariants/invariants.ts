import type { ElementDefinitionConstraint } from 'fhir/r4.js';
import type { Severity } from '../../fhir/outcome.js';
import type { Check } from '../shapes.js';
import type { Walk } from '../walk.js';
import { dataTypeInvariants } from './data-types.js';
import { compileExpression, type Outcome } from './fhirpath.js';
import type { Native } from './native.js';
import { resourceInvariants } from './resources.js';

// `inv-1` is the key of several invariants: what stands after @ keeps the names of the table apart
const natives: ReadonlyMap<string, Native> = new Map(
  Object.entries<Native>({ ...dataTypeInvariants, ...resourceInvariants }).map(([name, native]) => [
    `${name.split('@')[0] ?? ''} ${native.expression}`,
    native,
  ]),
);

/** Those that another part of the validator checks on every value: narrative.ts, structure.ts. */
const elsewhere = new Set([
  'htmlChecks()',
  'hasValue() or (children().count() > id.count())',
  'hasValue() or (children().count() > id.count()) or $this is Parameters',
]);

/** The native form of an invariant, when there is one for exactly this expression. */
export const findNative = (key: string, expression: string): Native | undefined => natives.get(`${key} ${expression}`);

const evaluatorOf = ({ key, expression }: ElementDefinitionConstraint, type: string): ((walk: Walk, value: unknown) => Outcome) => {
  const native = findNative(key, expression!);
  if (native !== undefined) return (walk, value) => native.holds(value as never, walk);
  let compiled: ReturnType<typeof compileExpression> | undefined;
  return (walk, value) => (compiled ??= compileExpression(expression!, type))(walk, value);
};

/**
 * The check of an invariant on values of `type` (a FHIR type or the path of a backbone element); undefined when there is nothing to
 * evaluate. An expression that fails or finds nothing is no broken rule (only false is): it is told as information.
 */
export const invariantCheck = (constraint: ElementDefinitionConstraint, type: string): Check | undefined => {
  const { key, expression, severity, human } = constraint;
  if (expression === undefined || elsewhere.has(expression)) return undefined;
  const evaluate = evaluatorOf(constraint, type);
  const level: Severity = severity === 'warning' ? 'warning' : 'error';
  return (walk, value) => {
    const outcome = evaluate(walk, value);
    if (outcome === false) walk.report(level, 'invariant', human, key);
    else if (outcome === 'too-costly') walk.report(level, 'too-costly', `takes too long to be checked: ${human}`, key);
    else if (outcome === 'undecided') walk.report('information', 'informational', `${key} could not be evaluated: ${human}`, key);
  };
};
