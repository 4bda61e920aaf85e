import { mayRead, sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import { patientCompartment } from '../fhir/patient-compartment.js';
import { findReferences, readReference } from '../fhir/references.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import { readDate, type Span } from '../fhir/search/dates.js';
import { gone, notFound } from '../interactions/answers.js';
import { discreet } from '../interactions/discreet-house.js';
import type { Call, House } from '../interactions/house.js';
import { urlOf } from '../interactions/query.js';
import { bundleText, type Link } from '../interactions/splice.js';
import type { Predicate, Stored } from '../store/port.js';
import type { Operation } from './operation.js';
import { inputsOf } from './inputs.js';

const usualCount = 100;
const mostRows = 1000;

/** Where a walk stands: the step, and the store's own position in it. */
type Position = { readonly step: number; readonly after: string | undefined };
/** The resources of a type that refer to the patient through one parameter. */
type Step = { readonly type: string; readonly param: string; readonly earlier: readonly string[] };

type Walk = {
  readonly house: House;
  readonly call: Call;
  readonly patient: Stored;
  readonly steps: readonly Step[];
  readonly since: Span | undefined;
  readonly start: Span | undefined;
  readonly end: Span | undefined;
};

const stepsFor = (call: Call, types: readonly string[] | undefined): readonly Step[] =>
  Object.entries(patientCompartment)
    .filter(([type]) => (types === undefined || types.includes(type)) && mayRead(call.caller, type))
    .flatMap(([type, { params }]) => params.map((param, index) => ({ type, param, earlier: params.slice(0, index) })));

const conditions = ({ patient, since, start, end }: Walk, { type, param }: Step): readonly Predicate[] => {
  const date = patientCompartment[type]?.date;
  return [
    { kind: 'reference', param, any: [{ type: 'Patient', id: patient.id }] },
    ...(since === undefined ? [] : [{ kind: 'updated', any: [{ prefix: 'ge', ...since }] } as const]),
    ...(start === undefined || date === undefined ? [] : [{ kind: 'range', param: date, any: [{ prefix: 'ge', ...start }] } as const]),
    ...(end === undefined || date === undefined ? [] : [{ kind: 'range', param: date, any: [{ prefix: 'le', ...end }] } as const]),
  ];
};

/** A resource that refers to the patient in two ways is shown the first time only. */
const isShownBefore = ({ house, patient }: Walk, step: Step, row: Stored): boolean => {
  if (step.earlier.length === 0) return false;
  const resource = parseJson(row.body ?? '{}') as Resource;
  const identifiers = ((JSON.parse(patient.body ?? '{}') as Resource)['identifier'] ?? []) as readonly {
    system?: string;
    value?: string;
  }[];
  const values = house.extract(resource, {
    resolve: ({ identifier }) =>
      identifiers.some(({ system, value }) => system === identifier.system && value === identifier.value) ? patient : undefined,
    baseUrl: house.baseUrl,
    timeZone: house.timeZone,
  });
  return values.some(
    (value) =>
      value.kind === 'reference' && step.earlier.includes(value.param) && value.target.type === 'Patient' && value.target.id === patient.id,
  );
};

const page = async (
  walk: Walk,
  from: Position,
  count: number,
): Promise<{ readonly rows: readonly Stored[]; readonly next: Position | undefined }> => {
  const rows: Stored[] = [];
  let { step, after } = from;
  while (step < walk.steps.length && rows.length < count) {
    const here = walk.steps[step];
    if (!here) break;
    const plan = {
      type: here.type,
      where: conditions(walk, here),
      sort: [],
      count: count - rows.length,
      ...(after === undefined ? {} : { after }),
    };
    const found = await walk.house.store.search(plan, sightOf(walk.call.caller, here.type));
    rows.push(...found.rows.filter((row) => !isShownBefore(walk, here, row)));
    after = found.next;
    if (after === undefined) step++;
  }
  return { rows, next: step < walk.steps.length ? { step, after } : undefined };
};

/** What the rows of a page refer to outside of the compartment: who and where, as far as the caller may read it. */
const referredTo = async ({ house, call }: Walk, rows: readonly Stored[]): Promise<readonly Stored[]> => {
  const wanted = new Map<string, Key>();
  for (const row of rows)
    for (const { reference } of findReferences(JSON.parse(row.body ?? '{}'), row.type)) {
      const key = reference === undefined ? undefined : readReference(reference, house.baseUrl);
      if (
        key &&
        key.type !== 'Patient' &&
        key.type !== 'AuditEvent' &&
        !Object.hasOwn(patientCompartment, key.type) &&
        mayRead(call.caller, key.type)
      )
        wanted.set(referenceTo(key), key);
    }
  const found = await Promise.all([...wanted.values()].map((key) => house.store.find(key, sightOf(call.caller, key.type))));
  return found.filter((row): row is Stored => row?.body !== undefined);
};

const encode = ({ step, after }: Position): string => Buffer.from(JSON.stringify([step, after ?? null])).toString('base64url');
const decode = (text: string): Position => {
  const [step, after] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [number, string | null];
  return { step, after: after ?? undefined };
};

const known = ['_since', '_type', '_count', 'start', 'end', '_cursor'];

const countOf = (text: string | undefined): number => {
  if (text === undefined) return usualCount;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw failure('invalid', 'value', '_count takes a whole number from 1.', { expression: ['_count'] });
  if (Number(text) > mostRows)
    throw failure('too-costly', 'too-costly', `A page holds at most ${String(mostRows)} entries.`, { expression: ['_count'] });
  return Number(text);
};

/** R4 patient-operation-everything.html: the record of one patient, page by page, AuditEvents never in it. */
export const everythingOperation: Operation = {
  definition: {
    name: 'PatientEverything',
    code: 'everything',
    description: 'The patient, what is in the patient’s compartment, and who and what that refers to.',
    affectsState: false,
    system: false,
    type: false,
    instance: true,
    resource: ['Patient'],
    parameter: [
      { name: 'start', use: 'in', min: 0, max: '1', type: 'date' },
      { name: 'end', use: 'in', min: 0, max: '1', type: 'date' },
      { name: '_since', use: 'in', min: 0, max: '1', type: 'instant' },
      { name: '_type', use: 'in', min: 0, max: '*', type: 'code' },
      { name: '_count', use: 'in', min: 0, max: '1', type: 'integer' },
      { name: 'return', use: 'out', min: 1, max: '1', type: 'Bundle' },
    ],
  },
  interaction: 'r',
  perform: async (shown, call, invocation) => {
    // what goes out as a whole record is nothing that a client writes back
    const house = discreet(shown);
    const key = { type: 'Patient', id: invocation.id ?? '' };
    const patient = await house.store.find(key, sightOf(call.caller, 'Patient'));
    if (!patient) throw notFound(key);
    if (patient.body === undefined) throw gone(key);
    const inputs = inputsOf(invocation, known);
    const one = (name: string): string | undefined => inputs.get(name)?.[0];
    const span = (name: string): Span | undefined => {
      const text = one(name);
      const read = text === undefined ? undefined : readDate(text.replace(' ', '+'), house.timeZone);
      if (text !== undefined && !read) throw failure('invalid', 'value', `${name} takes a date.`, { expression: [name] });
      return read;
    };
    const types = inputs.get('_type')?.flatMap((value) => value.split(','));
    const unknown = types?.find((type) => !house.registry.has(type));
    if (unknown !== undefined) throw failure('invalid', 'value', `${unknown} is not a type that is served.`, { expression: ['_type'] });
    const walk: Walk = {
      house,
      call,
      patient,
      steps: stepsFor(call, types),
      since: span('_since'),
      start: span('start'),
      end: span('end'),
    };
    const cursor = one('_cursor');
    const from = cursor === undefined ? { step: 0, after: undefined } : decode(house.openCursor(cursor));
    const first = cursor === undefined && (types === undefined || types.includes('Patient')) && isSince(walk, patient);
    const count = countOf(one('_count'));
    const { rows, next } = await page(walk, from, first ? Math.max(count - 1, 1) : count);
    const matches = first ? [patient, ...rows] : rows;
    const included = types === undefined ? await referredTo(walk, matches) : [];
    const base = `${house.baseUrl}/Patient/${key.id}/$everything`;
    const honoured = invocation.query.filter(([name]) => known.includes(name) && name !== '_cursor');
    const links: Link[] = [
      {
        relation: 'self',
        url: urlOf(
          base,
          invocation.query.filter(([name]) => known.includes(name)),
        ),
      },
    ];
    if (next) links.push({ relation: 'next', url: urlOf(base, [...honoured, ['_cursor', house.signCursor(encode(next))]]) });
    return {
      status: 200,
      body: bundleText(house.baseUrl, { type: 'searchset', lastUpdated: house.clock() }, links, [
        ...matches.map((stored) => ({ stored, more: { search: { mode: 'match' } } })),
        ...included.map((stored) => ({ stored, more: { search: { mode: 'include' } } })),
      ]),
      headers: {},
    };
  },
};

const isSince = ({ since }: Walk, { lastUpdated }: Stored): boolean => since === undefined || lastUpdated >= since.low;
