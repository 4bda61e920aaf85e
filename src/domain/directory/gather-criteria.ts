import type { HealthcareService, Location, Patient } from 'fhir/r4.js';
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
): Promise<Searcher> => {
  const { birthDate, gender } = (patient?.resource ?? {}) as unknown as Partial<Patient>;
  const position = postcode === undefined ? undefined : await findPostcode(postcodes, postcode);
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

/** The criteria with what their rules need. */
export const gatherCriteria = async (
  situation: Situation,
  criteria: SearchCriteria,
  patient: Found | undefined,
): Promise<GivenCriteria> => {
  const { organisation } = criteria;
  const concepts = await conceptsOf(situation, criteria);
  const [searcher, codes, provider] = await Promise.all([
    gatherSearcher(situation, patient, criteria.postcode),
    unknownCodes(situation, criteria, concepts),
    organisation === undefined ? undefined : situation.facts.byIdentifier('Organization', systems.organisation, organisation),
  ]);
  return { criteria, searcher, unknown: { codes, organisationIsClosed: isClosed(provider) }, priority: concepts.get('priority') };
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
