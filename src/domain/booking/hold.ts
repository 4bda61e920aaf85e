import type { Slot } from 'fhir/r4.js';
import type { Caller } from '../../access/caller.js';
import type { Claim } from '../../store/port.js';
import { changed, type Decision, type Facts, type Found } from '../command.js';
import { refusal } from '../refusal.js';

export const holdMs = 10 * 60_000;

/** Who holds a slot, whether he renewed that, and until when (epoch ms). A hold that ran out is `over` once its slot was freed. */
export type Hold = {
  readonly holder: string;
  readonly round: '1' | '2' | 'over';
  /** which of the holds that its holder may have at once */
  readonly place?: number;
  readonly expires: number;
};

/** Slots that one holder keeps at once: who may hold every slot of a clinic keeps others from booking. */
export const holdsAtOnce = 10;

/** Who holds, as a claim names him: the user at his organisation, the patient, or the client. */
export const holderOf = ({ kind, clientId, user, organisation, patient }: Caller): string =>
  [kind, patient ?? user ?? clientId, organisation].filter((part) => part !== undefined).join(':');

const claimOf = (slot: string, { holder, round, place, expires }: Hold): Claim => ({
  kind: 'hold',
  key: slot,
  owner: `${holder}#${round}${place === undefined ? '' : `.${String(place)}`}`,
  expires,
});

const placeKey = (holder: string, place: number): string => `${holder}#${String(place)}`;

/** The hold itself, and the place of its holder that it fills: of holds that come at once each fills another. */
const claimsOf = (slot: string, hold: Hold): readonly Claim[] => [
  claimOf(slot, hold),
  ...(hold.place === undefined
    ? []
    : [{ kind: 'hold' as const, key: placeKey(hold.holder, hold.place), owner: slot, expires: hold.expires }]),
];

/** Where the search for a place begins, so that holds of several slots at once seldom want the same one. */
const firstPlace = (slot: string): number => Array.from(slot).reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);

/** A place that the caller may fill with another hold, of that slot; undefined when he has as many as he may. `now`: ISO 8601. */
export const findPlace = async (facts: Facts, caller: Caller, slot: string, now: string): Promise<number | undefined> => {
  const holder = holderOf(caller);
  for (let n = 0; n < holdsAtOnce; n++) {
    const place = (firstPlace(slot) + n) % holdsAtOnce;
    const claim = await facts.findClaim('hold', placeKey(holder, place));
    if (!claim || (claim.expires ?? 0) <= Date.parse(now)) return place;
  }
  return undefined;
};

/** What is known of the hold on a slot: the live one, or the last one that ran out and that nobody has followed. */
export type Holds = { readonly live: Hold | undefined; readonly ranOut: Hold | undefined };

/** `now`: ISO 8601. A hold whose time is over binds nobody, whether its slot was freed yet or not. */
export const findHolds = async (facts: Facts, slot: string, now: string): Promise<Holds> => {
  const claim = await facts.findClaim('hold', slot);
  if (!claim) return { live: undefined, ranOut: undefined };
  const mark = claim.owner.lastIndexOf('#');
  const [round = '', place] = claim.owner.slice(mark + 1).split('.');
  const hold: Hold = {
    holder: claim.owner.slice(0, mark),
    round: round as Hold['round'],
    ...(place === undefined ? {} : { place: Number(place) }),
    expires: claim.expires ?? 0,
  };
  return hold.expires <= Date.parse(now) ? { live: undefined, ranOut: hold } : { live: hold, ranOut: undefined };
};

/** Whether a slot that looks tentative is so because of a hold that ran out: one that a provider's own system set is its own matter. */
export const hasLapsed = (slot: Pick<Slot, 'status'>, { ranOut }: Holds): boolean =>
  slot.status === 'busy-tentative' && ranOut !== undefined && ranOut.round !== 'over';

/** What gives a hold back in the Unit that books or releases the slot. */
export const releaseOf = (slot: string, hold: Hold | undefined): readonly Claim[] => (hold === undefined ? [] : claimsOf(slot, hold));

const taken = (text: string) => refusal('conflict', 'conflict', 'SLOT_NOT_AVAILABLE', text, 'Slot.status');

/** `now`: ISO 8601. What has begun, or is over, is given to nobody any more. */
export const hasBegun = ({ start }: Pick<Slot, 'start'>, now: string): boolean => Date.parse(start) < Date.parse(now);

/** Whether an appointment has the slot, whatever the slot says: a system client's write may leave it free. */
export const isBooked = async (facts: Facts, slot: string): Promise<boolean> => (await facts.findClaim('slot', slot)) !== undefined;

/** `now`: ISO 8601; `free`: a place that the caller may fill; `booked`: whether an appointment has the slot */
type Asked = { readonly now: string; readonly free: number | undefined; readonly booked: boolean };

/**
 * Keeps a free slot for ten minutes while a patient decides: busy-tentative, and a claim that expires. The holder may renew it once.
 * Others read 409 SLOT_NOT_AVAILABLE.
 */
export const decideHold = (found: Found, holds: Holds, caller: Caller, { now, free, booked }: Asked): Decision => {
  const slot = found.resource as unknown as Slot;
  const { live } = holds;
  const holder = holderOf(caller);
  const mine = slot.status === 'busy-tentative' && live?.holder === holder;
  if (booked || (slot.status !== 'free' && !hasLapsed(slot, holds) && !mine)) throw taken('The slot is not free.');
  if (!mine && hasBegun(slot, now))
    throw refusal('business-rule', 'business-rule', 'INAPPROPRIATE_SLOT', 'The slot has begun, or is over.', 'Slot.start');
  if (mine && live.round === '2') throw taken('The slot was held twice: book it or release it.');
  const place = mine ? live.place : free;
  if (place === undefined && !mine && caller.kind !== 'system')
    throw refusal(
      'business-rule',
      'business-rule',
      'TOO_MANY_ITEMS',
      `At most ${String(holdsAtOnce)} slots are held at once: book or release one of them.`,
      'Slot.status',
    );
  const next: Hold = { holder, round: mine ? '2' : '1', ...(place === undefined ? {} : { place }), expires: Date.parse(now) + holdMs };
  return {
    drafts: [changed(found, { ...slot, status: 'busy-tentative' })],
    claims: claimsOf(found.id, next),
    releases: mine ? releaseOf(found.id, live) : [],
    result: found,
  };
};

/** Gives a held slot back before its time. */
export const decideRelease = (found: Found, { live }: Holds, caller: Caller, booked: boolean): Decision => {
  // a slot that a booking has is given back by the end of the booking alone, whoever asks
  const isHeld = (found.resource as unknown as Slot).status === 'busy-tentative';
  if (!isHeld || (live?.holder !== holderOf(caller) && caller.kind !== 'system'))
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      isHeld ? 'The slot is not held by the caller.' : 'The slot is not held.',
      'Slot.status',
    );
  return {
    drafts: [changed(found, { ...found.resource, status: afterHold(booked) })],
    releases: releaseOf(found.id, live),
    result: found,
  };
};

/** A slot that a system client booked while somebody held it is not free when the hold ends. */
const afterHold = (booked: boolean): Slot['status'] => (booked ? 'busy' : 'free');

/** A slot whose hold ran out, free again, once; undefined when there is nothing to do. Who held it is still known, to be told. */
export const decideLapse = (found: Found, holds: Holds, booked: boolean): Decision | undefined => {
  const { ranOut } = holds;
  if (ranOut === undefined || !hasLapsed(found.resource as unknown as Slot, holds)) return undefined;
  return {
    drafts: [changed(found, { ...found.resource, status: afterHold(booked) })],
    claims: [claimOf(found.id, { holder: ranOut.holder, round: 'over', expires: ranOut.expires })],
    releases: releaseOf(found.id, ranOut),
    result: found,
  };
};
