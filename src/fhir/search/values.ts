import type { LosslessNumber } from 'lossless-json';
import type { Value } from '../../store/port.js';
import { readReference } from '../references.js';
import type { Key } from '../resource.js';
import { earliest, latest, readDate, type Span } from './dates.js';
import type { Item } from './expression.js';
import { readDecimal } from './numbers.js';
import type { ParameterType } from './parameters.js';
import { foldedCode, indexedText } from './text.js';
import { quantityKeys } from './units.js';

export type Extraction = {
  readonly resolve: (reference: { readonly identifier: { readonly system?: string; readonly value?: string } }) => Key | undefined;
  readonly baseUrl: string;
  readonly fragment?: ((text: string) => Key | undefined) | undefined;
  readonly timeZone: string;
  readonly isCaseSensitive: (system: string) => boolean;
};

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
// decimals may be numbers or, where their text matters, objects that print it
const decimalText = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return isObject(value) && 'isLosslessNumber' in value ? (value as unknown as LosslessNumber).value : undefined;
};

type Emit = (param: string, item: Item, extraction: Extraction, out: Value[]) => void;

const pushText = (param: string, text: unknown, out: Value[]): void => {
  const value = textOf(text);
  if (value !== undefined) out.push({ kind: 'text', param, value: indexedText(value) });
};

const pushCoding = (param: string, coding: unknown, { isCaseSensitive }: Extraction, out: Value[]): void => {
  if (!isObject(coding)) return;
  const system = textOf(coding['system']) ?? '';
  const code = textOf(coding['code']);
  if (code !== undefined) out.push({ kind: 'token', param, system, code: isCaseSensitive(system) ? code : foldedCode(code) });
  pushText(param, coding['display'], out);
};

const pushConcept = (param: string, concept: unknown, extraction: Extraction, out: Value[]): void => {
  if (!isObject(concept)) return;
  const { coding, text } = concept;
  if (Array.isArray(coding)) for (const part of coding) pushCoding(param, part, extraction, out);
  pushText(param, text, out);
};

const pushIdentifier = (param: string, identifier: unknown, out: Value[]): void => {
  if (!isObject(identifier)) return;
  const value = textOf(identifier['value']);
  if (value !== undefined) out.push({ kind: 'token', param, system: textOf(identifier['system']) ?? '', code: value });
  const { type } = identifier;
  if (!isObject(type)) return;
  pushText(param, type['text'], out);
  // R4 search.html#modifiers, :of-type: no system has a `|` in it, so these stand apart from the identifier itself
  for (const coding of value !== undefined && Array.isArray(type['coding']) ? (type['coding'] as readonly unknown[]) : [])
    if (isObject(coding))
      out.push({ kind: 'token', param, system: `${textOf(coding['system']) ?? ''}|${textOf(coding['code']) ?? ''}`, code: value ?? '' });
};

/** R4 search.html#token: before the `|` stands the use; most clients write the system there (`email|…`). No code is of both, so either is found. */
const pushContact = (param: string, contact: unknown, out: Value[]): void => {
  const number = isObject(contact) ? textOf(contact['value']) : undefined;
  if (!isObject(contact) || number === undefined) return;
  const systems = [textOf(contact['system']), textOf(contact['use'])].filter((system) => system !== undefined);
  for (const system of systems.length === 0 ? [''] : systems) out.push({ kind: 'token', param, system, code: foldedCode(number) });
};

const token: Emit = (param, { value, type }, extraction, out) => {
  switch (type) {
    case 'CodeableConcept':
      pushConcept(param, value, extraction, out);
      return;
    case 'Coding':
      pushCoding(param, value, extraction, out);
      return;
    case 'Identifier':
      pushIdentifier(param, value, out);
      return;
    case 'ContactPoint':
      pushContact(param, value, out);
      return;
    default:
      if (typeof value === 'boolean') out.push({ kind: 'token', param, system: '', code: String(value) });
      else if (typeof value === 'string' && value !== '') out.push({ kind: 'token', param, system: '', code: value });
  }
};

const reference: Emit = (param, { value }, extraction, out) => {
  if (typeof value === 'string') {
    pushTarget(param, value, extraction, out);
    return;
  }
  if (!isObject(value)) return;
  const literal = textOf(value['reference']);
  const { identifier } = value;
  if (literal !== undefined) pushTarget(param, literal, extraction, out);
  if (!isObject(identifier)) return;
  pushIdentifier(param, identifier, out);
  const target = literal === undefined ? extraction.resolve({ identifier: identifier }) : undefined;
  if (target) out.push({ kind: 'reference', param, target });
};

const pushTarget = (param: string, text: string, { baseUrl, fragment }: Extraction, out: Value[]): void => {
  const target = text.startsWith('#') ? fragment?.(text) : readReference(text, baseUrl);
  if (target) out.push({ kind: 'reference', param, target: { type: target.type, id: target.id } });
  // any other URL is found as it is written
  else if (!text.startsWith('#')) out.push({ kind: 'text', param, value: text });
};

const dateSpan = (value: unknown, zone: string): Span | undefined => (typeof value === 'string' ? readDate(value, zone) : undefined);

const periodSpan = (period: Json, zone: string): Span | undefined => {
  const start = dateSpan(period['start'], zone);
  const end = dateSpan(period['end'], zone);
  // R4 search.html#date: an open end reaches as far as time does
  return start || end ? { low: start?.low ?? earliest, high: end?.high ?? latest } : undefined;
};

const timingSpan = (timing: Json, zone: string): Span | undefined => {
  const events = (Array.isArray(timing['event']) ? (timing['event'] as readonly unknown[]) : []).flatMap(
    (event) => dateSpan(event, zone) ?? [],
  );
  const bounds =
    isObject(timing['repeat']) && isObject(timing['repeat']['boundsPeriod'])
      ? periodSpan(timing['repeat']['boundsPeriod'], zone)
      : undefined;
  const spans = bounds ? [...events, bounds] : events;
  if (spans.length === 0) return undefined;
  return { low: Math.min(...spans.map(({ low }) => low)), high: Math.max(...spans.map(({ high }) => high)) };
};

const date: Emit = (param, { value, type }, { timeZone }, out) => {
  let span: Span | undefined;
  if (typeof value === 'string') span = readDate(value, timeZone);
  else if (isObject(value)) span = type === 'Timing' ? timingSpan(value, timeZone) : periodSpan(value, timeZone);
  if (span) out.push({ kind: 'range', param, low: span.low, high: span.high });
};

const nameParts = ['text', 'family', 'given', 'prefix', 'suffix'] as const;
const addressParts = ['text', 'line', 'city', 'district', 'state', 'country', 'postalCode'] as const;

const string: Emit = (param, { value, type }, _extraction, out) => {
  if (!isObject(value)) {
    pushText(param, value, out);
    return;
  }
  // R4 search.html#string: a name or an address matches by any of its parts
  for (const part of type === 'Address' ? addressParts : type === 'HumanName' ? nameParts : (['text'] as const)) {
    const found = value[part];
    for (const text of Array.isArray(found) ? (found as readonly unknown[]) : [found]) pushText(param, text, out);
  }
};

const number: Emit = (param, { value }, _extraction, out) => {
  const decimal = readDecimal(decimalText(value) ?? '');
  // a stored number is a point; it is the searched one that stands for a range (R4 search.html#number)
  if (decimal) out.push({ kind: 'range', param, low: decimal.value, high: decimal.value });
};

const quantity: Emit = (param, { value, type }, _extraction, out) => {
  if (!isObject(value)) return;
  const [low, high] =
    type === 'Range' ? [value['low'], value['high']] : type === 'SampledData' ? [value['origin'], value['origin']] : [value, value];
  const from = isObject(low) ? low : undefined;
  const to = isObject(high) ? high : undefined;
  const unit = from ?? to;
  if (!unit) return;
  const least = readDecimal(decimalText(from?.['value']) ?? '');
  const most = readDecimal(decimalText(to?.['value']) ?? '');
  if (!least && !most) return;
  const code = textOf(unit['code']) ?? textOf(unit['currency']);
  for (const { key, factor } of quantityKeys(textOf(unit['system']), code, textOf(unit['unit'])))
    out.push({
      kind: 'range',
      param: `${param}${key}`,
      low: least ? factor(least.value) : -Number.MAX_VALUE,
      high: most ? factor(most.value) : Number.MAX_VALUE,
    });
};

const uri: Emit = (param, { value }, _extraction, out) => {
  if (typeof value === 'string' && value !== '') out.push({ kind: 'text', param, value });
};

const special: Emit = (param, { value, type }, _extraction, out) => {
  if (type !== 'Location.position' || !isObject(value)) return;
  const [latitude, longitude] = [value['latitude'], value['longitude']].map((part) => Number(decimalText(part) ?? NaN));
  if (latitude === undefined || longitude === undefined || !Number.isFinite(latitude + longitude)) return;
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) out.push({ kind: 'position', param, latitude, longitude });
};

const emitters: Readonly<Partial<Record<ParameterType, Emit>>> = { token, reference, date, string, number, quantity, uri, special };

/** The index values of one found item, by the type of its parameter (R4 search.html#ptypes), appended to `out`. */
export const valuesOf = (kind: ParameterType, param: string, item: Item, extraction: Extraction, out: Value[]): void => {
  emitters[kind]?.(param, item, extraction, out);
};
