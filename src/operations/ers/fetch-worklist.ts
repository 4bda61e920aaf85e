import { checkRule, worklistRules } from '../../access/operation-rules.js';
import { sightOf } from '../../access/policy.js';
import { extensions, systems } from '../../domain/codes.js';
import type { Found } from '../../domain/command.js';
import { foundOf } from '../../domain/command.js';
import { refusal } from '../../domain/refusal.js';
import { gatherCandidate, gatherLocations } from '../../domain/worklists/gather-worklist.js';
import { isOn, itemExtension, type Candidate, type Filters } from '../../domain/worklists/item.js';
import { worklists, type Worklist, type WorklistName } from '../../domain/worklists/lists.js';
import { readReference } from '../../fhir/references.js';
import { parseJson } from '../../fhir/json.js';
import { factsOf } from '../../interactions/facts.js';
import type { Call, House } from '../../interactions/house.js';
import type { SearchPlan } from '../../store/port.js';
import type { Operation } from '../operation.js';
import { Inputs } from '../parameters.js';
import { needed, optional } from './declare.js';
import { expressionOf } from './inputs.js';

const parameters = [
  needed('listType', 'code', Object.keys(worklists).join(', ')),
  optional('service', 'Reference', 'HealthcareService; needed by applications'),
  optional('specialty', 'code', 'CodeSystem SPECIALTY'),
  optional('location', 'Reference', 'Location or site code'),
  optional('clinician', 'Reference', 'SDS user id of the named clinician'),
  optional('count', 'unsignedInt', 'items wanted, 1 to 1000; 100 without it'),
  optional('after', 'string', 'where the list before this one ended: its Extension-eRS-Worklist-Next'),
];

const most = 1000;
const usual = 100;
/** pages of candidates that one answer reads at most: a list goes on from there with `after` */
const pagesAtMost = 20;

const listOf = (inputs: Inputs): WorklistName => {
  const code = inputs.code('listType') ?? '';
  if (!Object.hasOwn(worklists, code))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `There is no list ${code}.`, expressionOf('listType'));
  return code as WorklistName;
};

const valueOf = (inputs: Inputs, name: string): string | undefined => {
  const reference = inputs.reference(name);
  return reference?.identifier?.value ?? readReference(reference?.reference ?? '', '')?.id;
};

const filtersOf = ({ caller }: Call, inputs: Inputs, { side }: Worklist): Filters => {
  const service = valueOf(inputs, 'service');
  if (caller.kind === 'app' && service === undefined)
    throw refusal('invalid', 'required', 'MISSING_PARAMETER', 'An application names the service.', expressionOf('service'));
  return {
    organisation: side === 'provider' ? caller.organisation : undefined,
    service,
    specialty: inputs.code('specialty'),
    location: valueOf(inputs, 'location'),
    clinician: valueOf(inputs, 'clinician'),
  };
};

/** The referrals in the states of the list that the caller may see, the oldest first; a service narrows them in the store already. */
const planOf = ({ states }: Worklist, filters: Filters, service: string | undefined, count: number): SearchPlan => ({
  type: 'ServiceRequest',
  where: [
    { kind: 'token', param: 'state', any: states.map((code) => ({ code })) },
    ...(service === undefined || filters.service === undefined
      ? []
      : [{ kind: 'reference' as const, param: 'performer', any: [{ type: 'HealthcareService', id: service }] }]),
  ],
  sort: [{ param: 'authored', kind: 'range', descending: false }],
  count,
});

type Fetched = { readonly candidates: readonly Candidate[]; readonly next: string | undefined };

const fetchList = async (
  house: House,
  call: Call,
  list: WorklistName,
  filters: Filters,
  from: { count: number; after: string | undefined },
): Promise<Fetched> => {
  const facts = factsOf(house.store, call.caller);
  const now = new Date(house.clock()).toISOString();
  const service =
    filters.service === undefined
      ? undefined
      : (
          (await facts.find({ type: 'HealthcareService', id: filters.service }, 'all')) ??
          (await facts.byIdentifier('HealthcareService', systems.service, filters.service))
        )?.id;
  const plan = planOf(worklists[list], filters, service, from.count);
  const candidates: Candidate[] = [];
  let after = from.after;
  for (let page = 0; page < pagesAtMost; page++) {
    const found = await house.store.search({ ...plan, ...(after === undefined ? {} : { after }) }, sightOf(call.caller, 'ServiceRequest'));
    const gathered = await Promise.all(found.rows.map((row) => gatherCandidate(facts, foundOf(row, parseJson) as Found, now)));
    for (const candidate of gathered) {
      const places = filters.location === undefined || !candidate.service ? [] : await gatherLocations(facts, candidate.service.id);
      if (isOn(list, candidate, filters, () => places)) candidates.push(candidate);
    }
    after = found.next;
    if (after === undefined || candidates.length >= from.count) break;
  }
  return { candidates, next: after };
};

/** e-RS A008 and A023: a snapshot of a worklist as a List, each item with what its list shows. Plain searches find the same (docs/e-rs.md). */
export const fetchWorklistOperation: Operation = {
  definition: {
    name: 'FetchWorklist',
    code: 'ers.fetchworklist',
    description: 'A worklist as a List of ServiceRequests, the oldest first (e-RS A008, A023).',
    affectsState: false,
    system: false,
    type: true,
    instance: false,
    resource: ['ServiceRequest'],
    parameter: parameters as NonNullable<Operation['definition']['parameter']>,
  },
  interaction: 'r',
  perform: async (house, call, { body }) => {
    const inputs = Inputs.read(parameters, body);
    const list = listOf(inputs);
    checkRule(worklistRules[list], call.caller, `the list ${list}`);
    const filters = filtersOf(call, inputs, worklists[list]);
    const count = Math.min(Math.max(inputs.number('count') ?? usual, 1), most);
    const cursor = inputs.text('after');
    const after = cursor === undefined ? undefined : house.openCursor(cursor);
    const { candidates, next } = await fetchList(house, call, list, filters, { count, after });
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: JSON.stringify({
        resourceType: 'List',
        ...(next === undefined ? {} : { extension: [{ url: extensions.worklistNext, valueString: house.signCursor(next) }] }),
        status: 'current',
        mode: 'snapshot',
        code: { coding: [{ system: systems.worklist, code: list }] },
        date: new Date(house.clock()).toISOString(),
        ...(candidates.length > 0
          ? {
              entry: candidates.map((candidate) => ({
                extension: [itemExtension(list, candidate)],
                item: { reference: `ServiceRequest/${candidate.found.id}/_history/${String(candidate.found.version)}` },
              })),
            }
          : { emptyReason: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'nilknown' }] } }),
      }),
    };
  },
};
