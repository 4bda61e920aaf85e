import type { Extension, Meta, PatientContact } from 'fhir/r4.js';
import type { Resource } from '../../fhir/resource.js';

export const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
export const restrictedCodes: ReadonlySet<string> = new Set(['R', 'V']);

/** R4 security-labels.html#redacted: the reader is told that something was taken out. */
const redacted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED', display: 'redacted' };

/** True for a record whose security label says that it is restricted, or very restricted (v3-Confidentiality R, V). */
export const isRestricted = ({ meta }: { readonly meta?: Meta | undefined }): boolean =>
  meta?.security?.some(({ system, code }) => system === confidentiality && restrictedCodes.has(code ?? '')) === true;

const tellsWhere = ({ valueAddress, valueContactPoint, extension = [] }: Extension): boolean =>
  valueAddress !== undefined || valueContactPoint !== undefined || extension.some(tellsWhere);

const withoutReach = ({ address: _address, telecom: _telecom, ...contact }: PatientContact): PatientContact => contact;

/**
 * A Patient, or a RelatedPerson of one, without what tells where he lives or how he is reached: addresses and numbers, his own and those of
 * his contacts, and the narrative and extensions that may repeat them. All else stays, so that he can be referred. It carries the label REDACTED.
 */
export const withoutWhereabouts = (patient: Resource): Resource => {
  const { address: _address, telecom: _telecom, text: _text, contained: _contained, contact, extension, ...rest } = patient;
  const kept = ((extension ?? []) as readonly Extension[]).filter((one) => !tellsWhere(one));
  const { meta } = patient as { readonly meta?: Meta };
  return {
    ...rest,
    meta: { ...meta, security: [...(meta?.security ?? []), redacted] },
    ...(kept.length === 0 ? {} : { extension: kept }),
    ...(contact === undefined ? {} : { contact: (contact as readonly PatientContact[]).map(withoutReach) }),
  } as Resource;
};
