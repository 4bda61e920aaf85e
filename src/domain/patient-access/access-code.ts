import type { Claim } from '../../store/port.js';

/** Letters that are not taken for digits or for each other when read from paper. */
const alphabet = 'BCDFGHJKLMNPQRST';
const length = 12;
export const triesAllowed = 5;

/** Twelve letters of a random UUID's hexadecimal digits: 48 bits, too many to guess in five tries. */
export const newAccessCode = (newId: () => string): string => {
  // a version 4 UUID fixes the 13th digit and part of the 17th: the first twelve are random
  const digits = newId()
    .replace(/[^0-9a-f]/gi, '')
    .slice(0, length);
  return digits.replace(/./g, (digit) => alphabet[Number.parseInt(digit, 16)] ?? '');
};

const codeKey = (ubrn: string): string => `access-code|${ubrn}`;
const tryKey = (ubrn: string, n: number): string => `access-failure|${ubrn}|${String(n)}`;

/** The access code is kept beside the referral, never in it: no read, search, history or export shows it, only the patient's letter. */
export const accessCodeClaim = (ubrn: string, code: string): Claim => ({ kind: 'identifier', key: codeKey(ubrn), owner: code });

export type FindClaim = (kind: Claim['kind'], key: string) => Promise<Claim | undefined>;

export const findAccessCode = async (find: FindClaim, ubrn: string): Promise<string | undefined> =>
  (await find('identifier', codeKey(ubrn)))?.owner;

/** The claim rows of the tries that were spent, at most as many as lock the code. */
export const spentTries = async (find: FindClaim, ubrn: string): Promise<readonly Claim[]> => {
  const rows = await Promise.all(Array.from({ length: triesAllowed }, (_, n) => find('identifier', tryKey(ubrn, n))));
  return rows.flatMap((row) => row ?? []);
};

/** One of the tries of a code as a claim, each under a key of its own. */
export const tryClaim = (ubrn: string, n: number, id: string): Claim => ({ kind: 'identifier', key: tryKey(ubrn, n), owner: id });
