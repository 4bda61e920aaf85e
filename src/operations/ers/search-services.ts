import { systems } from '../../domain/codes.js';
import { gatherCriteria } from '../../domain/directory/gather-criteria.js';
import { checkCommissioner } from '../../domain/directory/commissioner.js';
import { searchRules } from '../../domain/directory/criteria-rules.js';
import type { SearchCriteria } from '../../domain/directory/criteria.js';
import { mostFound, type ServiceOrder } from '../../domain/directory/found-services.js';
import { gatherPatientToRefer } from '../../domain/referral/gather-patient.js';
import { gatherNamed } from '../../domain/referral/gather-requester.js';
import { patientRules } from '../../domain/referral/patient-rules.js';
import { refuseBreaches } from '../../domain/rules/rule.js';
import type { Situation } from '../../domain/situation.js';
import { refuseUnreadableResources } from '../../interactions/checked.js';
import { factsOf } from '../../interactions/facts.js';
import { situationOf } from '../../interactions/perform.js';
import { textAround } from '../../interactions/splice.js';
import type { Operation } from '../operation.js';
import { Inputs } from '../parameters.js';
import { needed, neededCode, optional, optionalCode, output, searchCriteria } from './declare.js';
import { codeOf, criteriaOf, expressionOf, numberWithin } from './inputs.js';
import { entriesOf } from './service-entry.js';

const parameters = [
  neededCode('requestType', systems.requestType, 'APPOINTMENT_REQUEST or ADVICE_AND_GUIDANCE_REQUEST'),
  optionalCode('sortBy', systems.sortBy, 'DISTANCE, from the postcode or from where the patient lives, or IWT, the indicative wait'),
  needed('patient', 'Reference', 'Patient, or an NHS number as identifier'),
  searchCriteria(1),
  optional('referringClinician', 'Reference', 'SDS user id; of a REFERRING_CLINICIAN_ADMIN alone'),
  optional('commissioningRuleOrganisation', 'Reference', 'ODS code, for an existing referral'),
  optional('availabilityDays', 'unsignedInt', 'free slots are counted over that many days from now; 14 without it, at most 365'),
  optional('count', 'unsignedInt', 'services wanted, 1 to 200; 50 without it'),
];

/** Who searches, and under whose rules: a clinician for himself, an administrator for the one he names. */
const checkAskers = async (situation: Situation, inputs: Inputs, requestType: SearchCriteria['requestType']): Promise<void> => {
  const clinician = 'referringClinician';
  await gatherNamed(situation, inputs.reference(clinician), expressionOf(clinician));
  const name = 'commissioningRuleOrganisation';
  await checkCommissioner(situation.facts, inputs.reference(name), { requestType, expression: expressionOf(name) });
};

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
    parameter: [...parameters, output('List', 'the services, each with Extension-eRS-Fetched-Service')] as NonNullable<
      Operation['definition']['parameter']
    >,
  },
  interaction: 'r',
  perform: async (house, call, { body }) => {
    refuseUnreadableResources(house, body);
    const inputs = Inputs.read(parameters, body);
    const situation = situationOf(house, call, factsOf(house.store, call.caller));
    const requestType = (await codeOf(inputs, 'requestType', 'eRS-RequestType', situation)) as SearchCriteria['requestType'];
    const sortBy = await codeOf(inputs, 'sortBy', 'eRS-SortBy', situation);
    const criteria = criteriaOf(inputs, requestType) as SearchCriteria;
    const { patient, demographic } = await gatherPatientToRefer(situation, inputs.reference('patient'));
    refuseBreaches(patientRules, { demographic, expression: expressionOf('patient') });
    await checkAskers(situation, inputs, requestType);
    // where the distance is measured from is the patient's home when nothing else is said; where he lives is told of no restricted record
    const fromHome = sortBy === 'DISTANCE' && demographic?.restricted !== true;
    const given = await gatherCriteria(situation, criteria, patient, fromHome);
    refuseBreaches(searchRules, given);
    const order = sortBy ?? (criteria.postcode === undefined ? 'IWT' : 'DISTANCE');
    const { total, first } = await house.directory.search(given.criteria, given.searcher, order as ServiceOrder);
    const days = numberWithin(inputs, 'availabilityDays', 365) ?? 14;
    const count = numberWithin(inputs, 'count', mostFound) ?? 50;
    const entries = total === 0 ? undefined : await entriesOf(house, first, count, days);
    const head = JSON.stringify({
      resourceType: 'List',
      status: 'current',
      mode: 'snapshot',
      title: `${String(total)} services`,
      date: new Date(house.clock()).toISOString(),
      ...(entries !== undefined
        ? {}
        : { emptyReason: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'nilknown' }] } }),
    });
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      ...(entries === undefined ? { body: head } : textAround({ head: `${head.slice(0, -1)},"entry":[`, kept: entries, end: ']}' })),
      // it shows services, chosen by what the patient's record says
      seen: patient === undefined ? [] : [{ type: patient.type, id: patient.id }],
    };
  },
};
