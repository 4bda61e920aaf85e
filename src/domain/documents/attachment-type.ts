import type { DocumentReference } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { Found } from '../command.js';

const stu3AttachmentType = 'https://fhir.nhs.uk/STU3/CodeSystem/eRS-AttachmentType-1';
const attachmentTypes = ['REFERRER', 'PROVIDER', 'ADVICE_REQUEST', 'GUIDANCE_RESPONSE'] as const;
export type AttachmentType = (typeof attachmentTypes)[number];

const isAttachmentType = (code: string | undefined): code is AttachmentType => attachmentTypes.some((one) => one === code);

/** What a document says that it is attached as: a code of e-RS's list, of its STU3 form, or of no list at all. */
export const attachmentTypeOf = ({ type }: DocumentReference): AttachmentType | undefined => {
  const codings = type?.coding ?? [];
  const named = codings.find(({ system }) => system === systems.attachmentType || system === stu3AttachmentType)?.code;
  return (named ?? codings.find(({ system, code }) => system === undefined && isAttachmentType(code))?.code) as AttachmentType | undefined;
};

const isByPatient = ({ extension = [] }: DocumentReference): boolean =>
  extension.some(({ url, valueReference }) => url === extensions.attachedBy && valueReference?.identifier?.system === systems.nhsNumber);

/** A DocumentReference that names no type is the referrer's, as system clients write none, unless the patient attached it. */
export const isOfType = (type: AttachmentType, { resource }: Pick<Found, 'resource'>): boolean => {
  const document = resource as unknown as DocumentReference;
  return (attachmentTypeOf(document) ?? (isByPatient(document) ? undefined : 'REFERRER')) === type;
};

/** When the first of some documents was attached, ISO 8601; undefined without one. */
export const firstOf = (documents: readonly Pick<Found, 'resource'>[]): string | undefined =>
  documents
    .flatMap(({ resource }) => (resource as unknown as DocumentReference).date ?? resource.meta?.lastUpdated ?? [])
    .sort((a, b) => Date.parse(a) - Date.parse(b))[0];

/** When the last of some documents changed, ISO 8601; undefined without one. */
export const lastChangeOf = (documents: readonly Pick<Found, 'resource'>[]): string | undefined =>
  documents
    .map(({ resource }) => resource.meta?.lastUpdated ?? '')
    .sort()
    .at(-1);

/** Whether a document of a referral is its clinical information: what its referrer attached. */
export const isOfReferrer = (found: Pick<Found, 'resource'>): boolean => isOfType('REFERRER', found);
