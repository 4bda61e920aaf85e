import type { Coding, Slot } from 'fhir/r4.js';
import { bankHolidays } from '../domain/calendar/bank-holidays.js';
import { priorityCoding, treatmentFunction, type Priority, ukCoreExtension, ukCoreSystem } from './codings.js';
import { instantOf, localText, weekdayOf } from './local-time.js';
import type { Service } from './world.js';

/** A place in a diary: epoch ms, half-open. `priority`: whom the clinic keeps it for. */
export type Opening = { readonly service: Service; readonly start: number; readonly end: number; readonly priority: Priority };

/** Each session keeps its second opening for the urgent and its third for suspected cancer. */
const priorityOf = (n: number): Priority => (n === 1 ? 'URGENT' : n === 2 ? 'TWO_WEEK_WAIT' : 'ROUTINE');

/** A015 asks by e-RS's priorities; HL7's own table, which UK Core prefers, has a code for the first of them alone. */
const appointmentTypes: Readonly<Record<Priority, Coding>> = {
  ROUTINE: {
    system: 'http://terminology.hl7.org/CodeSystem/v2-0276',
    code: 'ROUTINE',
    display: 'Routine appointment - default if not valued',
  },
  URGENT: priorityCoding('URGENT'),
  TWO_WEEK_WAIT: priorityCoding('TWO_WEEK_WAIT'),
};

/**
 * The openings of a service's diary on a calendar day of its zone, by the clock on the wall: 9:00 is 9:00 in winter and in summer.
 * None on the days without a session and on bank holidays.
 */
export const openingsOn = (
  service: Service,
  day: string,
  timeZone: string,
  holidays: ReadonlySet<string> = bankHolidays,
): readonly Opening[] => {
  if (service.binding !== 'DIRECTLY_BOOKABLE' || holidays.has(day)) return [];
  const weekday = weekdayOf(day);
  return service.sessions
    .filter((session) => session.weekday === weekday)
    .flatMap(({ from, until }) => {
      const count = Math.floor((until - from) / service.slotMinutes);
      return Array.from({ length: count }, (_, n) => ({
        service,
        start: instantOf(day, from + n * service.slotMinutes, timeZone),
        end: instantOf(day, from + (n + 1) * service.slotMinutes, timeZone),
        priority: priorityOf(n),
      }));
    });
};

const stamp = (instant: number): string => new Date(instant).toISOString().slice(0, 16).replace(/[-:]/g, '');

/** One id per diary and start, so that a later start of the server knows the openings that it has already. */
export const slotId = ({ service, start }: Opening): string => `${service.id}-${stamp(start)}Z`;

export const slot = (opening: Opening, status: 'free' | 'busy', timeZone: string): Slot => ({
  resourceType: 'Slot',
  id: slotId(opening),
  extension: [
    {
      url: ukCoreExtension('DeliveryChannel'),
      valueCodeableConcept: { coding: [{ system: ukCoreSystem('DeliveryChannel'), code: 'In-person', display: 'In-person' }] },
    },
  ],
  identifier: [{ system: 'https://fhir.nhs.uk/Id/unique-slot-reference-number', value: `USRN-${slotId(opening)}` }],
  specialty: [treatmentFunction(opening.service.specialty)],
  appointmentType: { coding: [appointmentTypes[opening.priority]] },
  schedule: { reference: `Schedule/${opening.service.id}` },
  status,
  start: localText(opening.start, timeZone),
  end: localText(opening.end, timeZone),
});
