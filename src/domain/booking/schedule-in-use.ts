import type { Schedule } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Predicate } from '../../store/port.js';
import { currentStatuses } from '../claims.js';
import type { Found } from '../command.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';
import { findHolds } from './hold.js';

/** holds that a diary is looked through for, at the most: one holder has ten */
const holdsAtMost = 1_000;

const servicesOf = ({ actor }: Schedule, baseUrl: string): string =>
  actor
    .flatMap(({ reference = '' }) => readReference(reference, baseUrl) ?? [])
    .flatMap(({ type, id }) => (type === 'HealthcareService' ? [id] : []))
    .sort()
    .join();

const statusIn = (codes: readonly string[]): Predicate => ({ kind: 'token', param: 'status', any: codes.map((code) => ({ code })) });

const isHeld = async ({ facts, now }: Situation, inDiary: Predicate): Promise<boolean> => {
  const tentative = { type: 'Slot', where: [inDiary, statusIn(['busy-tentative'])], count: holdsAtMost };
  for (const { id } of await facts.search(tentative, 'all')) if ((await findHolds(facts, id, now)).live !== undefined) return true;
  return false;
};

/** What a provider may not change of its own diary: the service that it is of, while an appointment or a hold has a slot of it. */
export const checkScheduleInUse = async (situation: Situation, current: Found, wanted: Schedule): Promise<void> => {
  const { facts, baseUrl } = situation;
  if (servicesOf(wanted, baseUrl) === servicesOf(current.resource as unknown as Schedule, baseUrl)) return;
  const inDiary: Predicate = { kind: 'reference', param: 'schedule', any: [{ type: 'Schedule', id: current.id }] };
  const inItsSlots: Predicate = { kind: 'chain', param: 'slot', type: 'Slot', where: [inDiary] };
  const booked = { type: 'Appointment', where: [inItsSlots, statusIn([...currentStatuses])], count: 1 };
  if ((await facts.search(booked, 'all')).length > 0)
    throw refusal(
      'business-rule',
      'business-rule',
      'INVALID_STATE',
      'Appointments have slots of the diary: it stays with its service until they are over, cancelled or moved.',
      'Schedule.actor',
    );
  if (await isHeld(situation, inDiary))
    throw refusal('conflict', 'conflict', 'SLOT_NOT_AVAILABLE', 'Somebody holds a slot of the diary.', 'Schedule.actor');
};
