/**
 * Numbers that look random and are the same for the same keys. Each record draws from a source of its own, so that the record number
 * n of a kind does not depend on how many others were made before it.
 */
export type Random = {
  /** 0 <= x < 1 */
  readonly next: () => number;
  /** a whole number, 0 <= n < limit */
  readonly below: (limit: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
  /** an id in the form of a random UUID (RFC 9562, version 4) */
  readonly uuid: () => string;
};

/** Spreads the bits of two whole numbers over 32 (the finalizer of MurmurHash3). */
const mix = (a: number, b: number): number => {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const byteOf = (word: number, at: number): string => hex[(word >>> (at * 8)) & 0xff] ?? '';

/** The source for the keys, e.g. a seed, the kind of record and its number. The generator is sfc32. */
export const randomOf = (...keys: readonly number[]): Random => {
  const state = keys.reduce(mix, 0x1b873593);
  let [a, b, c, d] = [mix(state, 1), mix(state, 2), mix(state, 3), 1];
  const word = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 8; round++) word();
  const below = (limit: number): number => Math.floor((word() / 2 ** 32) * limit);
  return {
    next: () => word() / 2 ** 32,
    below,
    pick: <T>(list: readonly T[]): T => {
      const chosen = list[below(list.length)];
      if (chosen === undefined) throw new Error('nothing to pick from');
      return chosen;
    },
    uuid: () => {
      const [w, x, y, z] = [word(), (word() & 0xff0fffff) | 0x00400000, (word() & 0xffffff3f) | 0x00000080, word()];
      const text = [w, x, y, z].map((value) => [0, 1, 2, 3].map((at) => byteOf(value, at)).join(''));
      const [first = '', second = '', third = '', fourth = ''] = text;
      return `${first}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${fourth}`;
    },
  };
};
