import type { Shown } from '../../audit/whose.js';
import { sightOf } from '../../access/policy.js';
import { extensions, systems } from '../../domain/codes.js';
import { gatherConcept } from '../../domain/reference-data/concept.js';
import { refusal } from '../../domain/refusal.js';
import { worklists, type WorklistName } from '../../domain/worklists/lists.js';
import { itemAt } from '../../domain/worklists/place.js';
import { failure } from '../../fhir/outcome.js';
import { KeptText } from '../../fhir/kept-text.js';
import { factsOf } from '../../interactions/facts.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { textAround } from '../../interactions/splice.js';
import type { WorklistPage, WorklistQuery } from '../../store/port.js';
import type { Operation } from '../operation.js';
import { Inputs } from '../parameters.js';
import { neededCode, optional, optionalCode, output } from './declare.js';
import { expressionOf, numberWithin } from './inputs.js';
import { filtersOf } from './worklist-filters.js';

const parameters = [
  neededCode('listType', systems.worklist, Object.keys(worklists).join(', ')),
  optional('service', 'Reference', 'HealthcareService; needed by applications'),
  optionalCode('specialtyAssignedIndicator', systems.assignedIndicator, 'eRS-AssignedIndicator: services with, or without, a specialty'),
  optionalCode('specialty', systems.specialty, 'CodeSystem SPECIALTY'),
  optional('location', 'Reference', 'Location or site code'),
  optionalCode(
    'clinicianAssignedIndicator',
    systems.assignedIndicator,
    'eRS-AssignedIndicator: services with, or without, a named clinician',
  ),
  optional('clinician', 'Reference', 'SDS user id of the named clinician'),
  optional('count', 'unsignedInt', 'items wanted, 1 to 1000; 50 without it'),
  optional('after', 'string', 'where the list before this one ended: its Extension-eRS-Worklist-Next'),
];

const most = 1000;
const usual = 50;

const listOf = (inputs: Inputs): WorklistName => {
  const code = inputs.code('listType') ?? '';
  if (!Object.hasOwn(worklists, code))
    throw refusal('business-rule', 'code-invalid', 'INVALID_CODE', `There is no list ${code}.`, expressionOf('listType'));
  return code as WorklistName;
};

/** Who may fetch a list, its concept says (eRS-ReferralListSelector). */
const checkAsker = async ({ store }: House, { caller }: Call, list: WorklistName): Promise<void> => {
  if (caller.kind === 'system') return;
  const concept = await gatherConcept(factsOf(store, caller), 'eRS-ReferralListSelector', list);
  const held = caller.businessFunction ?? 'none';
  if (concept?.all('businessFunction').includes(held) !== true)
    throw failure('forbidden', 'forbidden', `The list ${list} is not for the business function ${held}.`);
};

/** A scope of its own narrows what the caller sees of its organisation's list. */
const visible = async ({ store }: House, { caller }: Call, page: WorklistPage): Promise<WorklistPage> => {
  const sight = sightOf(caller, 'ServiceRequest');
  if (sight === 'all' || sight.narrow === undefined) return page;
  const keys = page.rows.map(({ referral }) => ({ type: 'ServiceRequest', id: referral }));
  const ids = new Set((await store.findMany(keys, sight)).map(({ id }) => id));
  return { ...page, rows: page.rows.filter(({ referral }) => ids.has(referral)) };
};

/**
 * The items of a page as they read from `read` until before `ends` (epoch ms), the records that the audit names for them, and where the
 * next page begins.
 */
type Shape = {
  readonly read: number;
  readonly ends: number;
  readonly items: KeptText;
  readonly seen: readonly Shown[];
  readonly next: string | undefined;
};

const shapes = new WeakMap<WorklistPage['rows'], Shape>();

/** A page that a store keeps is the same rows again: what is made of them is kept with them. */
const shapeOf = ({ rows, next }: WorklistPage, now: number, sign: (position: string) => string): Shape => {
  const known = shapes.get(rows);
  if (known && now >= known.read && now < known.ends) return known;
  const shape = {
    read: now,
    ends: rows.reduce((first, { due }) => (due !== undefined && due > now ? Math.min(first, due) : first), Number.POSITIVE_INFINITY),
    items: new KeptText(rows.map((row) => itemAt(row, now)).join(',')),
    // an item names the patient
    seen: rows.map(({ referral, item }) => ({ type: 'ServiceRequest', id: referral, body: item, again: true })),
    next: next === undefined ? undefined : sign(next),
  };
  shapes.set(rows, shape);
  return shape;
};

/** The List around items that are texts already. */
const listAround = (
  list: WorklistName,
  items: KeptText,
  { date, next }: { readonly date: string; readonly next: string | undefined },
): Pick<Success, 'body' | 'around'> => {
  const head = JSON.stringify({
    resourceType: 'List',
    ...(next === undefined ? {} : { extension: [{ url: extensions.worklistNext, valueString: next }] }),
    status: 'current',
    mode: 'snapshot',
    code: { coding: [{ system: systems.worklist, code: list }] },
    date,
    ...(items.text !== ''
      ? {}
      : { emptyReason: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'nilknown' }] } }),
  });
  return items.text === '' ? { body: head } : textAround({ head: `${head.slice(0, -1)},"entry":[`, kept: items, end: ']}' });
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
    parameter: [...parameters, output('List', 'a snapshot; Extension-eRS-Worklist-Next where there is more')] as NonNullable<
      Operation['definition']['parameter']
    >,
  },
  interaction: 'r',
  perform: async (house, call, { body }) => {
    const inputs = Inputs.read(parameters, body);
    const list = listOf(inputs);
    await checkAsker(house, call, list);
    const { services, specialty } = await filtersOf(house, call, inputs, list);
    const cursor = inputs.text('after');
    const now = house.clock();
    const query: WorklistQuery = {
      list,
      now,
      count: numberWithin(inputs, 'count', most) ?? usual,
      ...(call.caller.kind === 'system' ? {} : { owner: call.caller.organisation ?? '' }),
      ...(services === undefined ? {} : { services }),
      ...(specialty === undefined ? {} : { specialty }),
      ...(cursor === undefined ? {} : { after: house.openCursor(cursor, `worklist ${list}`) }),
    };
    const page = await house.store.worklist(query);
    const { items, seen, next } = shapeOf(await visible(house, call, page), now, (at) => house.signCursor(at, `worklist ${list}`));
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      ...listAround(list, items, { date: new Date(now).toISOString(), next }),
      seen,
    };
  },
};
