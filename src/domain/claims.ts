import type { Appointment, ServiceRequest } from 'fhir/r4.js';
import type { Resource } from '../fhir/resource.js';
import { readReference } from '../fhir/references.js';
import type { Claim } from '../store/port.js';
import { kindOf, ubrnOf } from './referral/referral.js';

/** An appointment that is yet to be, or going on: its referral has no other. */
export const currentStatuses: readonly string[] = ['proposed', 'pending', 'booked', 'arrived', 'checked-in'];
const current = new Set(currentStatuses);
/** It has its slot for good, also when the patient did not come: a used slot is given to nobody else. */
const keepsSlot = new Set([...current, 'fulfilled', 'noshow']);

/**
 * What a resource holds for itself alone: a UBRN per kind of request, a slot and the current booking of a referral per live
 * appointment. The store keeps them unique for every kind of client, so that no path can double-book.
 */
export const claimsOf = (resource: Resource): readonly Claim[] => {
  const owner = `${resource.resourceType}/${resource.id ?? ''}`;
  if (resource.resourceType === 'ServiceRequest') {
    const request = resource as unknown as ServiceRequest;
    const ubrn = ubrnOf(request);
    return ubrn === undefined ? [] : [{ kind: 'identifier', key: `UBRN|${kindOf(request)}|${ubrn}`, owner }];
  }
  if (resource.resourceType !== 'Appointment') return [];
  const appointment = resource as unknown as Appointment;
  const keys = (references: readonly { reference?: string | undefined }[] | undefined, type: string) =>
    (references ?? []).flatMap(({ reference }) => readReference(reference ?? '', '') ?? []).filter((key) => key.type === type);
  const slots = keepsSlot.has(appointment.status) ? keys(appointment.slot, 'Slot') : [];
  const referrals = current.has(appointment.status) ? keys(appointment.basedOn, 'ServiceRequest') : [];
  return [
    ...slots.map(({ id }): Claim => ({ kind: 'slot', key: id, owner })),
    ...referrals.map(({ id }): Claim => ({ kind: 'current-booking', key: id, owner })),
  ];
};
