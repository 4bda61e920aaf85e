import { narrowPlan } from '../access/narrow-plan.js';
import { sightOf } from '../access/policy.js';
import { checkRoom, submitted } from '../bulk/submit.js';
import { laterCall, type ExportRequest } from '../bulk/work.js';
import { failure } from '../fhir/outcome.js';
import { patientCompartment } from '../fhir/patient-compartment.js';
import { readReference } from '../fhir/references.js';
import type { Resource } from '../fhir/resource.js';
import { readDate } from '../fhir/search/dates.js';
import { readSubset } from '../fhir/subset.js';
import { gone, notFound } from '../interactions/answers.js';
import { typesReadBy } from '../interactions/history.js';
import type { Call, House } from '../interactions/house.js';
import { queryOf, urlOf } from '../interactions/query.js';
import { readAhead } from '../interactions/read-ahead.js';
import type { Invocation, Operation } from './operation.js';
import { inputsOf } from './inputs.js';

const known = ['_outputFormat', '_since', '_type', '_typeFilter', '_elements', 'patient'];
const formats = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);

const wrong = (name: string, text: string) => failure('invalid', 'value', text, { expression: [name] });

const levelOf = ({ type, id }: Invocation): ExportRequest['level'] => {
  if (type === undefined) return 'system';
  if (type === 'Patient' && id === undefined) return 'Patient';
  if (type === 'Group' && id !== undefined) return 'Group';
  throw failure('not-found', 'not-supported', 'There is $export on the system, on Patient and on one Group.');
};

/** The patients of a group, as they are now. */
const patientsOf = async (house: House, call: Call, id: string): Promise<readonly string[]> => {
  const key = { type: 'Group', id };
  const stored = await house.store.find(key, sightOf(call.caller, 'Group'));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) throw gone(key);
  const members = ((JSON.parse(stored.body) as Resource)['member'] ?? []) as readonly {
    readonly entity?: { readonly reference?: string };
    readonly inactive?: boolean;
  }[];
  return members
    .filter(({ inactive }) => inactive !== true)
    .flatMap(({ entity }) => readReference(entity?.reference ?? '', house.baseUrl) ?? [])
    .flatMap(({ type, id: patient }) => (type === 'Patient' ? [patient] : []));
};

/** Bulk Data Access, `patient`: only these, of all patients or of the group's. Undefined: every one. */
const chosenPatients = async (
  house: House,
  call: Call,
  { id }: Invocation,
  level: ExportRequest['level'],
  asked: readonly string[] | undefined,
): Promise<readonly string[] | undefined> => {
  const members = level === 'Group' ? await patientsOf(house, call, id ?? '') : undefined;
  if (asked === undefined) return members;
  if (level === 'system') throw wrong('patient', 'patient is for Patient/$export and Group/[id]/$export.');
  const ids = asked.map((text) => {
    const key = readReference(text, house.baseUrl);
    if (key?.type !== 'Patient') throw wrong('patient', `${text} is no reference to a Patient that is kept here.`);
    return key.id;
  });
  const sight = sightOf(call.caller, 'Patient');
  const live = new Set(
    (
      await house.store.findMany(
        ids.map((one) => ({ type: 'Patient', id: one })),
        sight,
      )
    ).map((row) => row.id),
  );
  const missing = ids.find((one) => !live.has(one) || members?.includes(one) === false);
  if (missing !== undefined) throw wrong('patient', `Patient/${missing} is not ${members === undefined ? 'kept here' : 'in the group'}.`);
  return ids;
};

const typesFor = (house: House, call: Call, level: ExportRequest['level'], asked: readonly string[] | undefined): readonly string[] => {
  const unknown = asked?.find((type) => !house.registry.has(type));
  if (unknown !== undefined && !call.lenient) throw wrong('_type', `${unknown} is not a type that is served.`);
  // AuditEvent is no part of the record: it is not exported
  return typesReadBy(house, call).filter(
    (type) =>
      sightOf(call.caller, type) === 'all' &&
      (asked === undefined || asked.includes(type)) &&
      (level === 'system' || type === 'Patient' || Object.hasOwn(patientCompartment, type)),
  );
};

/** One value may hold several queries, joined by commas. Each looks only into what the caller may read: what it keeps would tell of the rest. */
const filtersOf = async (house: House, call: Call, values: readonly string[]): Promise<ExportRequest['filters']> => {
  const filters: { type: string; query: string }[] = [];
  for (const text of values.flatMap((value) => value.split(/,(?=[A-Z][A-Za-z]*\?)/))) {
    const mark = text.indexOf('?');
    const [type, query] = [text.slice(0, mark), text.slice(mark + 1)];
    if (mark < 1 || !house.registry.has(type)) throw wrong('_typeFilter', '_typeFilter is written Type?criteria.');
    const read = queryOf(query);
    const plan = narrowPlan(
      call.caller,
      house.parseQuery(type, read, { lenient: call.lenient, ...(await readAhead(house, call, read)) }).plan,
    );
    if (plan.where.length === 0 && !call.lenient) throw wrong('_typeFilter', '_typeFilter needs a search parameter.');
    if (plan.where.length > 0) filters.push({ type, query });
  }
  return filters;
};

/** Bulk Data Access 2.0: everything, or what belongs to patients, as NDJSON files of the versions of one moment. */
export const exportOperation: Operation = {
  definition: {
    name: 'Export',
    code: 'export',
    description: 'Bulk export as NDJSON: answers 202 with a URL to ask for the files (system/*.rs is enough).',
    affectsState: false,
    system: true,
    type: true,
    instance: true,
    resource: ['Patient', 'Group'],
    parameter: [
      { name: '_outputFormat', use: 'in', min: 0, max: '1', type: 'string' },
      { name: '_since', use: 'in', min: 0, max: '1', type: 'instant' },
      { name: '_type', use: 'in', min: 0, max: '*', type: 'string' },
      { name: '_typeFilter', use: 'in', min: 0, max: '*', type: 'string' },
      { name: '_elements', use: 'in', min: 0, max: '*', type: 'string' },
      { name: 'patient', use: 'in', min: 0, max: '*', type: 'Reference' },
    ],
  },
  interaction: 'r',
  readsQuery: true,
  perform: async (house, call, invocation) => {
    if (call.caller.kind !== 'system') throw failure('forbidden', 'forbidden', '$export is for clients of kind system.');
    await checkRoom(house, call);
    const level = levelOf(invocation);
    const inputs = inputsOf(invocation, known, call);
    const format = inputs.get('_outputFormat')?.[0]?.replace(' ', '+');
    if (format !== undefined && !formats.has(format)) throw wrong('_outputFormat', '_outputFormat is application/fhir+ndjson.');
    const since = inputs.get('_since')?.[0];
    const span = since === undefined ? undefined : readDate(since.replace(' ', '+'), house.timeZone);
    if (since !== undefined && !span) throw wrong('_since', '_since takes an instant.');
    const elements = inputs.get('_elements')?.join(',');
    readSubset(undefined, elements);
    const patients = await chosenPatients(house, call, invocation, level, inputs.get('patient'));
    const path = [invocation.type, invocation.id, '$export'].filter((word) => word !== undefined).join('/');
    const request: ExportRequest = {
      call: laterCall(call),
      url: urlOf(`${house.baseUrl}/${path}`, invocation.query),
      level,
      ...(patients === undefined ? {} : { patients }),
      ...(elements === undefined ? {} : { elements }),
      types: typesFor(
        house,
        call,
        level,
        inputs.get('_type')?.flatMap((value) => value.split(',')),
      ),
      filters: await filtersOf(house, call, inputs.get('_typeFilter') ?? []),
      ...(span === undefined ? {} : { since: span.low }),
      // the commit of the job itself comes after every commit up to this moment
      at: house.clock(),
    };
    return submitted(house, call, { kind: 'export', request });
  },
};
