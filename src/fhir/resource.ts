/** The little of FHIR's shapes that the mechanics need; domain code uses the types of `@types/fhir`. */
export type Json = unknown;

export type Meta = {
  readonly versionId?: string;
  readonly lastUpdated?: string;
  readonly [name: string]: Json;
};

/** Any R4 resource as parsed from JSON. Decimals whose text JavaScript would change are `LosslessNumber` (see `json.ts`). */
export type Resource = {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: Meta;
  readonly [name: string]: Json;
};

/** The identity of a resource: its type and logical id. */
export type Key = { readonly type: string; readonly id: string };

/** `Type/id`, the relative literal reference of R4 references.html#literal. */
export const referenceTo = (key: Key): string => `${key.type}/${key.id}`;
