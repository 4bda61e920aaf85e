import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fetchToken } from '../../src/auth/client-token.js';
import type { Client, Jwk } from '../../src/auth/client.js';
import { storedClients, type StoredRegistry } from '../../src/auth/stored-clients.js';
import { ersOf, ifMatch } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

// Every kind of refusal leaves an AuditEvent that says who asked and why not; a flood of them leaves some, and how many more there were.
const server = suiteServer();
const ers = ersOf(server);
jest.setTimeout(60_000);

const processes = Number(process.env['WORKERS'] ?? '1');
type Event = {
  readonly outcome: string;
  readonly outcomeDesc?: string;
  readonly agent: readonly { readonly who: { readonly identifier?: { readonly value: string } } }[];
};
const eventsWith = (text: string, areAll = (events: readonly Event[]): boolean => events.length > 0): Promise<readonly Event[]> =>
  whenTold(async () => {
    const { json } = await server.as('system', 'GET', 'AuditEvent?_sort=-date&_count=600');
    return resourcesOf(json, 'AuditEvent').filter((event) => JSON.stringify(event).includes(text)) as unknown as readonly Event[];
  }, areAll);

let clients: StoredRegistry;
const keyFile = (): string => `${server.dataDir}/clients/demo-system.jwk.json`;
const tokenOf = (clientId: string): Promise<string> =>
  fetchToken({ clientId, keyFile: keyFile(), tokenUrl: `${server.baseUrl}/oauth2/token` });
/** A system client with the demo system's key. */
const registered = async (id: string, more: Partial<Client> = {}): Promise<string> => {
  const { kty, n, e, kid } = JSON.parse(readFileSync(keyFile(), 'utf8')) as Jwk & { readonly n: string; readonly e: string };
  const client = {
    id,
    kind: 'system',
    algorithms: ['RS512'],
    jwks: { keys: [{ kty, n, e, kid }] },
    scopes: ['system/*.cruds'],
    organisations: [],
  };
  await clients.put({ ...client, ...more } as Client);
  return tokenOf(id);
};
beforeAll(async () => {
  const { store, clock } = await server.house();
  clients = storedClients(store, { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) }, clock);
});

type Asked = { readonly answer: Answer; readonly events: readonly Event[] };
const asked = async (
  token: string,
  method: string,
  url: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Asked> => {
  const correlation = randomUUID();
  const own = { authorization: token.startsWith('B') ? token : `Bearer ${token}`, 'x-correlation-id': correlation };
  const answer = await server.as('nobody', method, url, body, { ...own, ...headers });
  return { answer, events: await eventsWith(correlation) };
};
const gp = { 'NHSD-End-User-Organisation-ODS': 'D82106', 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN' };
const at = (ods: string) => ({ 'NHSD-End-User-Organisation-ODS': ods, 'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN' });
const forged = (token: string): string => `${token.slice(0, -8)}AAAAAAAA`;

const refusals: readonly (readonly [name: string, status: number, reason: string, client: string, ask: () => Promise<Asked>])[] = [
  ['a forged token', 401, 'login', 'unknown', async () => asked(forged(await server.bearer('system')), 'GET', 'Patient')],
  [
    'a client that was revoked',
    401,
    'login',
    'revoked-one',
    async () => {
      const token = await registered('revoked-one');
      await clients.revoke('revoked-one');
      // known for three seconds at most
      await setTimeout(4100);
      return asked(token, 'GET', 'Patient');
    },
  ],
  ['a scope', 403, 'forbidden', 'narrow', async () => asked(await registered('narrow', { scopes: ['system/Slot.rs'] }), 'GET', 'Patient')],
  [
    'a scope, for an operation',
    403,
    'forbidden',
    'narrow-op',
    async () => asked(await registered('narrow-op', { scopes: ['system/Slot.rs'] }), 'GET', 'Patient/x/$everything'),
  ],
  [
    'a business function',
    403,
    'forbidden',
    'demo-provider',
    async () => asked(await server.bearer('provider'), 'POST', 'ServiceRequest/$ers.createReferral', { body: {}, headers: at('RCD') }),
  ],
  [
    'a business function that is not held',
    403,
    'forbidden',
    'demo-gp',
    async () =>
      asked(await server.bearer('gp'), 'GET', 'Patient', {
        headers: { ...gp, 'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN' },
      }),
  ],
  [
    'an organisation of others',
    403,
    'forbidden',
    'demo-gp',
    async () => asked(await server.bearer('gp'), 'GET', 'Patient', { headers: { ...gp, ...at('RCD') } }),
  ],
  [
    'e-RS headers of an app',
    403,
    'forbidden',
    'demo-provider-app',
    async () => asked(await server.bearer('app'), 'GET', 'Patient', { headers: at('RCD') }),
  ],
  ['no e-RS headers', 400, 'invalid', 'demo-gp', async () => asked(await server.bearer('gp'), 'GET', 'Patient')],
  [
    'somebody else’s record',
    404,
    'not-found',
    'demo-gp',
    async () => {
      const { json } = await server.as('system', 'POST', 'Patient', { resourceType: 'Patient', birthDate: '1950-01-02' });
      return asked(await server.bearer('gp'), 'GET', `Patient/${String(json['id'])}`, { headers: gp });
    },
  ],
  [
    'a referral that one may read and not act on',
    403,
    'forbidden',
    'demo-provider',
    async () => {
      const { service, slots } = await ers.withSlots();
      const [other] = await ers.services('DIRECTLY_BOOKABLE', 'R69');
      const referral = String((await ers.refer([service, String(other?.['id'])]))['id']);
      await ers.on('gp', referral, 'maintainReferralLetter', {
        resourceType: 'Parameters',
        parameter: [{ name: 'attachment', resource: await ers.upload('gp', 'a.txt') }],
      });
      await ers.book(referral, slots[0]?.['id']);
      const path = `ServiceRequest/${referral}`;
      const headers = { ...at('R69'), ...ifMatch(await ers.versionOf(path)) };
      return asked(await server.bearer('provider'), 'POST', `${path}/$ers.acceptReferral`, { headers });
    },
  ],
  [
    'a version that is not the current one',
    412,
    'precondition',
    'demo-system',
    async () =>
      asked(await server.bearer('system'), 'PUT', 'Organization/D82106', {
        body: (await server.as('system', 'GET', 'Organization/D82106')).json,
        headers: ifMatch(99),
      }),
  ],
  [
    'an operation of system clients',
    403,
    'forbidden',
    'demo-gp',
    async () => asked(await server.bearer('gp'), 'GET', '$export', { headers: gp }),
  ],
  [
    'a history of everything',
    403,
    'forbidden',
    'demo-gp',
    async () => asked(await server.bearer('gp'), 'GET', '_history', { headers: gp }),
  ],
  [
    'a search into what one may not search',
    403,
    'forbidden',
    'demo-gp',
    async () => asked(await server.bearer('gp'), 'GET', 'Patient?_has:AuditEvent:patient:type=rest', { headers: gp }),
  ],
];
it.each(refusals)('%s: %d, told once, with the reason and the client', async (_, status, reason, client, ask) => {
  const { answer, events } = await ask();
  expect([answer.status, answer.text]).toEqual([status, answer.text]);
  expect(events.map(({ outcome, outcomeDesc }) => [outcome, outcomeDesc])).toEqual([['4', reason]]);
  expect(events[0]?.agent.map(({ who }) => who.identifier?.value)).toContain(client);
});

it('a client that is registered again after it was revoked: a token of before is none, a new one is', async () => {
  const before = await registered('again');
  expect((await asked(before, 'GET', 'Slot?_count=1')).answer.status).toBe(200);
  await clients.revoke('again');
  await setTimeout(1100);
  const after = await registered('again');
  await setTimeout(4100);
  expect((await asked(before, 'GET', 'Slot?_count=1')).answer.status).toBe(401);
  expect((await asked(after, 'GET', 'Slot?_count=1')).answer.status).toBe(200);
});

it('each refused entry of a batch is told, beside those that were let in', async () => {
  const entry = ['Patient/none', 'AuditEvent', 'Slot?_count=1', '_history'].map((url) => ({ request: { method: 'GET', url } }));
  const { events } = await asked(await server.bearer('gp'), 'POST', '', {
    body: { resourceType: 'Bundle', type: 'batch', entry },
    headers: gp,
  });
  expect(events.map(({ outcome, outcomeDesc = '' }) => outcome + outcomeDesc).sort()).toEqual([
    '0',
    '4forbidden',
    '4forbidden',
    '4not-found',
  ]);
});

describe('a flood', () => {
  const flood = async (
    token: string,
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ReadonlyMap<number, number>> => {
    const statuses = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 400 }, async () => {
        const { status } = await server.as('nobody', 'GET', url, undefined, { authorization: `Bearer ${token}`, ...headers });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );
    return statuses;
  };
  const counted = (events: readonly Event[]) => {
    const refusals = events.filter(({ outcome, outcomeDesc = '' }) => outcome === '4' && !outcomeDesc.startsWith('invalid'));
    const more = refusals.map(({ outcomeDesc = '' }) => Number(/^(\d+) more refusals$/.exec(outcomeDesc)?.[1] ?? 0));
    return { told: refusals.length, untold: more.reduce((sum, n) => sum + n, 0) };
  };
  /** What the trail says of the client's refusals: events, and how many more they count. */
  const refusalsOf = async (client: string, atLeast = 1) =>
    counted(
      await eventsWith(`"value":"${client}"`, (events) => {
        const { told, untold } = counted(events);
        return told + untold >= atLeast;
      }),
    );

  /** each process tells fifty of each second since a flood began, and how many more they were */
  const mostTold = (started: number): number => processes * 51 * (Math.ceil((performance.now() - started) / 1000) + 1);

  it('over the limit of a client leaves some events, and the next one tells how many there were', async () => {
    const token = await registered('noisy', { ratePerSecond: 2 });
    const started = performance.now();
    const refused = (await flood(token, 'Slot?_count=1')).get(429) ?? 0;
    expect(refused).toBeGreaterThan(processes === 1 ? 300 : 100);
    await setTimeout(1100);
    // a process tells with its next refusal: side by side, so that each process has some
    const more = Array.from({ length: processes === 1 ? 10 : 100 }, () =>
      server.as('nobody', 'GET', 'Slot?_count=1', undefined, { authorization: `Bearer ${token}` }),
    );
    await Promise.all(more);
    const { told, untold } = await refusalsOf('noisy', refused);
    expect(told).toBeLessThanOrEqual(mostTold(started));
    expect(told + untold).toBeGreaterThanOrEqual(refused);
  });

  it('with headers that are refused is over the limit too', async () => {
    const gpClient = {
      kind: 'user',
      scopes: ['user/*.cruds'],
      organisations: ['D82106'],
      assertsUsers: ['021600556514'],
      defaultUser: '021600556514',
    } as const;
    const token = await registered('headless', { ...gpClient, ratePerSecond: 2 });
    const started = performance.now();
    const statuses = await flood(token, 'Patient');
    expect([...statuses.keys()].sort()).toEqual([400, 429]);
    // what is saved up for a burst, and two of each second
    expect(statuses.get(400)).toBeLessThan(processes * (50 + (2 * (performance.now() - started)) / 1000));
  });

  it('of a client that was revoked leaves some events', async () => {
    const token = await registered('ended');
    await clients.revoke('ended');
    await setTimeout(4100);
    const started = performance.now();
    expect([...(await flood(token, 'Patient'))]).toEqual([[401, 400]]);
    expect((await refusalsOf('ended')).told).toBeLessThanOrEqual(mostTold(started));
  });
});
