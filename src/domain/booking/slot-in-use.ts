import { isDeepStrictEqual } from 'node:util';
import type { Slot } from 'fhir/r4.js';
import type { Found } from '../command.js';
import { refusal } from '../refusal.js';
import type { Rule } from '../rules/rule.js';
import { refuseBreaches, unless } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { findHolds, isBooked } from './hold.js';
import { refuseOtherNumber } from './slot-number.js';

type GivenSlot = {
  readonly current: Slot;
  readonly wanted: Slot;
  /** whether an appointment has it */
  readonly isBooked: boolean;
};

const time = (text: string): number => Date.parse(text);
const places = ({ start, end, schedule }: Slot): readonly unknown[] => [time(start), time(end), schedule.reference];

const keepsStatus: Rule<GivenSlot> = {
  code: 'INVALID_STATE',
  expression: 'Slot.status',
  evaluate: ({ current, wanted, isBooked }) =>
    unless(!isBooked || wanted.status === current.status, 'An appointment has the slot: it is free again when that is cancelled or moved.'),
};

const keepsPlace: Rule<GivenSlot> = {
  code: 'INVALID_STATE',
  expression: 'Slot.start',
  evaluate: ({ current, wanted, isBooked }) => {
    const before = places(current);
    const same = places(wanted).every((value, index) => value === before[index]);
    return unless(!isBooked || same, 'An appointment has the slot: its time and diary stay until that is cancelled or moved.');
  },
};

/** What a provider may not change of its own slot: what an appointment has, and what somebody holds at this moment. */
export const checkSlotInUse = async ({ facts, now }: Situation, current: Found, wanted: Slot): Promise<void> => {
  await refuseOtherNumber(facts, wanted, current.id);
  const slot = current.resource as unknown as Slot;
  refuseBreaches([keepsStatus, keepsPlace], { current: slot, wanted, isBooked: await isBooked(facts, current.id) });
  const { live } = await findHolds(facts, current.id, now);
  const same = wanted.status === slot.status && isDeepStrictEqual(places(wanted), places(slot));
  if (live !== undefined && slot.status === 'busy-tentative' && !same)
    throw refusal('conflict', 'conflict', 'SLOT_NOT_AVAILABLE', 'Somebody holds the slot: it changes when that is over.', 'Slot.status');
};
