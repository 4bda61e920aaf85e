import { failure } from './outcome.js';

/** R4 http.html#versions: a weak ETag of the integer version. */
export const etagOf = (version: number): string => `W/"${String(version)}"`;

/** The version an If-Match names; undefined without the header. `W/"3"` and `"3"` are both taken. */
export const versionOfIfMatch = (header: string | undefined): number | undefined => {
  if (header === undefined) return undefined;
  const match = /^\s*(?:W\/)?"([0-9]{1,15})"\s*$/.exec(header);
  if (!match?.[1]) throw failure('invalid', 'value', `If-Match is not an ETag of this server: it looks like ${etagOf(1)}.`);
  return Number(match[1]);
};
