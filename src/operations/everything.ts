import { sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { readDate, type Span } from '../fhir/search/dates.js';
import { gone, notFound } from '../interactions/answers.js';
import { discreet } from '../interactions/discreet-house.js';
import { urlOf } from '../interactions/query.js';
import { bundleText, type Link } from '../interactions/splice.js';
import { recordPage, type Position, type Walk } from './everything-pages.js';
import type { Operation } from './operation.js';
import { inputsOf } from './inputs.js';

const usualCount = 100;
const mostRows = 1000;

const start: Position = { step: 0, after: undefined };
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
  readsQuery: true,
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
    const walk: Walk = { house, call, patient, types, since: span('_since'), start: span('start'), end: span('end') };
    const base = `${house.baseUrl}/Patient/${key.id}/$everything`;
    // what came in a body too: the next link is followed by GET
    const honoured = known.flatMap((name) =>
      name === '_cursor' ? [] : (inputs.get(name) ?? []).map((value): [string, string] => [name, value]),
    );
    const belonging = JSON.stringify(['everything', key.id, honoured.filter(([name]) => name !== '_count')]);
    const cursor = one('_cursor');
    const from = cursor === undefined ? start : decode(house.openCursor(cursor, belonging));
    const { matches, included, next } = await recordPage(walk, from, countOf(one('_count')));
    const link = (relation: Link['relation'], at: string | undefined): Link => ({
      relation,
      url: urlOf(base, at === undefined ? honoured : [...honoured, ['_cursor', at]]),
    });
    const links = [link('self', cursor), ...(next ? [link('next', house.signCursor(encode(next), belonging))] : [])];
    return {
      status: 200,
      body: bundleText(house.baseUrl, { type: 'searchset', lastUpdated: house.clock() }, links, [
        ...matches.map((stored) => ({ stored, more: { search: { mode: 'match' } } })),
        ...included.map((stored) => ({ stored, more: { search: { mode: 'include' } } })),
      ]),
      headers: {},
      seen: [patient, ...matches, ...included],
    };
  },
};
