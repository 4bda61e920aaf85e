import { failure } from '../fhir/outcome.js';
import type { Invocation } from './operation.js';

type Parameter = { readonly name?: unknown; readonly resource?: unknown; readonly [value: string]: unknown };

/** The parameters of a Parameters body, as they came. Throws for a body that is another resource. */
export const parametersIn = ({ body }: Invocation): readonly Parameter[] => {
  if (body === undefined) return [];
  if (body.resourceType !== 'Parameters')
    throw failure('invalid', 'invalid', `The body must be Parameters, not a ${body.resourceType}.`, { expression: [body.resourceType] });
  return Array.isArray(body['parameter']) ? (body['parameter'] as readonly Parameter[]) : [];
};

const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'reference' in value ? String(value.reference) : String(value);

/**
 * The primitive inputs of an operation by name: from the query, and from the value[x] of a Parameters body; of a Reference what it says.
 * Unknown ones are 400, or passed over when the client is lenient.
 */
export const inputsOf = (
  invocation: Invocation,
  known: readonly string[],
  { lenient = false }: { readonly lenient?: boolean } = {},
): ReadonlyMap<string, readonly string[]> => {
  const inputs = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    if (!known.includes(name) && lenient) return;
    if (!known.includes(name))
      throw failure('invalid', 'not-supported', `There is no input ${name}; there are ${known.join(', ')}.`, { expression: [name] });
    inputs.set(name, [...(inputs.get(name) ?? []), value]);
  };
  for (const [name, value] of invocation.query) if (name !== '_format' && name !== '_pretty') add(name, value);
  for (const parameter of parametersIn(invocation)) {
    const key = Object.keys(parameter).find((name) => /^value[A-Z]/.test(name));
    if (typeof parameter.name === 'string' && key !== undefined) add(parameter.name, textOf(parameter[key]));
  }
  return inputs;
};
