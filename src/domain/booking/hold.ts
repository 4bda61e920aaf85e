import type { Slot } from 'fhir/r4.js';
import type { Caller } from '../../access/caller.js';
import type { Claim } from '../../store/port.js';
import { changed, type Decision, type Facts, type Found } from '../command.js';
import { refusal } from '../refusal.js';

export const holdMs = 10 * 60_000;

/** A hold's owner: who holds, and whether it was renewed (`#2`). */
export type Hold = { readonly holder: string; readonly round: 1 | 2; readonly expires: number };

/** Who holds, as a claim names him: the user at his organisation, the patient, or the client. */
export const holderOf = ({ kind, clientId, user, organisation, patient }: Caller): string =>
  [kind, patient ?? user ?? clientId, organisation].filter((part) => part !== undefined).join(':');

const claimOf = (slot: string, { holder, round, expires }: Hold): Claim => ({
  kind: 'hold',
  key: slot,
  owner: `${holder}#${String(round)}`,
  expires,
});

/** The live hold on a slot: one whose time is over counts for nothing. `now`: ISO 8601. */
export const findHold = async (facts: Facts, slot: string, now: string): Promise<Hold | undefined> => {
  const claim = await facts.findClaim('hold', slot);
  if (!claim || (claim.expires ?? 0) <= Date.parse(now)) return undefined;
  const mark = claim.owner.lastIndexOf('#');
  return { holder: claim.owner.slice(0, mark), round: claim.owner.endsWith('#2') ? 2 : 1, expires: claim.expires ?? 0 };
};

/** What gives a hold back in the Unit that books or releases the slot. */
export const releaseOf = (slot: string, hold: Hold | undefined): readonly Claim[] => (hold === undefined ? [] : [claimOf(slot, hold)]);

const taken = (text: string) => refusal('conflict', 'conflict', 'SLOT_NOT_AVAILABLE', text, 'Slot.status');

/**
 * Keeps a free slot for ten minutes while a patient decides: busy-tentative, and a claim that expires. The holder may renew it once.
 * Others read 409 SLOT_NOT_AVAILABLE.
 */
export const decideHold = (found: Found, hold: Hold | undefined, caller: Caller, now: string): Decision => {
  const slot = found.resource as unknown as Slot;
  const holder = holderOf(caller);
  const lapsed = slot.status === 'busy-tentative' && hold === undefined;
  const mine = slot.status === 'busy-tentative' && hold !== undefined && hold.holder === holder;
  if (slot.status !== 'free' && !lapsed && !mine) throw taken('The slot is not free.');
  if (mine && hold.round === 2) throw taken('The slot was held twice: book it or release it.');
  const next: Hold = { holder, round: mine ? 2 : 1, expires: Date.parse(now) + holdMs };
  return {
    drafts: [changed(found, { ...slot, status: 'busy-tentative' })],
    claims: [claimOf(found.id, next)],
    releases: mine ? releaseOf(found.id, hold) : [],
    result: found,
  };
};

/** Gives a held slot back before its time. */
export const decideRelease = (found: Found, hold: Hold | undefined, caller: Caller): Decision => {
  if (hold?.holder !== holderOf(caller) && caller.kind !== 'system')
    throw refusal('business-rule', 'business-rule', 'INVALID_STATE', 'The slot is not held by the caller.', 'Slot.status');
  return {
    drafts: [changed(found, { ...found.resource, status: 'free' })],
    releases: releaseOf(found.id, hold),
    result: found,
  };
};

/** A slot whose hold ran out, free again; undefined when there is nothing to do. */
export const decideLapse = (found: Found, hold: Hold | undefined): Decision | undefined =>
  (found.resource as unknown as Slot).status === 'busy-tentative' && hold === undefined
    ? { drafts: [changed(found, { ...found.resource, status: 'free' })], result: found }
    : undefined;
