import { parse as losslessParse, stringify as losslessStringify, LosslessNumber } from 'lossless-json';
import { failure } from './outcome.js';

/**
 * R4 json.html#primitive: the precision of a decimal is significant, so 1.50 must stay 1.50. Text with such a number (a trailing
 * zero after the point, an exponent, more than 15 digits) takes the lossless parser; all other text takes the native one.
 */
const risky = /[:[,]\s*-?(?:\d+\.\d*0(?!\d)|\d+(?:\.\d+)?[eE]|[\d.]{16,}|0\.0\d*|\d+\.0*(?![\d]))/;

const exact = (text: string): number | LosslessNumber => (String(Number(text)) === text ? Number(text) : new LosslessNumber(text));

/** Parses a JSON body; throws a Failure `invalid`/`structure` that says what is wrong. */
export const parseJson = (text: string): unknown => {
  try {
    return risky.test(text) ? losslessParse(text, null, exact) : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof RangeError) throw failure('too-costly', 'too-costly', 'The body is nested too deep.');
    throw failure('invalid', 'structure', 'The body is not valid JSON.', {
      diagnostics: error instanceof Error ? error.message.slice(0, 200) : '',
    });
  }
};

/** The text of a resource, decimals as they were read. */
export const stringifyJson = (value: unknown, indent?: number): string => losslessStringify(value, null, indent) ?? 'null';
