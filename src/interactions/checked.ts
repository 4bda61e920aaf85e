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

/**
 * Throws what makes a resource unreadable to a command: wrong types and unknown elements. A command adds what the caller leaves out
 * (the times of a booked slot), so the whole is validated when it is made.
 */
export const refuseMisshapen = (house: House, resource: unknown): void => {
  const errors = house.validate(resource).filter((finding) => isError(finding) && finding.layer === 'base' && shape.has(finding.code));
  if (errors.length > 0) throw new Failure(categoryOf(errors), errors);
};

type Parts = { readonly [name: string]: unknown };

/** Parameters as they are, but for the resources in them. */
const withoutResources = (tree: Parts): Parts => {
  const { resource: _resource, ...rest } = tree;
  const inner = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((one: unknown) => (isTree(one) ? withoutResources(one) : one)) : list;
  return {
    ...rest,
    ...('parameter' in rest ? { parameter: inner(rest['parameter']) } : {}),
    ...('part' in rest ? { part: inner(rest['part']) } : {}),
  };
};

const isTree = (value: unknown): value is Parts => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Throws for inputs of an operation that are misshapen themselves. What is wrong with a resource among them is the operation's to say. */
export const refuseMisshapenInputs = (house: House, body: unknown): void => {
  if (isTree(body) && body['resourceType'] === 'Parameters') refuseMisshapen(house, withoutResources(body));
};
