import { failure } from './outcome.js';

/** R4 http.html#versions: a weak ETag of the integer version. */
export const etagOf = (version: number): string => `W/"${String(version)}"`;

const one = /^(?:W\/)?"([0-9]{1,15})"$/;

/**
 * Whether the current version is one that If-Match names; true without the header. `W/"3"`, `"3"`, a list of them and `*` (any
 * version) are taken. Throws a Failure `invalid`/`value` for what cannot be an ETag of this server.
 */
export const matchesIfMatch = (header: string | undefined, current: number): boolean => {
  if (header === undefined || header.trim() === '*') return true;
  const versions = header.split(',').map((tag) => one.exec(tag.trim())?.[1]);
  if (versions.includes(undefined))
    throw failure('invalid', 'value', `If-Match is not an ETag of this server: it looks like ${etagOf(1)}.`, { expression: ['If-Match'] });
  return versions.includes(String(current));
};

/** RFC 9110 section 13.1.2: whether If-None-Match names the version; a tag that is not of this server names none. */
export const matchesIfNoneMatch = (header: string, current: number): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => one.exec(tag.trim())?.[1] === String(current));
