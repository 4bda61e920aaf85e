import { createHash } from 'node:crypto';
import type { SearchParameters } from '../fhir/search/parameters.js';
import { narrowTables } from '../store/layout.js';
import type { Definitions } from '../validation/definitions.js';

/**
 * Raised with each change of what is indexed of a resource that no definition tells of (how names are folded, what a telecom is found
 * by, which contained resources have rows): test/unit/search/index-version compares what is made of examples.
 */
export const indexVersion = 2;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** What decides the index values of each type's resources, as a short text: stored values are out of date when it was another one. */
export const fingerprintsOf = (
  types: Iterable<string>,
  parts: {
    readonly parameters: Pick<SearchParameters, 'deciding'>;
    readonly definitions: Pick<Definitions, 'caseSensitiveSystems'>;
    /** of dates without an offset */
    readonly timeZone: string;
  },
): ReadonlyMap<string, string> => {
  const common = digest(JSON.stringify([indexVersion, parts.timeZone, [...parts.definitions.caseSensitiveSystems()].sort()]));
  return new Map(
    [...types].map((type) => [type, digest(JSON.stringify([common, parts.parameters.deciding(type), narrowTables[type]]))] as const),
  );
};

/** One text for all of them. */
export const fingerprintOfAll = (fingerprints: ReadonlyMap<string, string>): string => digest(JSON.stringify([...fingerprints].sort()));
