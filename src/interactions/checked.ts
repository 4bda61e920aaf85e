import { Failure, type Category } from '../fhir/outcome.js';
import { isError, type Finding } from '../validation/finding.js';
import type { ValidateOptions } from '../validation/validator.js';
import type { House } from './house.js';

// a broken R4 rule is 400, a broken rule of a profile alone is 422
const categoryOf = (errors: readonly Finding[]): Category => {
  if (errors.some(({ code }) => code === 'too-costly')) return 'too-costly';
  return errors.some(({ layer }) => layer === 'base') ? 'invalid' : 'business-rule';
};

/** Throws all errors that the validator finds, as one failure; warnings never block. `gathered`: what gatherForValidation found. */
export const refuseInvalid = (house: House, resource: unknown, gathered: ValidateOptions): void => {
  const errors = house.validate(resource, gathered).filter(isError);
  if (errors.length > 0) throw new Failure(categoryOf(errors), errors);
};

const shape: ReadonlySet<string> = new Set(['structure', 'value', 'too-costly']);
/** R4 json.html: no element is empty. */
const isEmptiness = ({ diagnostics }: Finding): boolean => diagnostics?.endsWith('ele-1') === true;

const baseErrors = (house: House, resource: unknown): readonly Finding[] =>
  house.validate(resource, { baseOnly: true }).filter((finding) => isError(finding) && finding.layer === 'base');

const refuse = (errors: readonly Finding[]): void => {
  if (errors.length > 0) throw new Failure(categoryOf(errors), errors);
};

const refuseOf = (house: House, resource: unknown, codes: ReadonlySet<string>): void => {
  refuse(baseErrors(house, resource).filter((finding) => codes.has(finding.code) || isEmptiness(finding)));
};

/** Throws all that R4 itself does not allow. */
export const refuseUnsound = (house: House, resource: unknown): void => {
  refuse(baseErrors(house, resource));
};

/** Throws what makes a resource unreadable: wrong types and unknown elements. */
export const refuseMisshapen = (house: House, resource: unknown): void => {
  refuseOf(house, resource, shape);
};

const complete: ReadonlySet<string> = new Set([...shape, 'required', 'code-invalid']);

/**
 * Throws what a command is not to be asked for: what is unreadable, an element of R4 that is missing, a code outside a required binding.
 * A command adds what R4's invariants ask for and the caller may leave out (the times of a booked slot), so the whole is validated when
 * it is made.
 */
export const refuseIncomplete = (house: House, resource: unknown): void => {
  refuseOf(house, resource, complete);
};

type Parts = { readonly [name: string]: unknown };

/** Parameters as they are, but for the resources in them, and for empty lists, which are for the operation to miss something in. */
const withoutResources = (tree: Parts): Parts =>
  Object.fromEntries(
    Object.entries(tree).flatMap(([name, value]): [string, unknown][] => {
      if (name === 'resource') return [];
      if ((name !== 'parameter' && name !== 'part') || !Array.isArray(value)) return [[name, value]];
      return value.length === 0 ? [] : [[name, value.map((one: unknown) => (isTree(one) ? withoutResources(one) : one))]];
    }),
  );

const isTree = (value: unknown): value is Parts => typeof value === 'object' && value !== null && !Array.isArray(value);

const unreadable: ReadonlySet<string> = new Set([...shape, 'code-invalid']);
const isDangling = ({ diagnostics }: Finding): boolean => diagnostics?.endsWith('ref-1') === true;
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const faultsInside = (house: House, { resource }: Parts, index: number): readonly Finding[] => {
  if (!isTree(resource)) return [];
  const whole = Object.fromEntries(Object.entries(resource).filter(([, value]) => !isEmptyList(value)));
  const type = String(resource['resourceType']);
  return house
    .validate(whole, { baseOnly: true })
    .filter((finding) => isError(finding) && (unreadable.has(finding.code) || isDangling(finding)))
    .map((finding) => ({
      ...finding,
      expression: (finding.expression ?? []).map((path) => path.replace(type, `Parameters.parameter[${String(index)}].resource`)),
    }));
};

/**
 * Throws for resources among the inputs that cannot be read: wrong types, unknown elements and codes, references to nothing inside. What of
 * R4 is missing, an empty list too, is for the operation, which adds it or says what it misses.
 */
export const refuseUnreadableResources = (house: House, body: unknown): void => {
  const given: unknown = isTree(body) && body['resourceType'] === 'Parameters' ? body['parameter'] : undefined;
  const faults = (Array.isArray(given) ? given : []).flatMap((one: unknown, index) => (isTree(one) ? faultsInside(house, one, index) : []));
  if (faults.length > 0) throw new Failure(categoryOf(faults), faults);
};

/** Throws for inputs of an operation that are misshapen themselves. What is wrong with a resource among them is the operation's to say. */
export const refuseMisshapenInputs = (house: House, body: unknown): void => {
  if (isTree(body) && body['resourceType'] === 'Parameters') refuseMisshapen(house, withoutResources(body));
};
