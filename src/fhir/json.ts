import { parse as losslessParse, stringify as losslessStringify, LosslessNumber } from 'lossless-json';
import { failure } from './outcome.js';

/**
 * R4 json.html#primitive: the precision of a decimal is significant, so 1.50 must stay 1.50. Text with such a number (a trailing
 * zero after the point, an exponent, more than 15 digits) takes the lossless parser; all other text takes the native one. What follows a
 * number tells it from the seconds of a time.
 */
const risky = /[:[,]\s*-?(?:\d+\.\d*0|\d+(?:\.\d+)?[eE][-+]?\d+|[\d.]{16,}|0\.0\d*|\d+\.0*)(?=[\s,}\]]|$)/;

const exact = (text: string): number | LosslessNumber => (String(Number(text)) === text ? Number(text) : new LosslessNumber(text));

const tooDeep = () => failure('too-costly', 'too-costly', 'The body is nested too deep.');

/** Parses a JSON body; throws a Failure `invalid`/`structure` that says what is wrong. */
export const parseJson = (text: string): unknown => {
  try {
    return risky.test(text) ? losslessParse(text, null, exact) : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    throw failure('invalid', 'structure', 'The body is not valid JSON.', {
      diagnostics: error instanceof Error ? error.message.slice(0, 200) : '',
    });
  }
};

/** How many names of members a JSON text has: strings with a colon behind them. */
const namesIn = (text: string): number => {
  let names = 0;
  for (let start = text.indexOf('"'); start >= 0;) {
    let end = text.indexOf('"', start + 1);
    while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) return names;
    let next = end + 1;
    while (text.charCodeAt(next) <= 0x20) next++;
    if (text[next] === ':') names++;
    start = text.indexOf('"', next);
  }
  return names;
};

const isEscaped = (text: string, at: number): boolean => {
  let first = at;
  while (text[first - 1] === '\\') first--;
  return (at - first) % 2 === 1;
};

const membersOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null || value instanceof LosslessNumber) return 0;
  let members = 0;
  if (Array.isArray(value)) for (const inner of value) members += membersOf(inner);
  else for (const name in value) members += 1 + membersOf((value as Readonly<Record<string, unknown>>)[name]);
  return members;
};

/**
 * As `parseJson`, for what a client sends. R4 json.html: names are unique within an object; the parsers would keep the last of two values and
 * say nothing of the first. Looking for that costs a third of
 * parsing.
 */
export const parseSentJson = (text: string): unknown => {
  const value = parseJson(text);
  try {
    if (namesIn(text) !== membersOf(value)) refuseRepeated(text);
  } catch (error) {
    // the native parser goes deeper than what follows it
    throw error instanceof RangeError ? tooDeep() : error;
  }
  return value;
};

const refuseRepeated = (text: string): never => {
  losslessParse(text, null, {
    onDuplicateKey: ({ key }) => {
      throw failure('invalid', 'structure', `The body has two members '${key.slice(0, 100)}' in one object.`);
    },
  });
  // which of two equal ones the parser does not tell
  throw failure('invalid', 'structure', 'The body has a member twice in one object.');
};

// how the native writer shows a LosslessNumber; in a text the quotes would be escaped
const lossless = /"isLosslessNumber":\s?true/;

/** The text of a resource, decimals as they were read. What has no such decimal takes the native writer, five times as fast. */
export const stringifyJson = (value: unknown, indent?: number): string => {
  const text = JSON.stringify(value, null, indent) as string | undefined;
  return text === undefined || lossless.test(text) ? (losslessStringify(value, null, indent) ?? 'null') : text;
};
