import { createHash } from 'node:crypto';
import type { Caller } from '../../access/caller.js';
import type { Claim } from '../../store/port.js';

type Asker = Pick<Caller, 'user' | 'organisation'>;
type FindClaim = (kind: Claim['kind'], key: string) => Promise<Claim | undefined>;

/** How long who found a patient may refer him, and how long a miss counts. */
const heldMs = 3_600_000;
/** birth dates that one user may try with one NHS number in that time */
export const triesAllowed = 5;

const askerOf = ({ user, organisation }: Asker): string => `${organisation ?? ''}|${user ?? ''}`;
/** a name of fixed length that holds no NHS number */
const keyOf = (...parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
const foundKey = (caller: Asker, patientId: string): string => keyOf('found', askerOf(caller), patientId);
const tryKey = (caller: Asker, number: string, n: number): string => keyOf('try', askerOf(caller), number, String(n));

const isLive = (claim: Claim | undefined, now: number): claim is Claim => claim !== undefined && (claim.expires ?? 0) > now;

/**
 * What a find leaves: that this user, for this organisation, knew NHS number and birth date of the patient, and may refer him for an hour. It
 * opens nothing to read.
 *
 * @param now epoch ms
 */
export const foundClaim = (caller: Asker, patientId: string, now: number): Claim => ({
  kind: 'found',
  key: foundKey(caller, patientId),
  owner: 'found',
  expires: now + heldMs,
});

/** Whether the caller found the patient within the hour. `now`: epoch ms. */
export const wasFound = async (find: FindClaim, caller: Asker, patientId: string, now: number): Promise<boolean> =>
  caller.user !== undefined && isLive(await find('found', foundKey(caller, patientId)), now);

/** One of the tries of a caller with an NHS number, each under a key of its own: of guesses that come at once each gets another. */
export const tryClaim = (caller: Asker, number: string, n: number, id: string, now: number): Claim => ({
  kind: 'found',
  key: tryKey(caller, number, n),
  owner: id,
  expires: now + heldMs,
});

/** The tries of a caller with an NHS number that still count. */
export const spentTries = async (find: FindClaim, caller: Asker, number: string, now: number): Promise<readonly Claim[]> => {
  const rows = await Promise.all(Array.from({ length: triesAllowed }, (_, n) => find('found', tryKey(caller, number, n))));
  return rows.filter((row): row is Claim => isLive(row, now));
};
