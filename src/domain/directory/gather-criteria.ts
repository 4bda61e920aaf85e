import type { HealthcareService, Identifier, Location, Patient } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { localDayOf } from '../calendar/working-days.js';
import type { Facts, Found } from '../command.js';
import { systems, type ReferenceSystem } from '../codes.js';
import { gatherConcept, isInEffect, type Concept } from '../reference-data/concept.js';
import type { Situation } from '../situation.js';
import { ageOn, listed, meets, type ListedService, type SearchCriteria, type Searcher } from './criteria.js';
import type { CodedCriterion, GivenCriteria } from './criteria-rules.js';
import { isClosed } from './organisation.js';
import { findPostcode, type Position } from './postcodes.js';
import { organisationOf, serviceOf, type Service } from './service.js';

/** Who is searched for, and from where. */
export const gatherSearcher = async (
  { postcodes, now }: Situation,
  patient: Found | undefined,
  postcode: string | undefined,
  fromHome = false,
): Promise<Searcher> => {
  const { birthDate, gender, address } = (patient?.resource ?? {}) as unknown as Partial<Patient>;
  const from = postcode ?? (fromHome ? address?.find(({ postalCode }) => postalCode !== undefined)?.postalCode : undefined);
  const position = from === undefined ? undefined : await findPostcode(postcodes, from);
  return {
    ...(birthDate === undefined ? {} : { age: ageOn(localDayOf(now), birthDate) }),
    ...(gender === undefined ? {} : { gender }),
    ...(position === undefined ? {} : { position }),
  };
};

/** The reference data of each coded criterion. */
const systemsOf: Readonly<Record<Exclude<CodedCriterion, 'clinicalTerm'>, ReferenceSystem>> = {
  priority: 'PRIORITY',
  specialty: 'SPECIALTY',
  clinicType: 'CLINIC-TYPE',
  bookableType: 'eRS-BookableType',
  flow: 'eRS-RequestFlowType',
};

type Coded = keyof typeof systemsOf;
const coded = Object.keys(systemsOf) as readonly Coded[];

/** The concepts of the coded criteria; one that was given and is no code has none. */
const conceptsOf = async ({ facts }: Situation, criteria: SearchCriteria): Promise<ReadonlyMap<Coded, Concept | undefined>> =>
  new Map(await Promise.all(coded.map(async (name) => [name, await gatherConcept(facts, systemsOf[name], criteria[name])] as const)));

const unknownCodes = async (
  { knowsTerm, now }: Situation,
  criteria: SearchCriteria,
  concepts: ReadonlyMap<Coded, Concept | undefined>,
): Promise<readonly CodedCriterion[]> => {
  const { clinicalTerm } = criteria;
  const unknown = coded.filter((name) => {
    const concept = concepts.get(name);
    return criteria[name] !== undefined && !(concept && isInEffect(concept, now));
  });
  return [...unknown, ...(clinicalTerm === undefined || (await knowsTerm(clinicalTerm)) ? [] : (['clinicalTerm'] as const))];
};

/** Who or what is named by number, or by the id of its record. */
const found = async (
  facts: Facts,
  type: 'Organization' | 'Practitioner',
  system: string,
  name: string | undefined,
): Promise<Found | undefined> =>
  name === undefined ? undefined : ((await facts.byIdentifier(type, system, name)) ?? (await facts.find({ type, id: name }, 'all')));

const numberOf = ({ resource }: Found, system: string): string | undefined =>
  ((resource['identifier'] ?? []) as readonly Identifier[]).find((identifier) => identifier.system === system)?.value;

/**
 * The criteria with what their rules need.
 *
 * @param fromHome whether distances are from where the patient lives, when no postcode is given
 */
export const gatherCriteria = async (
  situation: Situation,
  criteria: SearchCriteria,
  patient: Found | undefined,
  fromHome = false,
): Promise<GivenCriteria> => {
  const { organisation, namedClinician } = criteria;
  const concepts = await conceptsOf(situation, criteria);
  const [searcher, codes, provider, clinician] = await Promise.all([
    gatherSearcher(situation, patient, criteria.postcode, fromHome),
    unknownCodes(situation, criteria, concepts),
    found(situation.facts, 'Organization', systems.organisation, organisation),
    found(situation.facts, 'Practitioner', systems.sdsUser, namedClinician),
  ]);
  const unknown = {
    codes,
    organisation: organisation !== undefined && provider === undefined,
    organisationIsClosed: isClosed(provider),
    clinician: namedClinician !== undefined && clinician === undefined,
  };
  // services name both by number
  const numbered = {
    ...criteria,
    ...(provider === undefined ? {} : { organisation: numberOf(provider, systems.organisation) ?? organisation ?? '' }),
    ...(clinician === undefined ? {} : { namedClinician: numberOf(clinician, systems.sdsUser) ?? namedClinician ?? '' }),
  };
  return { criteria: numbered, searcher, unknown, priority: concepts.get('priority') };
};

// a decimal whose text JavaScript would change is a LosslessNumber
const coordinates = ({ latitude, longitude }: { readonly latitude: unknown; readonly longitude: unknown }): Position => ({
  lat: Number(latitude),
  lon: Number(longitude),
});

export const positionOf = async (facts: Facts, resource: HealthcareService): Promise<Position | undefined> => {
  const key = readReference(resource.location?.[0]?.reference ?? '', '');
  const place = key && (await facts.find(key, 'all'));
  const position = (place?.resource as unknown as Location | undefined)?.position;
  return position && coordinates(position);
};

export const listedOf = async (facts: Facts, found: Found): Promise<ListedService> => {
  const resource = found.resource as unknown as HealthcareService;
  const service = serviceOf(resource, found.id, await organisationOf(facts, resource.providedBy));
  return listed(service, resource, await positionOf(facts, resource));
};

/** The ids of those services that the search would not find: the search run again for each of them. */
export const notInResults = async (
  facts: Facts,
  services: readonly Service[],
  { criteria, searcher }: GivenCriteria,
): Promise<readonly string[]> => {
  const tested = await Promise.all(
    services.map(async ({ id }) => {
      const found = await facts.find({ type: 'HealthcareService', id }, 'all');
      return found && meets(await listedOf(facts, found), criteria, searcher) ? [] : [id];
    }),
  );
  return tested.flat();
};
