import { systems } from '../../domain/codes.js';
import type { ListedService } from '../../domain/directory/criteria.js';
import { refuseMisnamed } from '../../domain/misnamed.js';
import { refusal } from '../../domain/refusal.js';
import type { Situation } from '../../domain/situation.js';
import { worklists, type WorklistName } from '../../domain/worklists/lists.js';
import { readReference } from '../../fhir/references.js';
import { factsOf } from '../../interactions/facts.js';
import type { Call, House } from '../../interactions/house.js';
import { situationOf } from '../../interactions/perform.js';
import type { Inputs } from '../parameters.js';
import { codeOf, expressionOf } from './inputs.js';

/** What narrows a worklist: ids of the services whose items stay (absent: all), and a specialty. */
export type WorklistFilters = { readonly services: readonly string[] | undefined; readonly specialty: string | undefined };

const names = ['service', 'specialtyAssignedIndicator', 'specialty', 'location', 'clinicianAssignedIndicator', 'clinician'] as const;

const none: WorklistFilters = { services: undefined, specialty: undefined };

const valueOf = (inputs: Inputs, name: string): string | undefined => {
  const reference = inputs.reference(name);
  return reference?.identifier?.value ?? readReference(reference?.reference ?? '', '')?.id;
};

const unknown = (name: string) =>
  refusal('business-rule', 'not-found', 'REFERENCE_NOT_FOUND', `The ${name} does not exist.`, expressionOf(name));

const serviceOf = async ({ facts, baseUrl }: Situation, inputs: Inputs): Promise<readonly string[] | undefined> => {
  const reference = inputs.reference('service');
  const key = readReference(reference?.reference ?? '', baseUrl);
  const number = reference?.identifier?.value;
  if (key === undefined && number === undefined) return undefined;
  const type = 'HealthcareService';
  const found = await (key === undefined ? facts.byIdentifier(type, systems.service, number ?? '') : facts.find({ ...key, type }, 'all'));
  if (!found) throw unknown('service');
  refuseMisnamed(reference, found, { baseUrl, what: 'service', expression: expressionOf('service') });
  return [found.id];
};

const placeOf = async (house: House, { facts }: Situation, inputs: Inputs): Promise<readonly string[] | undefined> => {
  const place = valueOf(inputs, 'location');
  if (place === undefined) return undefined;
  const literal = inputs.reference('location')?.reference !== undefined;
  if (literal && !(await facts.find({ type: 'Location', id: place }, 'all'))) throw unknown('location');
  return house.directory.servicesWith('place', place);
};

/** The services that have, or lack, something, when the indicator asks for that; a value beside NOT_ASSIGNED contradicts it. */
const assigned = async (
  house: House,
  situation: Situation,
  inputs: Inputs,
  what: { readonly name: 'specialty' | 'clinician'; readonly has: (service: ListedService) => boolean },
): Promise<readonly string[] | undefined> => {
  const indicator = await codeOf(inputs, `${what.name}AssignedIndicator`, 'eRS-AssignedIndicator', situation);
  if (indicator === undefined || (indicator === 'ASSIGNED' && inputs.has(what.name))) return undefined;
  if (inputs.has(what.name))
    throw refusal(
      'business-rule',
      'business-rule',
      'CONFLICTING_VALUES',
      `NOT_ASSIGNED goes without a ${what.name}.`,
      expressionOf(what.name),
    );
  return house.directory.servicesOf(situation.caller.organisation, (service) => what.has(service) === (indicator === 'ASSIGNED'));
};

const refuseOnReferrersList = (inputs: Inputs, list: WorklistName): void => {
  if (worklists[list].side === 'provider') return;
  for (const name of names)
    if (inputs.has(name))
      throw refusal('business-rule', 'business-rule', 'FIELD_NOT_PERMITTED', `The list ${list} has no filters.`, expressionOf(name));
};

/** The filters of a provider's list (A008); a referrer's lists have none, and an application must name the service. */
export const filtersOf = async (house: House, call: Call, inputs: Inputs, list: WorklistName): Promise<WorklistFilters> => {
  refuseOnReferrersList(inputs, list);
  if (call.caller.kind === 'app' && !inputs.has('service'))
    throw refusal('invalid', 'required', 'MISSING_PARAMETER', 'An application names the service.', expressionOf('service'));
  if (!names.some((name) => inputs.has(name))) return none;
  const situation = situationOf(house, call, factsOf(house.store, call.caller));
  const specialty = await codeOf(inputs, 'specialty', 'SPECIALTY', situation);
  const clinician = valueOf(inputs, 'clinician');
  const sets = await Promise.all([
    serviceOf(situation, inputs),
    placeOf(house, situation, inputs),
    clinician === undefined ? undefined : house.directory.servicesWith('clinician', clinician),
    assigned(house, situation, inputs, { name: 'specialty', has: ({ specialties }) => specialties.length > 0 }),
    assigned(house, situation, inputs, { name: 'clinician', has: ({ summary }) => summary.clinician !== undefined }),
  ]);
  const [first, ...others] = sets.flatMap((set) => (set === undefined ? [] : [set]));
  return { services: first?.filter((id) => others.every((set) => set.includes(id))), specialty };
};
