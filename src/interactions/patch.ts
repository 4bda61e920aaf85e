import type { Facts } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import { applyFhirPathPatch } from '../fhir/patch/fhirpath-patch.js';
import { applyJsonPatch } from '../fhir/patch/json-patch.js';
import type { Key, Resource } from '../fhir/resource.js';
import { sightOf } from '../access/policy.js';
import { gone, notFound } from './answers.js';
import { matchesOf, severalMatches } from './criteria.js';
import type { Call, House } from './house.js';
import type { Verdict } from './perform.js';
import { checkVersion, decideChangeOf } from './update.js';

/** A patch as it came: a JSON Patch document (RFC 6902) or Parameters (R4 fhirpatch.html). */
export type Patch = { readonly kind: 'json'; readonly document: unknown } | { readonly kind: 'fhirpath'; readonly parameters: Resource };

/** Reads a body as a patch: an array is a JSON Patch, Parameters are a FHIRPath Patch, a bare resource is neither. */
export const readPatch = (body: unknown): Patch => {
  if (Array.isArray(body)) return { kind: 'json', document: body };
  const type = typeof body === 'object' && body !== null ? (body as { readonly resourceType?: unknown }).resourceType : undefined;
  if (type === 'Parameters') return { kind: 'fhirpath', parameters: body as Resource };
  throw failure(
    'invalid',
    'structure',
    typeof type === 'string'
      ? `A ${type} is no patch: PATCH takes a JSON Patch (application/json-patch+json, an array) or a FHIRPath Patch (Parameters); a whole resource goes by PUT.`
      : 'PATCH takes a JSON Patch (application/json-patch+json, an array) or a FHIRPath Patch (Parameters).',
  );
};

const apply = (house: House, resource: Resource, patch: Patch): Resource => {
  const patched =
    patch.kind === 'json' ? applyJsonPatch(resource, patch.document) : applyFhirPathPatch(resource, patch.parameters, house.shapes);
  if (typeof patched !== 'object' || patched === null || Array.isArray(patched))
    throw failure('invalid', 'structure', 'What the patch leaves is not a resource.');
  const { resourceType, id } = patched as Resource;
  if (resourceType !== resource.resourceType || id !== resource.id)
    throw failure('invalid', 'invalid', 'A patch cannot change the type or the id of a resource.', {
      expression: [`${resource.resourceType}.id`],
    });
  return patched as Resource;
};

/** R4 http.html#patch: the patched resource goes the way of an update, through the same checks and the same domain command. */
export const decidePatch = async (house: House, call: Call, key: Key, patch: Patch, facts: Facts): Promise<Verdict> => {
  const current = await facts.find(key);
  if (!current) {
    const deleted = await house.store.find(key, sightOf(call.caller, key.type));
    throw deleted ? gone(key) : notFound(key);
  }
  checkVersion(call, key, current.version);
  return decideChangeOf(house, call, current, apply(house, current.resource, patch), facts);
};

export const decideConditionalPatch = async (
  house: House,
  call: Call,
  type: string,
  criteria: string,
  patch: Patch,
  facts: Facts,
): Promise<Verdict> => {
  const { one, several } = await matchesOf(house, call, type, criteria, 'url');
  if (several) throw severalMatches(type, 'url');
  if (!one) throw failure('not-found', 'not-found', `No ${type} matches the criteria.`);
  return decidePatch(house, call, one, patch, facts);
};
