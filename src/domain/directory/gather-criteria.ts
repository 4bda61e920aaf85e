import type { HealthcareService, Location, Patient } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { localDayOf } from '../calendar/working-days.js';
import type { Facts, Found } from '../command.js';
import { gatherConcept } from '../reference-data/concept.js';
import type { Situation } from '../situation.js';
import { ageOn, listed, meets, type ListedService, type SearchCriteria, type Searcher } from './criteria.js';
import type { GivenCriteria } from './criteria-rules.js';
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

/** The criteria with what their rules need. */
export const gatherCriteria = async (
  situation: Situation,
  criteria: SearchCriteria,
  patient: Found | undefined,
): Promise<GivenCriteria> => {
  const { facts } = situation;
  const [searcher, specialty, clinicType] = await Promise.all([
    gatherSearcher(situation, patient, criteria.postcode),
    gatherConcept(facts, 'SPECIALTY', criteria.specialty),
    gatherConcept(facts, 'CLINIC-TYPE', criteria.clinicType),
  ]);
  return {
    criteria,
    searcher,
    known: {
      specialty: criteria.specialty === undefined || specialty !== undefined,
      clinicType: criteria.clinicType === undefined || clinicType !== undefined,
    },
  };
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
