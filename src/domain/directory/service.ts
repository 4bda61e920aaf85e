import type { CodeableConcept, HealthcareService, Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { summaryOf, type ServiceSummary } from './service-summary.js';

export type Flow = 'BOOKABLE' | 'REVIEW' | 'ADVICE_AND_GUIDANCE';

/** A HealthcareService as the rules see it. */
export type Service = {
  readonly id: string;
  readonly name: string;
  /** the id of e-RS, which a logical reference names */
  readonly number: string | undefined;
  readonly active: boolean;
  /** ODS code of the organisation that provides it */
  readonly organisation: string | undefined;
  readonly flows: readonly Flow[];
  readonly binding: 'DIRECTLY_BOOKABLE' | 'INDIRECTLY_BOOKABLE' | undefined;
  readonly specialty: CodeableConcept | undefined;
  readonly summary: ServiceSummary;
};

const codesOf = (concepts: readonly CodeableConcept[] | undefined, system: string): readonly string[] =>
  (concepts ?? []).flatMap(({ coding }) => (coding ?? []).flatMap((item) => (item.system === system && item.code ? [item.code] : [])));

/** `organisation`: the ODS code behind providedBy, when the resource names it by a literal reference alone. A service that says nothing of its flow is bookable. */
export const serviceOf = (resource: HealthcareService, id: string, organisation?: string): Service => {
  const flows = codesOf(resource.characteristic, systems.requestFlow) as readonly Flow[];
  const binding = codesOf(resource.characteristic, systems.bookableType)[0] as Service['binding'];
  return {
    id,
    name: resource.name ?? id,
    number: resource.identifier?.find(({ system }) => system === systems.service)?.value,
    active: resource.active !== false,
    organisation: organisation ?? odsOf(resource.providedBy),
    flows: flows.length > 0 ? flows : ['BOOKABLE'],
    binding,
    specialty: resource.specialty?.[0],
    summary: summaryOf(resource),
  };
};

/** Whether its slots are booked here, and not with the provider. */
export const isDirectlyBookable = ({ binding, flows }: Service): boolean => binding !== 'INDIRECTLY_BOOKABLE' && flows.includes('BOOKABLE');

const odsOf = (reference: Reference | undefined): string | undefined =>
  reference?.identifier?.system === systems.organisation ? reference.identifier.value : undefined;

/** The ODS code of the organisation that a reference names, literally or by its identifier. */
export const organisationOf = async (facts: Facts, reference: Reference | undefined): Promise<string | undefined> => {
  const known = odsOf(reference);
  const key = readReference(reference?.reference ?? '', '');
  if (known !== undefined || key?.type !== 'Organization') return known;
  const identifiers = (await facts.find(key, 'all'))?.resource['identifier'] as readonly { system?: string; value?: string }[] | undefined;
  return identifiers?.find(({ system }) => system === systems.organisation)?.value;
};

/** The service that a reference names, literally or by its e-RS number. */
export const gatherService = async (facts: Facts, reference: Reference | undefined, baseUrl: string): Promise<Service | undefined> => {
  const key = readReference(reference?.reference ?? '', baseUrl);
  const { system = systems.service, value } = reference?.identifier ?? {};
  if (!key && value === undefined) return undefined;
  const found: Found | undefined = key
    ? await facts.find({ type: key.type, id: key.id }, 'all')
    : await facts.byIdentifier('HealthcareService', system, value ?? '');
  if (found?.type !== 'HealthcareService') return undefined;
  const resource = found.resource as unknown as HealthcareService;
  return serviceOf(resource, found.id, await organisationOf(facts, resource.providedBy));
};

/** e-RS commands write a service both ways, as a literal reference and by its number. */
export const referenceToService = ({ id, number, name }: Service): Reference => ({
  reference: `HealthcareService/${id}`,
  ...(number === undefined ? {} : { identifier: { system: systems.service, value: number } }),
  display: name,
});
