import type { DocumentReference } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { Found } from '../command.js';

export type AttachmentType = 'REFERRER' | 'PROVIDER' | 'ADVICE_REQUEST' | 'GUIDANCE_RESPONSE';

export const attachmentTypeOf = (document: DocumentReference): AttachmentType | undefined =>
  document.type?.coding?.find(({ system }) => system === systems.attachmentType)?.code as AttachmentType | undefined;

const isByPatient = ({ extension = [] }: DocumentReference): boolean =>
  extension.some(({ url, valueReference }) => url === extensions.attachedBy && valueReference?.identifier?.system === systems.nhsNumber);

/** A DocumentReference that names no type is the referrer's, as system clients write none, unless the patient attached it. */
export const isOfType = (type: AttachmentType, { resource }: Pick<Found, 'resource'>): boolean => {
  const document = resource as unknown as DocumentReference;
  return (attachmentTypeOf(document) ?? (isByPatient(document) ? undefined : 'REFERRER')) === type;
};

/** When the last of some documents changed, ISO 8601; undefined without one. */
export const lastChangeOf = (documents: readonly Pick<Found, 'resource'>[]): string | undefined =>
  documents
    .map(({ resource }) => resource.meta?.lastUpdated ?? '')
    .sort()
    .at(-1);

/** Whether a document of a referral is its clinical information: what its referrer attached. */
export const isOfReferrer = (found: Pick<Found, 'resource'>): boolean => isOfType('REFERRER', found);
