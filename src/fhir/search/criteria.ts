import type { Predicate, Prefix } from '../../store/port.js';
import { failure, type Failure } from '../outcome.js';
import { readReference } from '../references.js';
import type { Key } from '../resource.js';
import { readDate } from './dates.js';
import { splitAt, unescaped } from './escaping.js';
import { hierarchies, type Kin } from './hierarchy.js';
import { readDecimal } from './numbers.js';
import type { SearchParameter } from './parameters.js';
import type { Terminology } from './terminology.js';
import { codeForms, fold, indexedText } from './text.js';
import { exactKey } from './units.js';

/** What reading a value needs to know. */
export type Setting = {
  readonly baseUrl: string;
  readonly timeZone: string;
  /** epoch ms, for the prefix `ap` */
  readonly now: number;
  /** the served types */
  readonly types: ReadonlySet<string>;
  readonly terminology: Terminology;
  readonly kin?: Kin;
};

export type Criterion = {
  /** as the client wrote it, for messages */
  readonly name: string;
  readonly parameter: Pick<SearchParameter, 'code' | 'type' | 'targets' | 'elements' | 'bindings'>;
  readonly modifier: string | undefined;
  readonly value: string;
};

export const wrongValue = (name: string, text: string): Failure => failure('invalid', 'value', `${name}: ${text}`, { expression: [name] });

export const refuseModifier = ({ name, parameter, modifier }: Criterion): Failure =>
  failure('invalid', 'not-supported', `${name}: a ${parameter.type} parameter has no modifier :${modifier ?? ''}.`, { expression: [name] });

/** Any of the conditions. */
export const anyPredicate = (predicates: readonly Predicate[]): Predicate => {
  const possible = predicates.filter(({ kind }) => kind !== 'never');
  const [first] = possible;
  if (!first) return { kind: 'never' };
  return possible.length === 1 ? first : { kind: 'either', of: possible.map((predicate) => [predicate]) };
};

const prefixes: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']);

const readPrefix = (text: string): { readonly prefix: Prefix | 'ap'; readonly rest: string } => {
  const prefix = text.slice(0, 2);
  return prefixes.has(prefix) ? { prefix: prefix as Prefix | 'ap', rest: text.slice(2) } : { prefix: 'eq', rest: text };
};

type Spanned = { readonly prefix: Prefix; readonly low: number; readonly high: number };

export const dateValue = (name: string, text: string, { timeZone, now }: Pick<Setting, 'timeZone' | 'now'>): Spanned => {
  const { prefix, rest } = readPrefix(text);
  // a plus that was not encoded arrives as a space; no date has a space of its own
  const span = readDate(rest.replace(' ', '+'), timeZone);
  if (!span) throw wrongValue(name, `"${text}" is no date; write 2027-01-04 or 2027-01-04T09:00:00Z, with a prefix such as ge before it.`);
  if (prefix !== 'ap') return { prefix, ...span };
  // R4 search.html#prefix: ap is within a tenth of the time between now and the value
  const margin = Math.abs(now - (span.low + span.high) / 2) / 10;
  // and a period that reaches into that time is near enough
  return { prefix: 'po', low: span.low - margin, high: span.high + margin };
};

/** The next number up or down: stored numbers are points, and `sa` and `eb` are strict. */
const beside = (value: number, direction: 1 | -1): number =>
  value + direction * Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);

/**
 * `eq` and `ne` mean the implied range of the digits, the other prefixes the number itself (R4 search.html#number); `factor`: how a number is
 * written where it is kept.
 */
const decimalValue = (name: string, text: string, factor: (value: number) => number = Number): Spanned => {
  const { prefix, rest } = readPrefix(text);
  const decimal = readDecimal(rest);
  if (!decimal) throw wrongValue(name, `"${text}" is no number.`);
  const [value, low, high] = [factor(decimal.value), factor(decimal.low), factor(decimal.high)];
  if (prefix === 'eq' || prefix === 'ne') return { prefix, low, high: beside(high, -1) };
  if (prefix === 'ap') {
    const margin = Math.max(Math.abs(value) / 10, high - value);
    return { prefix: 'eq', low: value - margin, high: value + margin };
  }
  if (prefix === 'sa') return { prefix, low: value, high: beside(value, 1) };
  if (prefix === 'eb') return { prefix, low: beside(value, -1), high: value };
  return { prefix, low: value, high: value };
};

const valuesIn = ({ name, value }: Criterion): readonly string[] => {
  const values = splitAt(value, ',').filter((part) => part !== '');
  if (values.length === 0) throw wrongValue(name, 'the value is empty.');
  return values;
};

type TokenValue = { readonly system?: string; readonly code?: string };

// elements whose codes have no system of their own to say that case does not matter
const exactElements = new Set(['code', 'boolean', 'id', 'string', 'uri', 'canonical', 'oid', 'uuid', 'Identifier', 'dateTime']);
const coded = new Set(['code', 'boolean']);
const formsOf = ({ elements }: Criterion['parameter'], code: string): readonly string[] =>
  elements.length > 0 && elements.every((type) => exactElements.has(type)) ? [code] : codeForms(code);

/** Whether the elements are `code` and the like, whose system is implied by their value sets and not kept. */
const isImplied = ({ elements }: Criterion['parameter']): boolean => elements.length > 0 && elements.every((type) => coded.has(type));

/** The systems that the value sets of `code` elements imply; undefined when one of them may be any. */
const impliedSystems = ({ elements, bindings }: Criterion['parameter'], { terminology }: Setting): ReadonlySet<string> | undefined => {
  const systems = new Set<string>();
  // R4 search.html#token names this for booleans
  if (elements.includes('boolean')) systems.add('http://terminology.hl7.org/CodeSystem/special-values');
  for (const binding of bindings) {
    const own = binding === '' ? undefined : terminology.systems(binding);
    if (!own) return undefined;
    for (const system of own) systems.add(system);
  }
  return systems;
};

export const tokenValue = (criterion: Criterion, text: string, setting: Setting): readonly TokenValue[] => {
  const { name, parameter } = criterion;
  const parts = splitAt(text, '|').map(unescaped);
  if (parts.length > 2) throw wrongValue(name, `"${text}" has more than one |; write system|code.`);
  const [first = '', second] = parts;
  if (second === undefined) return formsOf(parameter, first).map((code) => ({ code }));
  if (second === '' && first === '') throw wrongValue(name, 'system or code must stand beside the |.');
  const implied = isImplied(parameter);
  if (implied && first !== '' && impliedSystems(parameter, setting)?.has(first) === false) return [];
  if (second === '') return [{ system: implied ? '' : first }];
  return formsOf(parameter, second).map((code) => (implied ? { code } : { system: first, code }));
};

/** A search by values of which none can be there. */
const tokenPredicate = (param: string, any: readonly TokenValue[], not: boolean): Predicate => {
  if (any.length === 0) return not ? { kind: 'not', where: [{ kind: 'never' }] } : { kind: 'never' };
  return { kind: 'token', param, ...(not ? { not: true } : {}), any };
};

const token = (criterion: Criterion, setting: Setting): Predicate => {
  const { parameter, modifier } = criterion;
  const param = parameter.code;
  switch (modifier) {
    case undefined:
    case 'not': {
      const any = valuesIn(criterion).flatMap((value) => tokenValue(criterion, value, setting));
      return tokenPredicate(param, any, modifier === 'not');
    }
    case 'text':
      return { kind: 'text', param, mode: 'starts', any: valuesIn(criterion).map((value) => fold(unescaped(value))) };
    case 'of-type':
      return { kind: 'token', param, any: valuesIn(criterion).map((value) => ofTypeValue(criterion.name, value)) };
    case 'in':
    case 'not-in': {
      const any = valuesIn(criterion).flatMap((value) => memberValues(criterion, unescaped(value), setting));
      return tokenPredicate(param, any, modifier === 'not-in');
    }
    case 'above':
    case 'below':
      return tokenPredicate(
        param,
        valuesIn(criterion).flatMap((value) => relatedValues(criterion, value, modifier, setting)),
        false,
      );
    default:
      throw refuseModifier(criterion);
  }
};

const ofTypeValue = (name: string, text: string): TokenValue => {
  const [system, code, value, ...rest] = splitAt(text, '|').map(unescaped);
  if (!system || !code || !value || rest.length > 0) throw wrongValue(name, `"${text}" is not system|type|value.`);
  return { system: `${system}|${code}`, code: value };
};

const known = (
  { parameter }: Criterion,
  codes: readonly { readonly system: string; readonly code: string }[],
  setting: Setting,
): readonly TokenValue[] => {
  const implied = isImplied(parameter);
  const systems = implied ? impliedSystems(parameter, setting) : undefined;
  return codes
    .filter(({ system }) => systems?.has(system) !== false)
    .flatMap(({ system, code }) => formsOf(parameter, code).map((form) => (implied ? { code: form } : { system, code: form })));
};

const memberValues = (criterion: Criterion, valueSet: string, setting: Setting): readonly TokenValue[] => {
  const codes = setting.terminology.expand(valueSet);
  if (!codes) throw wrongValue(criterion.name, `the codes of the value set ${valueSet} are not known here.`);
  return known(criterion, codes, setting);
};

const relatedValues = (criterion: Criterion, text: string, direction: 'above' | 'below', setting: Setting): readonly TokenValue[] => {
  const [system = '', code = ''] = splitAt(text, '|').map(unescaped);
  if (system === '' || code === '') throw wrongValue(criterion.name, `"${text}" is not system|code.`);
  const codes = setting.terminology.related({ system, code }, direction);
  if (!codes) throw wrongValue(criterion.name, `the hierarchy of ${system} at ${code} is not known here.`);
  return known(criterion, codes, setting);
};

const string = (criterion: Criterion): Predicate => {
  const { parameter, modifier } = criterion;
  const values = valuesIn(criterion).map(unescaped);
  if (modifier === 'exact') return { kind: 'text', param: parameter.code, mode: 'exact', any: values.map(indexedText) };
  if (modifier !== undefined && modifier !== 'contains') throw refuseModifier(criterion);
  return { kind: 'text', param: parameter.code, mode: modifier ?? 'starts', any: values.map(fold) };
};

const isCanonical = ({ elements }: Criterion['parameter']): boolean =>
  elements.length > 0 && elements.every((type) => type === 'canonical');
/** A canonical without a version means any version of it (R4 references.html#canonical). */
const anyVersion = (param: string, urls: readonly string[]): Predicate => ({
  kind: 'text',
  param,
  mode: 'starts',
  any: urls.map((url) => `${url}|`),
});

const uri = (criterion: Criterion): Predicate => {
  const { parameter, modifier } = criterion;
  const param = parameter.code;
  const values = valuesIn(criterion).map(unescaped);
  switch (modifier) {
    case undefined:
      return anyPredicate([
        { kind: 'text', param, mode: 'exact', any: values },
        ...(isCanonical(parameter) ? [anyVersion(param, values)] : []),
      ]);
    case 'below':
      return { kind: 'text', param, mode: 'starts', any: values };
    case 'contains':
      return { kind: 'text', param, mode: 'contains', any: values };
    case 'above':
      return { kind: 'text', param, mode: 'exact', any: values.flatMap(prefixesOf) };
    default:
      throw refuseModifier(criterion);
  }
};

/** The URL with each of its ancestors, by path segments. */
const prefixesOf = (url: string): readonly string[] => {
  const ends = [...url.matchAll(/[/:]/g)].map(({ index }) => index).slice(-30);
  return [url, ...ends.flatMap((end) => [url.slice(0, end), url.slice(0, end + 1)])].filter((prefix) => prefix !== '');
};

const idForm = /^[A-Za-z0-9\-.]{1,64}$/;

/** R4 search.html#modifiers: by the identifier that the reference itself carries. Identifiers are exact. */
export const identifierPredicate = (criterion: Criterion, setting: Setting): Predicate => {
  const parameter = { ...criterion.parameter, elements: ['Identifier'] };
  const any = valuesIn(criterion).flatMap((value) => tokenValue({ ...criterion, parameter }, value, setting));
  return { kind: 'token', param: parameter.code, any, identifying: true };
};

/** The resources that a reference value names; a URL of another server or a canonical names none. */
export const targetsOf = ({ name, parameter, modifier }: Criterion, text: string, { baseUrl, types }: Setting): readonly Key[] => {
  const literal = readReference(text, baseUrl);
  if (literal) return modifier === undefined || modifier === literal.type ? [{ type: literal.type, id: literal.id }] : [];
  if (!idForm.test(text)) return [];
  if (modifier !== undefined) return [{ type: modifier, id: text }];
  const candidates = parameter.targets.length > 0 ? parameter.targets.filter((type) => types.has(type)) : [...types];
  if (candidates.length === 0) throw wrongValue(name, `write the type before the id, as in Patient/${text}.`);
  return candidates.map((type) => ({ type, id: text }));
};

const reference = (criterion: Criterion, setting: Setting): Predicate => {
  const { parameter, modifier } = criterion;
  const param = parameter.code;
  const isUrl = parameter.elements.some((type) => type === 'canonical' || type === 'uri');
  if (isUrl && (modifier === 'above' || modifier === 'below')) return uri(criterion);
  if (modifier === 'above' || modifier === 'below') return { kind: 'reference', param, any: relatives(criterion, modifier, setting) };
  if (modifier !== undefined && !setting.types.has(modifier)) throw refuseModifier(criterion);
  const values = valuesIn(criterion).map(unescaped);
  const any = values.flatMap((value) => targetsOf(criterion, value, setting));
  const urls = values.filter((value) => isUrl || (!readReference(value, setting.baseUrl) && !idForm.test(value)));
  return anyPredicate([
    ...(any.length === 0 ? [] : [{ kind: 'reference', param, any } as const]),
    ...(urls.length === 0 ? [] : [{ kind: 'text', param, mode: 'exact', any: urls } as const]),
    ...(isUrl ? [anyVersion(param, urls)] : []),
  ]);
};

/** What a value of a hierarchy names, with what it is part of or what is part of it. */
const relatives = (criterion: Criterion, direction: 'above' | 'below', setting: Setting): readonly Key[] => {
  const { name, parameter } = criterion;
  const types = parameter.targets.filter((type) => hierarchies.has(type));
  const { kin } = setting;
  if (types.length === 0 || !kin) throw refuseModifier(criterion);
  const named = valuesIn(criterion).flatMap((value) =>
    targetsOf({ ...criterion, modifier: undefined }, unescaped(value), setting).filter(({ type }) => types.includes(type)),
  );
  if (named.length === 0) throw wrongValue(name, `name a ${types.join(' or ')}, as in ${types[0] ?? ''}/1.`);
  return named.flatMap((key) => kin(key, direction));
};

const quantity = (criterion: Criterion): Predicate => {
  const { name, parameter, modifier } = criterion;
  if (modifier !== undefined) throw refuseModifier(criterion);
  const byUnit = new Map<string, Spanned[]>();
  for (const text of valuesIn(criterion)) {
    const [amount = '', system = '', code = '', ...rest] = splitAt(text, '|').map(unescaped);
    if (rest.length > 0 || (system !== '' && code === '')) throw wrongValue(name, `"${text}" is not number|system|code.`);
    const { key, factor } =
      code === '' ? { key: '', factor: Number } : system === '' ? { key: `||${code}`, factor: Number } : exactKey(system, code);
    byUnit.set(key, [...(byUnit.get(key) ?? []), decimalValue(name, amount, factor)]);
  }
  return anyPredicate([...byUnit].map(([key, any]) => ({ kind: 'range', param: `${parameter.code}${key}`, any })));
};

const kilometres: Readonly<Record<string, number>> = { km: 1, m: 0.001, '[mi_i]': 1.609344, '[mi_us]': 1.609347, mi: 1.609344 };
/** of `near` without a distance */
const usualKm = 5;

/** R4 location.html#search: latitude|longitude|distance|unit. */
const near = (criterion: Criterion): Predicate => {
  const { name, parameter } = criterion;
  if (parameter.code !== 'near' || criterion.modifier !== undefined)
    throw failure('invalid', 'not-supported', `${name} cannot be searched.`, { expression: [name] });
  const any = valuesIn(criterion).map((text) => {
    const [latitude = '', longitude = '', distance = String(usualKm), unit = 'km', ...rest] = splitAt(text, '|').map(unescaped);
    const factor = kilometres[unit === '' ? 'km' : unit];
    const [lat, lon, far] = [latitude, longitude, distance === '' ? String(usualKm) : distance].map((part) => readDecimal(part)?.value);
    if (lat === undefined || lon === undefined || far === undefined || factor === undefined || rest.length > 0)
      throw wrongValue(name, `"${text}" is not latitude|longitude|distance|unit, with a unit of ${Object.keys(kilometres).join(', ')}.`);
    if (Math.abs(lat) > 90 || Math.abs(lon) > 180 || far < 0) throw wrongValue(name, `"${text}" is no place on earth.`);
    return { latitude: lat, longitude: lon, km: far * factor };
  });
  return { kind: 'near', param: parameter.code, any };
};

/** One search criterion as the store's condition (R4 search.html#ptypes and #modifiers); composites are read elsewhere. */
export const predicateOf = (criterion: Criterion, setting: Setting): Predicate => {
  const { name, parameter, modifier } = criterion;
  if (modifier === 'missing') {
    if (criterion.value !== 'true' && criterion.value !== 'false') throw wrongValue(name, ':missing takes true or false.');
    return { kind: 'missing', param: parameter.code, missing: criterion.value === 'true' };
  }
  switch (parameter.type) {
    case 'token':
      return token(criterion, setting);
    case 'string':
      return string(criterion);
    case 'uri':
      return uri(criterion);
    case 'reference':
      return reference(criterion, setting);
    case 'quantity':
      return quantity(criterion);
    case 'special':
      return near(criterion);
    case 'number':
    case 'date': {
      if (modifier !== undefined) throw refuseModifier(criterion);
      const read = (value: string): Spanned => (parameter.type === 'date' ? dateValue(name, value, setting) : decimalValue(name, value));
      return { kind: 'range', param: parameter.code, any: valuesIn(criterion).map(read) };
    }
    case 'composite':
      throw new Error('a composite is read by its components');
  }
};
