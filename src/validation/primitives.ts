import { LosslessNumber } from 'lossless-json';

/** What is wrong with a value, as the end of a sentence that begins with the value; undefined when it is right. */
export type PrimitiveCheck = (value: unknown) => string | undefined;

const oneMebibyte = 1024 * 1024;

// R4 datatypes.html#string: no control characters but tab, line feed and carriage return
// eslint-disable-next-line no-control-regex -- the rule is about control characters
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

const string: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'must be a JSON string';
  if (value.length === 0) return 'must not be empty';
  if (value.length > oneMebibyte) return 'is longer than 1 MB';
  if (controls.test(value)) return 'holds control characters';
  return value.charCodeAt(0) <= 32 && value.trim().length === 0 ? 'must not be blank' : undefined;
};

const patterned =
  (pattern: RegExp, fault: string): PrimitiveCheck =>
  (value) => {
    if (typeof value !== 'string') return 'must be a JSON string';
    if (value.length === 0) return 'must not be empty';
    return pattern.test(value) ? undefined : fault;
  };

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const isDay = (year: number, month: number, day: number): boolean => {
  if (month < 1 || month > 12 || day < 1 || day > daysIn[month - 1]!) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
};

const number = (text: string, from: number, to: number): number => {
  let result = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    result = result * 10 + digit;
  }
  return result;
};

/** The calendar of the date that a text of known length begins with: YYYY, YYYY-MM or YYYY-MM-DD. */
const isCalendar = (text: string, length: number): boolean => {
  const year = number(text, 0, 4);
  if (year < 1) return false;
  if (length === 4) return true;
  const month = number(text, 5, 7);
  if (text.charCodeAt(4) !== 45 || month < 1 || month > 12) return false;
  return length === 7 || (text.charCodeAt(7) === 45 && isDay(year, month, number(text, 8, 10)));
};

const date: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'must be a JSON string';
  const { length } = value;
  return (length === 4 || length === 7 || length === 10) && isCalendar(value, length)
    ? undefined
    : 'is not a date: YYYY, YYYY-MM or YYYY-MM-DD, and a day of the calendar';
};

const timePart = /^T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))$/;

const isMoment = (value: string): boolean => value.length > 19 && isCalendar(value, 10) && timePart.test(value.slice(10));

const dateTime: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'must be a JSON string';
  if (value.length <= 10) return date(value) === undefined ? undefined : 'is not a dateTime, or not one of the calendar';
  if (isMoment(value)) return undefined;
  if (value.charCodeAt(10) === 84 && !/(Z|[+-]\d\d:\d\d)$/.test(value)) return 'has a time but no time zone';
  return 'is not a dateTime: YYYY-MM-DDThh:mm:ss with a time zone, and a moment of the calendar';
};

const instant: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'must be a JSON string';
  return isMoment(value) ? undefined : 'is not an instant: YYYY-MM-DDThh:mm:ss with a time zone, and a moment of the calendar';
};

const integer =
  (least: number, greatest: number, kind: string): PrimitiveCheck =>
  (value) => {
    const number = value instanceof LosslessNumber ? Number(value.value) : value;
    if (typeof number !== 'number') return 'must be a JSON number';
    if (value instanceof LosslessNumber && !/^-?\d+$/.test(value.value)) return `is not ${kind}`;
    return Number.isInteger(number) && number >= least && number <= greatest ? undefined : `is not ${kind}`;
  };

const greatest = 2_147_483_647;

const decimal: PrimitiveCheck = (value) =>
  typeof value === 'number' || value instanceof LosslessNumber ? undefined : 'must be a JSON number';

const base64Binary: PrimitiveCheck = (value) => {
  if (typeof value !== 'string') return 'must be a JSON string';
  if (value.length === 0) return 'must not be empty';
  const text = /\s/.test(value) ? value.replaceAll(/\s+/g, '') : value;
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? undefined : 'is not base64';
};

const uriFault = 'is not a URI: it holds white space';

const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:[|#/].*)?$/;
const oid = /^urn:oid:[0-2](\.(0|[1-9][0-9]*))+(?:[|#/].*)?$/;

/** R4 datatypes.html#uri: what claims to be a UUID or an OID is one. */
const identified =
  (check: PrimitiveCheck): PrimitiveCheck =>
  (value) => {
    const fault = check(value);
    if (fault !== undefined || typeof value !== 'string') return fault;
    if (value.startsWith('oid:') || value.startsWith('uuid:')) return 'is no URI: it lacks urn: before it';
    if (!value.startsWith('urn:')) return undefined;
    if (value.startsWith('urn:uuid:') && !uuid.test(value)) return 'is not a UUID in lower case';
    return value.startsWith('urn:oid:') && !oid.test(value) ? 'is not an OID' : undefined;
  };

const wellFormed = identified(patterned(/^\S*$/, uriFault));

// R4 references.html#canonical: absolute, or a fragment that names a contained resource
const canonical: PrimitiveCheck = (value) =>
  wellFormed(value) ??
  ((value as string).startsWith('#') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(value as string) ? undefined : 'must be an absolute URL or #id');

/** R4 datatypes.html: the lexical rules of each primitive type. */
export const primitives: ReadonlyMap<string, PrimitiveCheck> = new Map<string, PrimitiveCheck>([
  ['boolean', (value) => (typeof value === 'boolean' ? undefined : 'must be true or false')],
  ['integer', integer(-greatest - 1, greatest, 'a whole number of 32 bits')],
  ['positiveInt', integer(1, greatest, 'a whole number of 1 or more')],
  ['unsignedInt', integer(0, greatest, 'a whole number of 0 or more')],
  ['decimal', decimal],
  ['string', string],
  ['markdown', string],
  ['xhtml', (value) => (typeof value === 'string' ? undefined : 'must be a JSON string')],
  ['code', patterned(/^[^\s]+( [^\s]+)*$/, 'is not a code: it has leading, trailing or doubled white space')],
  ['id', patterned(/^[A-Za-z0-9\-.]{1,64}$/, 'is not an id: 1 to 64 of A-Z, a-z, 0-9, - and .')],
  // R4 asks no more of the characters of a URI than that none is white space
  ['uri', wellFormed],
  ['url', wellFormed],
  ['canonical', canonical],
  ['oid', patterned(/^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$/, 'is not an OID: urn:oid: and numbers with dots')],
  ['uuid', patterned(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'is not a UUID: urn:uuid: in lower case')],
  ['date', date],
  ['dateTime', dateTime],
  ['instant', instant],
  ['time', patterned(/^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?$/, 'is not a time: hh:mm:ss')],
  ['base64Binary', base64Binary],
]);
