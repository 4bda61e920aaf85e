import type { Extension } from 'fhir/r4.js';
import { extensions } from '../../domain/codes.js';
import { gatherCriteria } from '../../domain/directory/gather-criteria.js';
import { criteriaRules } from '../../domain/directory/criteria-rules.js';
import { meets, milesBetween, type ListedService, type SearchCriteria, type Searcher } from '../../domain/directory/criteria.js';
import { referenceToService } from '../../domain/directory/service.js';
import { gatherPatientToRefer } from '../../domain/referral/gather-patient.js';
import { gatherNamed } from '../../domain/referral/gather-requester.js';
import { patientRules } from '../../domain/referral/patient-rules.js';
import { refusal } from '../../domain/refusal.js';
import { refuseBreaches } from '../../domain/rules/rule.js';
import { factsOf } from '../../interactions/facts.js';
import type { House } from '../../interactions/house.js';
import { situationOf } from '../../interactions/perform.js';
import type { Stored } from '../../store/port.js';
import type { Situation } from '../../domain/situation.js';
import type { Operation } from '../operation.js';
import { Inputs } from '../parameters.js';
import { needed, optional, searchCriteria } from './declare.js';
import { clinicianOf, codeOf, criteriaOf, expressionOf } from './inputs.js';
import { checkCommissioner } from '../../domain/directory/commissioner.js';

const parameters = [
  needed('requestType', 'code', 'APPOINTMENT_REQUEST or ADVICE_AND_GUIDANCE_REQUEST'),
  optional('sortBy', 'code', 'DISTANCE (needs postcode) or IWT, the indicative wait'),
  needed('patient', 'Reference', 'Patient, or an NHS number as identifier'),
  searchCriteria(1),
  optional('referringClinician', 'Reference', 'SDS user id; of a REFERRING_CLINICIAN_ADMIN alone'),
  optional('commissioningRuleOrganisation', 'Reference', 'ODS code, for an existing referral'),
  optional('availabilityDays', 'unsignedInt', 'free slots are counted over that many days from now; 14 without it, at most 365'),
  optional('count', 'unsignedInt', 'services wanted, 1 to 200; 50 without it'),
];

const dayMs = 86_400_000;

type Sorted = { readonly service: ListedService; readonly miles: number | undefined };

const byDistance = (a: Sorted, b: Sorted): number => (a.miles ?? Number.POSITIVE_INFINITY) - (b.miles ?? Number.POSITIVE_INFINITY);
const waitOf = ({ service }: Sorted): number => service.summary.indicativeWaitDays ?? Number.POSITIVE_INFINITY;
const byWait = (a: Sorted, b: Sorted): number => waitOf(a) - waitOf(b);
const byId = (a: Sorted, b: Sorted): number => (a.service.id < b.service.id ? -1 : 1);

/** Infinity minus infinity is no number: two services without a distance, or a wait, are equal in it. */
const order =
  (first: (a: Sorted, b: Sorted) => number, second: (a: Sorted, b: Sorted) => number) =>
  (a: Sorted, b: Sorted): number =>
    first(a, b) || second(a, b) || byId(a, b);

const byDistanceFirst = order(byDistance, byWait);
const byWaitFirst = order(byWait, byDistance);

const sorted = (services: readonly ListedService[], { position }: Searcher, by: (a: Sorted, b: Sorted) => number): readonly Sorted[] =>
  services
    .map((service) => ({
      service,
      miles: position === undefined || service.position === undefined ? undefined : milesBetween(position, service.position),
    }))
    .sort(by);

export type Availability = { readonly firstFree: string | undefined; readonly count: number };

const nothing: Availability = { firstFree: undefined, count: 0 };

/** The start of a slot as its record says it, and as a moment. */
const startOf = ({ body }: Stored): readonly [string, number] => {
  const { start = '' } = JSON.parse(body ?? '{}') as { start?: string };
  return [start, Date.parse(start)];
};

/**
 * What services have free, by their ids: the first free slot, and how many there are in the days to come, as a search of slots would find
 * them. The store counts by day and diary with each write of a slot; all is of one read, and a service has what its diaries have.
 */
export const availabilityOf = async (
  house: House,
  services: readonly string[],
  days: number,
): Promise<ReadonlyMap<string, Availability>> => {
  const owners = services.flatMap((service) => house.directory.schedulesOf(service).map((schedule) => ({ service, schedule })));
  if (owners.length === 0) return new Map();
  const now = house.clock();
  const schedules = [...new Set(owners.map(({ schedule }) => schedule))];
  const read = await house.store.availability(schedules, now, now + days * dayMs);
  const diaries = new Map(read.map((diary) => [diary.schedule, { ...diary, start: diary.first && startOf(diary.first) }]));
  const found = new Map<string, Availability & { readonly at: number }>();
  for (const { service, schedule } of owners) {
    const { start: [text, at] = [undefined, Number.POSITIVE_INFINITY], count = 0 } = diaries.get(schedule) ?? {};
    const before = found.get(service) ?? { firstFree: undefined, count: 0, at: Number.POSITIVE_INFINITY };
    const first = at < before.at ? { firstFree: text, at } : { firstFree: before.firstFree, at: before.at };
    found.set(service, { ...first, count: before.count + count });
  }
  return found;
};

/** eRS-IWT where there is no number of days. */
const waitPart = ({ flows, summary }: ListedService, { firstFree }: Availability): Omit<Extension, 'url'> => {
  if (summary.indicativeWaitDays === undefined) return { valueCode: 'NOT_APPLICABLE' };
  const bookable = flows.includes('BOOKABLE');
  return bookable && firstFree === undefined && summary.indicativeWaitDays === 0
    ? { valueCode: 'LIMITED_AVAILABILITY' }
    : { valueUnsignedInt: summary.indicativeWaitDays };
};

const serviceExtension = ({ service, miles }: Sorted, availability: Availability, days: number): Extension => {
  const { summary, flows, binding, specialty, place } = service;
  const parts: readonly (Extension | undefined)[] = [
    // e-RS sets this for services that a commissioner puts first; no such rules are kept here
    { url: 'displayProminently', valueBoolean: false },
    miles === undefined ? undefined : { url: 'distance', valueDecimal: Math.round(miles * 10) / 10 },
    { url: 'indicativeAppointmentWaitTime', ...waitPart(service, availability) },
    ...flows.map((flow): Extension => ({ url: 'requestFlowType', valueCode: flow })),
    binding === undefined ? undefined : { url: 'bookableType', valueCode: binding },
    specialty === undefined ? undefined : { url: 'specialty', valueCodeableConcept: specialty },
    service.organisation === undefined ? undefined : { url: 'organisation', valueString: service.organisation },
    place === undefined ? undefined : { url: 'location', valueReference: place },
    { url: 'referralLetterRequired', valueBoolean: summary.referralLetterRequired },
    summary.minimumAge === undefined ? undefined : { url: 'minimumAge', valueUnsignedInt: summary.minimumAge },
    summary.maximumAge === undefined ? undefined : { url: 'maximumAge', valueUnsignedInt: summary.maximumAge },
    ...summary.genders.map((gender): Extension => ({ url: 'gender', valueCode: gender })),
    summary.exclusions === undefined ? undefined : { url: 'exclusions', valueString: summary.exclusions },
    availability.firstFree === undefined ? undefined : { url: 'firstFreeSlot', valueDateTime: availability.firstFree },
    { url: 'freeSlots', valueUnsignedInt: availability.count },
    { url: 'freeSlotsWithinDays', valueUnsignedInt: days },
  ];
  return { url: extensions.fetchedService, extension: parts.flatMap((part) => part ?? []) };
};

/** Who searches, and under whose rules: a clinician for himself, an administrator for the one he names. */
const checkAskers = async (situation: Situation, inputs: Inputs, requestType: SearchCriteria['requestType']): Promise<void> => {
  const clinician = 'referringClinician';
  await gatherNamed(situation, clinicianOf(inputs, clinician), expressionOf(clinician));
  const name = 'commissioningRuleOrganisation';
  await checkCommissioner(situation.facts, inputs.reference(name), { requestType, expression: expressionOf(name) });
};

const bounded = (value: number | undefined, usual: number, most: number): number => Math.min(Math.max(value ?? usual, 1), most);

/** e-RS A010: the services that suit a patient, nearest or soonest first, each with what it has free. */
export const searchServicesOperation: Operation = {
  definition: {
    name: 'SearchHealthcareServicesForPatient',
    code: 'ers.searchHealthcareServicesForPatient',
    description:
      'The services that suit a patient, as a List, nearest or with the shortest wait first, with what each has free (e-RS A010).',
    affectsState: false,
    system: false,
    type: true,
    instance: false,
    resource: ['HealthcareService'],
    parameter: parameters as NonNullable<Operation['definition']['parameter']>,
  },
  interaction: 'r',
  perform: async (house, call, { body }) => {
    const inputs = Inputs.read(parameters, body);
    const situation = situationOf(house, call, factsOf(house.store, call.caller));
    const requestType = (await codeOf(inputs, 'requestType', 'eRS-RequestType', situation)) as SearchCriteria['requestType'];
    const sortBy = await codeOf(inputs, 'sortBy', 'eRS-SortBy', situation);
    const criteria = criteriaOf(inputs, requestType) as SearchCriteria;
    const { patient, demographic } = await gatherPatientToRefer(situation, inputs.reference('patient'));
    refuseBreaches(patientRules, { demographic, expression: expressionOf('patient') });
    await checkAskers(situation, inputs, requestType);
    const given = await gatherCriteria(situation, criteria, patient);
    refuseBreaches(criteriaRules, given);
    if (sortBy === 'DISTANCE' && criteria.postcode === undefined)
      throw refusal('business-rule', 'required', 'MISSING_VALUE', 'Sorting by distance needs postcode.', expressionOf('sortBy'));
    const candidates = await house.directory.candidates(criteria);
    const found = candidates.filter((service) => meets(service, criteria, given.searcher));
    const order = sortBy ?? (criteria.postcode === undefined ? 'IWT' : 'DISTANCE');
    const shown = sorted(found, given.searcher, order === 'DISTANCE' ? byDistanceFirst : byWaitFirst).slice(
      0,
      bounded(inputs.number('count'), 50, 200),
    );
    const days = bounded(inputs.number('availabilityDays'), 14, 365);
    const available = await availabilityOf(
      house,
      shown.map(({ service }) => service.id),
      days,
    );
    const entry = shown.map((one) => ({
      extension: [serviceExtension(one, available.get(one.service.id) ?? nothing, days)],
      item: referenceToService(one.service),
    }));
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: JSON.stringify({
        resourceType: 'List',
        status: 'current',
        mode: 'snapshot',
        title: `${String(found.length)} services`,
        date: new Date(house.clock()).toISOString(),
        ...(entry.length > 0
          ? { entry }
          : { emptyReason: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'nilknown' }] } }),
      }),
    };
  },
};
