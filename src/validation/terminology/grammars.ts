import { isSnomedConcept } from './snomed.js';
import { isUnit, longestUnit } from './units.js';

/** Whether a code can be one of the system: `in` and `out` are certain, `unknown` leaves it to a terminology server. */
export type Grammar = (code: string) => 'in' | 'out' | 'unknown';

const form =
  (pattern: RegExp): Grammar =>
  (code) =>
    pattern.test(code) ? 'in' : 'out';

// RFC 5646 2.1: language, script, region, variants, extensions (u and t are all there are), private use; and the grandfathered tags
const languageTag =
  /^(?:(?<language>[A-Za-z]{2,3})(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?<region>[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*(?:-[UTut](?:-[A-Za-z\d]{2,8})+)*(?:-x(?:-[A-Za-z\d]{1,8})+)?|x(?:-[A-Za-z\d]{1,8})+|(?:i|sgn|art|zh)-[A-Za-z\d-]{2,14})$/;

const languages = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** The registries of ISO 639-1 and ISO 3166-1 are at hand; that of ISO 639-3, with its 8,000 languages, is not. */
const language: Grammar = (code) => {
  const tag = languageTag.exec(code)?.groups;
  if (tag === undefined) return 'out';
  if (tag['language']?.length === 2 && languages.of(tag['language']) === undefined) return 'out';
  return tag['region']?.length === 2 && regions.of(tag['region'].toUpperCase()) === undefined ? 'out' : 'in';
};

// ISO 3166-1 alpha-2; the other forms of the standard are not at hand
const country: Grammar = (code) => {
  if (!/^[A-Za-z]{2}$/.test(code)) return /^[A-Za-z]{3}$|^\d{3}$/.test(code) ? 'unknown' : 'out';
  return regions.of(code.toUpperCase()) === undefined ? 'out' : 'in';
};

/** The codes of countries by their English names, made when first asked for. */
let countries: ReadonlyMap<string, string> | undefined;

const letters = 'A B C D E F G H I J K L M N O P Q R S T U V W X Y Z'.split(' ');

const countriesByName = (): ReadonlyMap<string, string> =>
  (countries ??= new Map(
    letters.flatMap((first) =>
      letters.flatMap((second): readonly (readonly [string, string])[] => {
        const name = regions.of(first + second);
        return name === undefined ? [] : [[name.toLowerCase(), first + second]];
      }),
    ),
  ));

/** Whether a display is the name of another country than the code stands for; a country has many names, and only this is certain. */
export const isNameOfOther = (system: string, code: string, display: string): boolean => {
  if (system !== 'urn:iso:std:iso:3166' || code.length !== 2) return false;
  const named = countriesByName().get(display.trim().toLowerCase());
  return named !== undefined && named !== code.toUpperCase();
};

const currencies = new Set(Intl.supportedValuesOf('currency'));

// ISO 4217: what is missing here may be newer than this runtime
const currency: Grammar = (code) => (currencies.has(code) ? 'in' : /^[A-Z]{3}$/.test(code) ? 'unknown' : 'out');

// RFC 6838 4.2, with parameters; HL7's examples have spaces in the values of some
const mediaType =
  /^[A-Za-z0-9][\w!#$&\-^.+]{0,126}\/[A-Za-z0-9*][\w!#$&\-^.+]{0,126}(?:\s*;\s*[\w!#$&\-^.+]+=(?:[\w!#$&\-^.+:/][\w!#$&\-^.+:/ ]*|"[^"]*"))*$/;

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

// https://ucum.org/ucum, section 2
const unit: Grammar = (code) => (code.length > longestUnit ? 'unknown' : isUnit(code) ? 'in' : 'out');

/** Which codes of a form there are is not known here; that others are none is. */
const formed =
  (pattern: RegExp): Grammar =>
  (code) =>
    pattern.test(code) ? 'unknown' : 'out';

const grammars: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  ['urn:ietf:bcp:47', language],
  ['urn:iso:std:iso:3166', country],
  ['urn:iso:std:iso:3166:-2', formed(/^[A-Z]{2}-[A-Z0-9]{1,3}$/)],
  ['http://unstats.un.org/unsd/methods/m49/m49.htm', formed(/^\d{3}$/)],
  ['urn:iso:std:iso:4217', currency],
  ['urn:ietf:bcp:13', form(mediaType)],
  ['urn:ietf:rfc:3986', form(/^[^\s<>"{}|\\^`]+$/)],
  ['https://www.iana.org/time-zones', timeZone],
  ['http://unitsofmeasure.org', unit],
  ['http://snomed.info/sct', snomed],
  // dm+d identifiers are SNOMED CT identifiers
  ['https://dmd.nhs.uk', snomed],
]);

/** The grammar of a system whose codes are formed rather than listed. */
export const grammarOf = (system: string): Grammar | undefined => grammars.get(system);
