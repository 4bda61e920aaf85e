import type { Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { isOfOtherPatient, referenceToPatient } from '../demographics/demographics.js';
import { criteriaRules } from '../directory/criteria-rules.js';
import type { SearchCriteria } from '../directory/criteria.js';
import { gatherCriteria, notInResults } from '../directory/gather-criteria.js';
import { isClosed } from '../directory/organisation.js';
import { gatherService, type Service } from '../directory/service.js';
import { refuseMisnamed } from '../misnamed.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { shortlistRules, type GivenShortlist } from './shortlist-rules.js';

/** A shortlist as it was asked for, with what its services have to be fit for. */
export type AskedShortlist = Pick<GivenShortlist, 'kind' | 'priority' | 'intention' | 'expression' | 'intentionAt'> & {
  readonly references: readonly Reference[];
  readonly criteria: SearchCriteria | undefined;
  readonly patient: Found | undefined;
  /** whom the shortlist says that it is for */
  readonly subject?: Reference;
};

const closedOf = async (facts: Facts, services: readonly Service[]): Promise<readonly string[]> => {
  const codes = [...new Set(services.flatMap(({ organisation }) => organisation ?? []))];
  const closed = await Promise.all(
    codes.map(async (code) => (isClosed(await facts.byIdentifier('Organization', systems.organisation, code)) ? [code] : [])),
  );
  return services.filter(({ organisation }) => closed.flat().includes(organisation ?? '')).map(({ id }) => id);
};

/** Refuses an entry that says one service and the number of another, or an old version. */
const refuseMisnamedEntry = async ({ facts, baseUrl }: Situation, reference: Reference, expression: string): Promise<void> => {
  const key = readReference(reference.reference ?? '', baseUrl);
  if (key === undefined || (key.version === undefined && reference.identifier === undefined)) return;
  refuseMisnamed(reference, await facts.find({ type: key.type, id: key.id }, 'all'), { baseUrl, what: 'service', expression });
};

/** The services of a shortlist; refuses what the rules of the search that found them, and of the shortlist, forbid. */
export const gatherShortlist = async (situation: Situation, asked: AskedShortlist): Promise<readonly Service[]> => {
  const { facts, baseUrl } = situation;
  const { references, criteria: wanted, patient, subject, ...given } = asked;
  if (patient && isOfOtherPatient(subject, referenceToPatient(patient), baseUrl))
    throw refusal('business-rule', 'business-rule', 'CONFLICTING_VALUES', 'The shortlist is for another patient.', given.expression);
  await Promise.all(references.map((reference) => refuseMisnamedEntry(situation, reference, given.expression)));
  const services = await Promise.all(references.map((reference) => gatherService(facts, reference, baseUrl)));
  const known = services.flatMap((service) => service ?? []);
  const criteria = wanted && (await gatherCriteria(situation, { ...wanted, priority: given.priority }, patient));
  if (criteria) refuseBreaches(criteriaRules, criteria);
  refuseBreaches(shortlistRules, {
    ...given,
    services,
    ofClosed: await closedOf(facts, known),
    notInResults: criteria ? await notInResults(facts, known, criteria) : [],
  });
  return known;
};
