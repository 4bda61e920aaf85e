import { failure } from './outcome.js';

/** R4 http.html#versions: a weak ETag of the integer version. */
export const etagOf = (version: number): string => `W/"${String(version)}"`;

const one = /^(?:W\/)?"([0-9]{1,15})"$/;

/**
 * Throws unless a client that is bound by versions names the one that it read: any version, or whichever of a list, would switch off what
 * If-Match is for (e-RS takes `W/"<n>"` alone).
 *
 * @throws Failure `invalid`/`required` without the header, `invalid`/`value` for `*`, a list, or what is no ETag of this server
 */
export const checkOneVersion = (header: string | undefined): void => {
  if (header === undefined)
    throw failure('invalid', 'required', 'If-Match is needed here: send the ETag of the version that was read.', {
      coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'MISSING_HEADER' },
      expression: ['If-Match'],
    });
  if (!one.test(header.trim()))
    throw failure('invalid', 'value', `If-Match must be the ETag of the version that was read: it looks like ${etagOf(1)}.`, {
      expression: ['If-Match'],
    });
};

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
