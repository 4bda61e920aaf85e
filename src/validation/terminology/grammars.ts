import { isSnomedConcept } from './snomed.js';

/** Whether a code can be one of the system: `in` and `out` are certain, `unknown` leaves it to a terminology server. */
export type Grammar = (code: string) => 'in' | 'out' | 'unknown';

const form =
  (pattern: RegExp): Grammar =>
  (code) =>
    pattern.test(code) ? 'in' : 'out';

// RFC 5646 2.1: language, script, region, variants, extensions, private use; and the grandfathered tags of sign languages
const language =
  /^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*(?:-[A-WYZa-wyz\d](?:-[A-Za-z\d]{2,8})+)*(?:-x(?:-[A-Za-z\d]{1,8})+)?|x(?:-[A-Za-z\d]{1,8})+|(?:i|sgn|art|zh)-[A-Za-z\d-]{2,14})$/;

// RFC 6838 4.2, with parameters
const mediaType =
  /^[A-Za-z0-9][\w!#$&\-^.+]{0,126}\/[A-Za-z0-9*][\w!#$&\-^.+]{0,126}(?:\s*;\s*[\w!#$&\-^.+]+=(?:[\w!#$&\-^.+:/]+|"[^"]*"))*$/;

const zones = new Set(Intl.supportedValuesOf('timeZone'));

const timeZone: Grammar = (code) => {
  if (zones.has(code)) return 'in';
  try {
    new Intl.DateTimeFormat('en', { timeZone: code });
    return 'in';
  } catch {
    return 'out';
  }
};

const snomed: Grammar = (code) => {
  // post-coordinated expressions have a grammar of their own that only a terminology server can judge
  if (/[:+\s|]/.test(code)) return 'unknown';
  return isSnomedConcept(code) ? 'unknown' : 'out';
};

const grammars: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  ['urn:ietf:bcp:47', form(language)],
  ['urn:ietf:bcp:13', form(mediaType)],
  ['urn:ietf:rfc:3986', form(/^[^\s<>"{}|\\^`]+$/)],
  ['https://www.iana.org/time-zones', timeZone],
  ['http://snomed.info/sct', snomed],
  // dm+d identifiers are SNOMED CT identifiers
  ['https://dmd.nhs.uk', snomed],
]);

/** The grammar of a system whose codes are formed rather than listed. */
export const grammarOf = (system: string): Grammar | undefined => grammars.get(system);
