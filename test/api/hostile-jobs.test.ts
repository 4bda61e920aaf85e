import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { deferredJob } from '../../src/bulk/deferred-job.js';
import type { HeldJob } from '../../src/jobs/jobs.js';
import { resourcesOf, suiteServer, type Answer } from '../helpers/running-server.js';

// Work that is done later: once, under the conditions that were sent with it, for who asked alone, and no more of it than one client may keep.
const server = suiteServer();
jest.setTimeout(60_000);

const later = { prefer: 'respond-async' };
const finished = async (kickOff: Answer): Promise<Answer> => {
  expect([kickOff.status, kickOff.text]).toEqual([202, kickOff.text]);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await server.as('system', 'GET', kickOff.headers.get('content-location') ?? '');
    if (answer.status !== 202) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the job does not end');
};
const transaction = (text: string) => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [{ resource: { resourceType: 'Basic', code: { text } }, request: { method: 'POST', url: 'Basic' } }],
});
const basicsWith = async (text: string): Promise<number> =>
  resourcesOf((await server.as('system', 'GET', 'Basic/_history?_count=1000')).json).filter((basic) => JSON.stringify(basic).includes(text))
    .length;
const pair = () => ({ 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() });

it('a write that is to be done later and is sent again is done once', async () => {
  const text = randomUUID();
  const headers = { ...later, ...pair() };
  const first = await server.as('system', 'POST', '', transaction(text), headers);
  const again = await server.as('system', 'POST', '', transaction(text), headers);
  expect([again.status, again.text.includes('duplicate')]).toEqual([409, true]);
  await finished(first);
  expect((await server.as('system', 'POST', '', transaction(text), headers)).status).toBe(409);
  expect(await basicsWith(text)).toBe(1);
});

it('so is an import, and an export that is asked for by POST', async () => {
  const text = randomUUID();
  const ndjson = { 'content-type': 'application/fhir+ndjson', ...pair() };
  const line = JSON.stringify({ resourceType: 'Basic', code: { text } });
  const first = await server.as('system', 'POST', '$import', line, ndjson);
  expect((await server.as('system', 'POST', '$import', line, ndjson)).status).toBe(409);
  await finished(first);
  expect(await basicsWith(text)).toBe(1);
  const ids = pair();
  const kickOff = () => server.as('system', 'POST', '$export?_type=Basic', { resourceType: 'Parameters' }, ids);
  expect([(await kickOff()).status, (await kickOff()).status]).toEqual([202, 409]);
});

it('is done under the conditions that came with it', async () => {
  const made = await server.as('system', 'POST', 'Basic', { resourceType: 'Basic', code: { text: 'x' } });
  const labels = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:x', code: 'y' }] } }] };
  const url = `Basic/${String(made.json['id'])}/$meta-add`;
  const statusOf = async (version: string): Promise<unknown> => {
    const done = await finished(await server.as('system', 'POST', url, labels, { ...later, 'if-match': version }));
    return (done.json['entry'] as readonly { response: { status: string } }[])[0]?.response.status;
  };
  expect(await statusOf('W/"99"')).toBe('412');
  expect(await statusOf('W/"1"')).toBe('200');
});

it('is not done again by the process that goes on after another one died', async () => {
  const house = await server.house();
  const text = randomUUID();
  const body = `deferred-${randomUUID()}`;
  await house.blobs.write(body, Readable.from([Buffer.from(JSON.stringify(transaction(text)))]), 10_000);
  const caller = { kind: 'system', clientId: 'demo-system', scopes: ['system/*.cruds'], organisations: [] } as const;
  const request = { call: { caller, lenient: false }, method: 'POST', url: '', body };
  const id = randomUUID();
  const attempt = (attempts: number) =>
    deferredJob(house, {
      job: { id, kind: 'deferred', owner: '', request, status: 'running', submitted: 0, attempts },
    } as unknown as HeldJob);
  expect(await attempt(1)).toMatchObject({ status: 200 });
  expect(await attempt(2)).toMatchObject({ category: 'conflict' });
  expect(await basicsWith(text)).toBe(1);
});

it('is kept for a client up to a number, and then for the others all the same', async () => {
  const { jobs, blobs } = await server.house();
  const names = async () => {
    const all: string[] = [];
    for await (const { name } of blobs.list()) all.push(name);
    return all.length;
  };
  const asked = { kind: 'done-by-nobody', owner: 'x', client: 'demo-system', request: {} };
  const submitted = await Promise.all(Array.from({ length: 50 }, () => jobs.submit(asked)));
  const before = await names();
  const refused = [
    await server.as('system', 'GET', '$export'),
    await server.as('system', 'POST', '$import', '{}', { 'content-type': 'application/fhir+ndjson' }),
    await server.as('system', 'POST', '', transaction('x'), later),
  ];
  expect(refused.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual(Array(3).fill([429, '60']));
  // and nothing was kept of them
  expect(await names()).toBe(before);
  expect((await server.as('gp', 'GET', 'Slot?_count=1', undefined, later)).status).toBe(202);
  for (const { id } of submitted) await jobs.cancel(id);
  await finished(await server.as('system', 'GET', '$export?_type=Basic'));
});

it('is told to nobody else: another client, another user of the client, another place or function of the user', async () => {
  const kickOff = await server.as('gp', 'GET', 'Slot?_count=1', undefined, later);
  const url = kickOff.headers.get('content-location') ?? '';
  const others = [
    await server.as('system', 'GET', url),
    await server.as('provider', 'GET', url),
    await server.as('patient', 'GET', url),
    await server.as('gp', 'GET', url, undefined, { 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN_ADMIN' }),
    await server.as('system', 'DELETE', url),
  ];
  expect(others.map(({ status }) => status)).toEqual([404, 404, 404, 403, 404]);
  expect((await server.as('gp', 'GET', url)).status).toBeLessThan(300);
});
