import type { Predicate, Prefix } from '../../store/port.js';
import { failure, type Failure } from '../outcome.js';
import { readReference } from '../references.js';
import type { Key } from '../resource.js';
import { readDate } from './dates.js';
import { splitAt, unescaped } from './escaping.js';
import { readDecimal } from './numbers.js';
import type { SearchParameter } from './parameters.js';
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
};

export type Criterion = {
  /** as the client wrote it, for messages */
  readonly name: string;
  readonly parameter: SearchParameter;
  readonly modifier: string | undefined;
  readonly value: string;
};

export const wrongValue = (name: string, text: string): Failure => failure('invalid', 'value', `${name}: ${text}`, { expression: [name] });

const refuseModifier = ({ name, parameter, modifier }: Criterion): Failure =>
  failure('invalid', 'not-supported', `${name}: a ${parameter.type} parameter has no modifier :${modifier ?? ''}.`, { expression: [name] });

const prefixes: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']);

const readPrefix = (text: string): { readonly prefix: Prefix | 'ap'; readonly rest: string } => {
  const prefix = text.slice(0, 2);
  return prefixes.has(prefix) ? { prefix: prefix as Prefix | 'ap', rest: text.slice(2) } : { prefix: 'eq', rest: text };
};

type Spanned = { readonly prefix: Prefix; readonly low: number; readonly high: number };

export const dateValue = (name: string, text: string, { timeZone, now }: Setting): Spanned => {
  const { prefix, rest } = readPrefix(text);
  // a plus that was not encoded arrives as a space; no date has a space of its own
  const span = readDate(rest.replace(' ', '+'), timeZone);
  if (!span) throw wrongValue(name, `"${text}" is no date; write 2027-01-04 or 2027-01-04T09:00:00Z, with a prefix such as ge before it.`);
  if (prefix !== 'ap') return { prefix, ...span };
  // R4 search.html#prefix: ap is within a tenth of the time between now and the value
  const margin = Math.abs(now - (span.low + span.high) / 2) / 10;
  return { prefix: 'eq', low: span.low - margin, high: span.high + margin };
};

/** `eq` and `ne` mean the implied range of the digits, the other prefixes the number itself (R4 search.html#number). */
const decimalValue = (name: string, text: string): Spanned => {
  const { prefix, rest } = readPrefix(text);
  const decimal = readDecimal(rest);
  if (!decimal) throw wrongValue(name, `"${text}" is no number.`);
  if (prefix === 'ap') {
    const margin = Math.max(Math.abs(decimal.value) / 10, decimal.high - decimal.value);
    return { prefix: 'eq', low: decimal.value - margin, high: decimal.value + margin };
  }
  return { prefix, low: decimal.low, high: decimal.high };
};

const valuesIn = ({ name, value }: Criterion): readonly string[] => {
  const values = splitAt(value, ',').filter((part) => part !== '');
  if (values.length === 0) throw wrongValue(name, 'the value is empty.');
  return values;
};

type TokenValue = { readonly system?: string; readonly code?: string };

export const tokenValue = (name: string, text: string): readonly TokenValue[] => {
  const parts = splitAt(text, '|').map(unescaped);
  if (parts.length > 2) throw wrongValue(name, `"${text}" has more than one |; write system|code.`);
  const [first = '', second] = parts;
  if (second === undefined) return codeForms(first).map((code) => ({ code }));
  if (second === '') {
    if (first === '') throw wrongValue(name, 'system or code must stand beside the |.');
    return [{ system: first }];
  }
  return codeForms(second).map((code) => ({ system: first, code }));
};

const token = (criterion: Criterion): Predicate => {
  const { name, parameter, modifier } = criterion;
  const param = parameter.code;
  switch (modifier) {
    case undefined:
    case 'not':
      return {
        kind: 'token',
        param,
        ...(modifier === 'not' ? { not: true } : {}),
        any: valuesIn(criterion).flatMap((value) => tokenValue(name, value)),
      };
    case 'text':
      return { kind: 'text', param, mode: 'starts', any: valuesIn(criterion).map((value) => fold(unescaped(value))) };
    case 'of-type':
      return { kind: 'token', param, any: valuesIn(criterion).map((value) => ofTypeValue(name, value)) };
    default:
      throw refuseModifier(criterion);
  }
};

const ofTypeValue = (name: string, text: string): TokenValue => {
  const [system, code, value, ...rest] = splitAt(text, '|').map(unescaped);
  if (!system || !code || !value || rest.length > 0) throw wrongValue(name, `"${text}" is not system|type|value.`);
  return { system: `${system}|${code}`, code: value };
};

const string = (criterion: Criterion): Predicate => {
  const { parameter, modifier } = criterion;
  const values = valuesIn(criterion).map(unescaped);
  if (modifier === 'exact') return { kind: 'text', param: parameter.code, mode: 'exact', any: values.map(indexedText) };
  if (modifier !== undefined && modifier !== 'contains') throw refuseModifier(criterion);
  return { kind: 'text', param: parameter.code, mode: modifier ?? 'starts', any: values.map(fold) };
};

const uri = (criterion: Criterion): Predicate => {
  const { parameter, modifier } = criterion;
  if (modifier !== undefined) throw refuseModifier(criterion);
  return { kind: 'text', param: parameter.code, mode: 'exact', any: valuesIn(criterion).map(unescaped) };
};

const idForm = /^[A-Za-z0-9\-.]{1,64}$/;

const targetsOf = ({ name, parameter, modifier }: Criterion, text: string, { baseUrl, types }: Setting): readonly Key[] => {
  const literal = readReference(text, baseUrl);
  if (literal) return [{ type: literal.type, id: literal.id }];
  if (!idForm.test(text)) return [];
  if (modifier !== undefined) return [{ type: modifier, id: text }];
  const candidates = parameter.targets.length > 0 ? parameter.targets.filter((type) => types.has(type)) : [...types];
  if (candidates.length === 0) throw wrongValue(name, `write the type before the id, as in Patient/${text}.`);
  return candidates.map((type) => ({ type, id: text }));
};

const reference = (criterion: Criterion, setting: Setting): Predicate => {
  const { name, parameter, modifier } = criterion;
  const param = parameter.code;
  if (modifier === 'identifier') return { kind: 'token', param, any: valuesIn(criterion).flatMap((value) => tokenValue(name, value)) };
  if (modifier !== undefined && !setting.types.has(modifier)) throw refuseModifier(criterion);
  const values = valuesIn(criterion).map(unescaped);
  const any = values.flatMap((value) => targetsOf(criterion, value, setting));
  return any.length === 0 ? { kind: 'never' } : { kind: 'reference', param, any };
};

const quantity = (criterion: Criterion): Predicate => {
  const { name, parameter, modifier } = criterion;
  if (modifier !== undefined) throw refuseModifier(criterion);
  const any = valuesIn(criterion).map((text) => {
    const [amount = '', system = '', code, ...rest] = splitAt(text, '|').map(unescaped);
    if (rest.length > 0 || (system !== '' && !code)) throw wrongValue(name, `"${text}" is not number|system|code.`);
    const value = decimalValue(name, amount);
    if (!code) return { key: '', value };
    if (system === '') return { key: `||${code}`, value };
    const { key, factor } = exactKey(system, code);
    return { key, value: { prefix: value.prefix, low: factor(value.low), high: factor(value.high) } };
  });
  const [first] = any;
  if (!first || any.some(({ key }) => key !== first.key)) throw wrongValue(name, 'alternatives must have the same unit.');
  return { kind: 'range', param: `${parameter.code}${first.key}`, any: any.map(({ value }) => value) };
};

/** One search criterion as the store's condition (R4 search.html#ptypes and #modifiers). */
export const predicateOf = (criterion: Criterion, setting: Setting): Predicate => {
  const { name, parameter, modifier } = criterion;
  if (modifier === 'missing') {
    if (criterion.value !== 'true' && criterion.value !== 'false') throw wrongValue(name, ':missing takes true or false.');
    return { kind: 'missing', param: parameter.code, missing: criterion.value === 'true' };
  }
  switch (parameter.type) {
    case 'token':
      return token(criterion);
    case 'string':
      return string(criterion);
    case 'uri':
      return uri(criterion);
    case 'reference':
      return reference(criterion, setting);
    case 'quantity':
      return quantity(criterion);
    case 'number':
    case 'date': {
      if (modifier !== undefined) throw refuseModifier(criterion);
      const read = parameter.type === 'date' ? dateValue : decimalValue;
      return { kind: 'range', param: parameter.code, any: valuesIn(criterion).map((value) => read(name, value, setting)) };
    }
    default:
      throw failure('invalid', 'not-supported', `${name} cannot be searched.`, { expression: [name] });
  }
};
