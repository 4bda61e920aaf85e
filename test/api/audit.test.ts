import { randomUUID } from 'node:crypto';
import { ersOf } from '../helpers/ers.js';
import { resourcesOf, startServer, type Answer, type Role, type Running } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

// Every way a request can go leaves an AuditEvent: what was done, and what was refused on the way there, once each.
let server: Running;
beforeAll(async () => {
  server = await startServer({ MAX_BODY: '20000', MAX_BINARY: '2000', MAX_ENTRIES: '2' });
}, 60_000);
afterAll(() => server.stop());

type Event = {
  readonly outcome: string;
  readonly outcomeDesc?: string;
  readonly action: string;
  readonly subtype: readonly { readonly code: string }[];
  readonly agent: readonly { readonly who: { readonly identifier?: { readonly value: string } } }[];
};
/** The AuditEvents of one correlation id, of which there are so many. */
const eventsOf = (correlation: string, atLeast = 1): Promise<readonly Event[]> =>
  whenTold(
    async () => {
      const answer = await server.as('system', 'GET', 'AuditEvent?_sort=-date&_count=100');
      return resourcesOf(answer.json, 'AuditEvent').filter((event) =>
        JSON.stringify(event).includes(correlation),
      ) as unknown as readonly Event[];
    },
    ({ length }) => length >= atLeast,
  );
type Sent = readonly [role: Role, method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>];
const told = async ([role, method, url, body, headers]: Sent): Promise<{ readonly answer: Answer; readonly events: readonly Event[] }> => {
  const correlation = randomUUID();
  const answer = await server.as(role, method, url, body, { 'x-correlation-id': correlation, ...headers });
  return { answer, events: await eventsOf(correlation) };
};

const patient = { resourceType: 'Patient', active: true };
const entry = { request: { method: 'GET', url: 'Slot?_count=1' } };

describe('what is refused is told once', () => {
  it.each<[string, number, string, Sent]>([
    ['no token', 401, 'login', ['nobody', 'GET', 'Patient']],
    ['a token that is none', 401, 'login', ['nobody', 'GET', 'Patient', undefined, { authorization: 'Bearer x.y.z' }]],
    ['a header that is missing', 400, 'invalid', ['gp', 'GET', 'Patient', undefined, { 'NHSD-End-User-Organisation-ODS': '' }]],
    ['a role that is not held', 403, 'forbidden', ['gp', 'GET', 'Patient', undefined, { 'NHSD-End-User-Organisation-ODS': 'RCD' }]],
    ['a type of another kind', 403, 'forbidden', ['gp', 'POST', 'Patient', patient]],
    ['a record that is not there', 404, 'not-found', ['gp', 'GET', 'Patient/none']],
    ['a body that is no JSON', 400, 'invalid', ['system', 'POST', 'Patient', '{']],
    ['a body that is too large', 413, 'too-large', ['system', 'POST', 'Patient', { ...patient, id: 'x'.repeat(30_000) }]],
    ['a media type', 415, 'media-type', ['system', 'POST', 'Patient', 'a', { 'content-type': 'text/plain' }]],
    ['an Accept', 406, 'not-acceptable', ['system', 'GET', 'Patient', undefined, { accept: 'text/html' }]],
    ['a verb', 405, 'method', ['system', 'DELETE', 'AuditEvent/x']],
    [
      'a batch of too many',
      422,
      'too-costly',
      ['system', 'POST', '', { resourceType: 'Bundle', type: 'batch', entry: [entry, entry, entry] }],
    ],
    [
      'a transaction of too many',
      422,
      'too-costly',
      ['system', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [entry, entry, entry] }],
    ],
    ['a document that is too large', 413, 'too-large', ['gp', 'POST', 'Binary', 'x'.repeat(4000), { 'content-type': 'text/plain' }]],
    ['an import of another kind', 403, 'forbidden', ['gp', 'POST', '$import', '{}', { 'content-type': 'application/fhir+ndjson' }]],
    ['an export of another kind', 403, 'forbidden', ['provider', 'GET', '$export']],
    ['a job of nobody', 404, 'not-found', ['system', 'GET', '_job/none/0']],
    ['AuditEvents', 403, 'forbidden', ['gp', 'GET', 'AuditEvent']],
  ])('%s', async (_, status, reason, sent) => {
    const { answer, events } = await told(sent);
    expect([answer.status, answer.text]).toEqual([status, answer.text]);
    expect(events.map(({ outcome, outcomeDesc }) => [outcome, outcomeDesc])).toEqual([['4', reason]]);
  });
  it('a write sent again', async () => {
    const pair = { 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() };
    await server.as('system', 'POST', 'Patient', patient, pair);
    expect((await server.as('system', 'POST', 'Patient', patient, pair)).status).toBe(409);
    const events = await eventsOf(pair['x-correlation-id'], 2);
    expect(events.map(({ outcome, outcomeDesc = '' }) => outcome + outcomeDesc).sort()).toEqual(['0', '4conflict']);
  });
});

describe('what is done is told, with who did it', () => {
  it.each<[string, string, string, Sent]>([
    ['a read', 'read', 'demo-gp', ['gp', 'GET', 'HealthcareService/11001']],
    ['a search', 'search-type', 'demo-gp', ['gp', 'GET', 'Slot?_count=1']],
    ['a search over types', 'search-type', 'demo-system', ['system', 'GET', '?_type=Slot&_count=1']],
    ['a history', 'history-type', 'demo-provider', ['provider', 'GET', 'Slot/_history?_count=1']],
    ['the history of all', 'history-system', 'demo-system', ['system', 'GET', '_history?_count=1']],
    ['a computed search', 'search-type', 'demo-gp', ['gp', 'GET', 'Task?focus=ServiceRequest/none&intent=proposal&status=ready']],
    [
      'a worklist',
      'ers.fetchworklist',
      'demo-provider',
      [
        'provider',
        'POST',
        'ServiceRequest/$ers.fetchworklist',
        { resourceType: 'Parameters', parameter: [{ name: 'listType', valueCode: 'REFERRALS_FOR_REVIEW' }] },
      ],
    ],
    ['an export', 'export', 'demo-system', ['system', 'GET', 'Patient/$export?_type=Patient']],
    ['a document', 'create', 'demo-gp', ['gp', 'POST', 'Binary', 'Dear colleague', { 'content-type': 'text/plain' }]],
  ])('%s', async (_, doing, client, sent) => {
    const { answer, events } = await told(sent);
    expect([answer.status < 300, answer.text.slice(0, 200)]).toEqual([true, answer.text.slice(0, 200)]);
    expect(events.map(({ outcome, subtype }) => [outcome, subtype.at(-1)?.code])).toEqual([['0', doing]]);
    expect(events[0]?.agent.map(({ who }) => who.identifier?.value)).toContain(client);
  });
  it('the files of an export, by job and number', async () => {
    const begun = await server.as('system', 'GET', 'Patient/$export?_type=Patient');
    const job = String(begun.headers.get('content-location'));
    for (let tries = 0; tries < 100 && (await server.as('system', 'GET', job)).status === 202; tries++)
      await new Promise((done) => setTimeout(done, 50));
    const { answer, events } = await told(['system', 'GET', `${job}/0`]);
    expect(answer.status).toBe(200);
    const [event] = events as unknown as readonly { readonly entity: readonly { readonly query?: string }[] }[];
    const queries = (event?.entity ?? []).map(({ query }) => Buffer.from(query ?? '', 'base64').toString());
    expect(queries).toContain(job.slice(job.indexOf('_job/') + 5) + '/0');
  });
  it('a create as one, whatever else its unit writes; an update as an update, also where it creates', async () => {
    const ers = ersOf(server);
    const { service, slots } = await ers.withSlots();
    const referral = (await ers.refer([service]))['id'];
    const booking = await told(['gp', 'POST', 'Appointment', ers.appointment(referral, slots[0]?.['id'])]);
    expect([booking.answer.status, booking.answer.text]).toEqual([201, booking.answer.text]);
    expect(booking.events.map(({ action, subtype }) => [action, subtype.at(-1)?.code])).toEqual([['C', 'create']]);
    const id = randomUUID();
    const put = async (active: boolean) => (await told(['system', 'PUT', `Patient/${id}`, { ...patient, id, active }])).events[0]?.action;
    expect([await put(true), await put(false)]).toEqual(['C', 'U']);
  });
  it('each entry of a batch, and a transaction once', async () => {
    const bundle = (type: string) => ({
      resourceType: 'Bundle',
      type,
      entry: [entry, { request: { method: 'GET', url: 'Patient/none' } }],
    });
    const batch = (await told(['gp', 'POST', '', bundle('batch')])).events;
    expect(batch.map(({ outcome, subtype }) => `${outcome} ${subtype.at(-1)?.code ?? ''}`).sort()).toEqual(['0 search-type', '4 read']);
    const { events } = await told(['gp', 'POST', '', bundle('transaction')]);
    expect(events.map(({ outcome }) => outcome)).toEqual(['4']);
  });
  it('tokens, issued and refused', async () => {
    const post = (body: string) => {
      const correlation = randomUUID();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-correlation-id': correlation };
      return fetch(`${server.baseUrl}/oauth2/token`, { method: 'POST', headers, body }).then(() => eventsOf(correlation));
    };
    const [refused] = await post('grant_type=password');
    expect([refused?.outcome, refused?.outcomeDesc]).toEqual([
      '4',
      'unsupported_grant_type: grant_type must be client_credentials or token-exchange',
    ]);
  });
});
