import type { Span } from './dates.js';

const form = /^[+-]?(?:\d+(?:\.(\d+))?|\.(\d+))(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * The span of a decimal by its significant digits (R4 search.html#number): 100 stands for [99.5, 100.5), 1e2 for [50, 150).
 * Undefined for text that is no decimal.
 */
export const readDecimal = (text: string): (Span & { readonly value: number }) | undefined => {
  const match = form.exec(text);
  if (!match) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const decimals = (match[1] ?? match[2] ?? '').length;
  const half = 0.5 * 10 ** (Number(match[3] ?? 0) - decimals);
  return { value, low: value - half, high: value + half };
};
