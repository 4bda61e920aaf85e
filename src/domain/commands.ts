import type { Appointment, DocumentReference, Schedule, ServiceRequest, Slot } from 'fhir/r4.js';
import type { Resource } from '../fhir/resource.js';
import { bookOrDefer } from './booking/book.js';
import { changeAppointment } from './booking/change.js';
import { checkScheduleInUse } from './booking/schedule-in-use.js';
import { checkSlotInUse } from './booking/slot-in-use.js';
import { publishSlot } from './booking/slot-number.js';
import type { Decision, Found } from './command.js';
import { plainReferral } from './referral/plain-referral.js';
import { checkDocumentChange, plainDocument } from './documents/plain-document.js';
import type { Situation } from './situation.js';

export type { Situation } from './situation.js';

/** Gathers and decides one create; the resource has been validated. Throws a Failure to refuse. */
export type CreateCommand = (situation: Situation, wanted: Resource) => Promise<Decision>;
/** Gathers and decides one change of `current`; `wanted` has been validated and carries the id of `current`. */
export type UpdateCommand = (situation: Situation, current: Found, wanted: Resource) => Promise<Decision>;

/** The commands that a row of the resource registry may name for its creates. */
export const createCommands = {
  'create-referral': (situation, wanted) => plainReferral(situation, wanted as unknown as ServiceRequest),
  'attach-document': (situation, wanted) => plainDocument(situation, wanted as unknown as DocumentReference),
  'publish-slot': (situation, wanted) => publishSlot(situation, wanted as unknown as Slot),
  'book-appointment': (situation, wanted) => bookOrDefer(situation, wanted as unknown as Appointment),
} as const satisfies Readonly<Record<string, CreateCommand>>;

/** The commands that a row of the resource registry may name for its updates. */
export const updateCommands = {
  'change-appointment': (situation, current, wanted) => changeAppointment(situation, current, wanted as unknown as Appointment),
} as const satisfies Readonly<Record<string, UpdateCommand>>;

/** Throws what forbids a plain change of `current`. */
export type UpdateCheck = (situation: Situation, current: Found, wanted: Resource) => Promise<void>;

/** The checks that a row of the resource registry may name for its updates, which are plain writes otherwise. */
export const updateChecks = {
  'attached-document': (situation, current, wanted) => checkDocumentChange(situation, current, wanted as unknown as DocumentReference),
  'schedule-in-use': (situation, current, wanted) => checkScheduleInUse(situation, current, wanted as unknown as Schedule),
  'slot-in-use': (situation, current, wanted) => checkSlotInUse(situation, current, wanted as unknown as Slot),
} as const satisfies Readonly<Record<string, UpdateCheck>>;

export type UpdateCheckName = keyof typeof updateChecks;
export type CreateCommandName = keyof typeof createCommands;
export type UpdateCommandName = keyof typeof updateCommands;
