import { systems } from '../domain/codes.js';
import type { Found } from '../domain/command.js';
import { withMarks } from '../domain/documents/availability.js';
import { uploadRules, uploadedRules, type GivenUpload } from '../domain/documents/upload-rules.js';
import { refuseBreaches } from '../domain/rules/rule.js';
import type { Resource } from '../fhir/resource.js';
import { factsOf } from './facts.js';
import type { Call, House } from './house.js';

export type Upload = {
  /** as the header has it, with its parameters */
  readonly contentType: string;
  /** NHSD-eRS-File-Name; other letters than Latin-1's come percent-encoded */
  readonly fileName: string | undefined;
  /** NHSD-eRS-Referral-ID */
  readonly ubrn: string | undefined;
};

const decoded = (name: string | undefined): string | undefined => {
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    return name;
  }
};

/** The request that a file is meant for, among those that the caller may see: the referral where a request for advice has its UBRN too. */
const requestOf = async ({ store }: House, { caller }: Call, ubrn: string | undefined): Promise<Found | undefined> => {
  if (ubrn === undefined) return undefined;
  const where = [{ kind: 'token' as const, param: 'identifier', any: [{ system: systems.ubrn, code: ubrn }] }];
  const found = await factsOf(store, caller).search({ type: 'ServiceRequest', where, count: 2 });
  return found.find(({ id }) => id.startsWith('r.')) ?? found[0];
};

/**
 * The record of a raw upload (A020), and the check of what arrived. Throws what the rules say against it; they do not bind system clients,
 * for whom e-RS's headers mean nothing.
 */
export const receive = async (
  house: House,
  call: Call,
  { contentType, fileName: sent, ubrn }: Upload,
): Promise<{ readonly resource: Resource; readonly arrived: (size: number) => void }> => {
  const resource: Resource = { resourceType: 'Binary', contentType };
  if (call.caller.kind === 'system') return { resource, arrived: () => undefined };
  const fileName = decoded(sent);
  const request = await requestOf(house, call, ubrn);
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const given: GivenUpload = { mediaType, fileName, size: 0, ubrn, requestFound: request !== undefined };
  refuseBreaches(uploadRules, given);
  const uploadedFor = request && `ServiceRequest/${request.id}`;
  // a patient has no other key to what he uploads
  const ofPatient = call.caller.kind === 'patient' && uploadedFor !== undefined;
  return {
    resource: ofPatient
      ? withMarks({ ...resource, securityContext: { reference: uploadedFor } }, { fileName })
      : withMarks(resource, { fileName, uploadedFor }),
    arrived: (size) => {
      refuseBreaches(uploadedRules, { ...given, size });
    },
  };
};
