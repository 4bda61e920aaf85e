import type { Appointment, ServiceRequest } from 'fhir/r4.js';
import type { Resource } from '../fhir/resource.js';
import { readReference } from '../fhir/references.js';
import type { Claim } from '../store/port.js';
import { kindOf, ubrnOf } from './referral/referral.js';

const live = new Set(['proposed', 'pending', 'booked', 'arrived', 'fulfilled', 'checked-in']);

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
  if (!live.has(appointment.status)) return [];
  const keys = (references: readonly { reference?: string | undefined }[] | undefined, type: string) =>
    (references ?? []).flatMap(({ reference }) => readReference(reference ?? '', '') ?? []).filter((key) => key.type === type);
  return [
    ...keys(appointment.slot, 'Slot').map(({ id }): Claim => ({ kind: 'slot', key: id, owner })),
    ...keys(appointment.basedOn, 'ServiceRequest').map(({ id }): Claim => ({ kind: 'current-booking', key: id, owner })),
  ];
};
