import type { Reference } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { Resource } from '../../fhir/resource.js';

/** eRS-AvailabilityStatus: whether a file may be fetched and linked. */
export type Availability = 'AVAILABLE' | 'PENDING' | 'THREATS_FOUND' | 'VALIDATION_FAILED';

/**
 * Looks through the bytes of a file for what must not be passed on. Throws when it cannot say; `VALIDATION_FAILED` is what it will never
 * be able to say anything about.
 */
export type Scanner = { readonly scan: (bytes: AsyncIterable<Uint8Array>) => Promise<Exclude<Availability, 'PENDING'>> };

type Marked = {
  readonly extension?: readonly {
    readonly url: string;
    readonly valueCoding?: { readonly code?: string };
    readonly valueString?: string;
  }[];
};

const marksOf = (resource: Resource | undefined): Marked['extension'] => (resource?.meta as Marked | undefined)?.extension;

/** The status of a Binary, which R4 gives no element and no extension but in meta; what says nothing is available. */
export const availabilityOf = (binary: Resource | undefined): Availability =>
  (marksOf(binary)?.find(({ url }) => url === extensions.availabilityStatus)?.valueCoding?.code as Availability | undefined) ?? 'AVAILABLE';

/** The name that a file was uploaded under. */
export const fileNameOf = (binary: Resource | undefined): string | undefined =>
  marksOf(binary)?.find(({ url }) => url === extensions.fileName)?.valueString;

/**
 * The request that a file was uploaded for, `ServiceRequest/<id>`. Of a practice and a provider the mark alone says so, as the file is theirs
 * until a document links it; what the Binary itself names (R4 binary.html, securityContext) opens it to who reads that.
 */
export const uploadedForOf = (binary: Resource | undefined): string | undefined =>
  marksOf(binary)?.find(({ url }) => url === extensions.uploadedFor)?.valueString ??
  (binary?.['securityContext'] as Reference | undefined)?.reference;

type Marks = { readonly availability?: Availability; readonly fileName?: string | undefined; readonly uploadedFor?: string | undefined };

/** The Binary with another status, and with its name and the request that it is for when they are given. */
export const withMarks = (binary: Resource, { availability, fileName, uploadedFor }: Marks): Resource => {
  const replaced = new Set([
    ...(availability === undefined ? [] : [extensions.availabilityStatus]),
    ...(fileName === undefined ? [] : [extensions.fileName]),
    ...(uploadedFor === undefined ? [] : [extensions.uploadedFor]),
  ]);
  const kept = (marksOf(binary) ?? []).filter(({ url }) => !replaced.has(url as never));
  const extension = [
    ...kept,
    ...(availability === undefined
      ? []
      : [{ url: extensions.availabilityStatus, valueCoding: { system: systems.availability, code: availability } }]),
    ...(fileName === undefined ? [] : [{ url: extensions.fileName, valueString: fileName }]),
    ...(uploadedFor === undefined ? [] : [{ url: extensions.uploadedFor, valueString: uploadedFor }]),
  ];
  return extension.length === 0 ? binary : { ...binary, meta: { ...binary.meta, extension } };
};
