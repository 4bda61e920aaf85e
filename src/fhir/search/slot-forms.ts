import type { Include } from './reader.js';

/** The parameters of e-RS A015 and BaRS for slots, as R4 writes them. */
export const slotName = (name: string): string =>
  name === 'appointmentType' ? 'appointment-type' : name.replace(/^Schedule\.(?=actor\b)/, 'schedule.');

/** BaRS includes what a service is provided by under the name of the element; R4's parameter is `organization`. */
export const slotInclude = (value: string): string => value.replace(/^HealthcareService:providedBy\b/, 'HealthcareService:organization');

const schedules: Include = { type: 'Slot', param: 'schedule', target: undefined, iterate: true };

/** e-RS A015, told by its numbered pages, answers the diaries of the slots whether they are asked for or not. */
export const slotIncludes = (includes: readonly Include[], page: number | undefined): readonly Include[] =>
  page === undefined || includes.some(({ type, param }) => type === 'Slot' && param === 'schedule') ? includes : [...includes, schedules];
