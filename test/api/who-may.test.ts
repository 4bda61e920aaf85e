import { readFileSync } from 'node:fs';
import type { Caller, Kind } from '../../src/access/caller.js';
import {
  businessFunctions,
  clinicalReads,
  findRule,
  isPermitted,
  isReading,
  type OperationRule,
} from '../../src/access/operation-rules.js';
import { isOpen } from '../../src/access/policy.js';
import { fetchToken } from '../../src/auth/client-token.js';
import type { Client, Jwk } from '../../src/auth/client.js';
import { storedClients } from '../../src/auth/stored-clients.js';
import { operations } from '../../src/operations/operations.js';
import { startServer, type Answer, type Running } from '../helpers/running-server.js';

// Every interaction and every operation by every kind of client and every business function, over HTTP: who may is the table's word, and what
// is somebody else's shows to nobody, whoever may ask.
let server: Running;
type Role = { readonly name: string; readonly caller: Pick<Caller, 'kind' | 'businessFunction'>; readonly client: string };
const app = (name: string, client: string): Role => ({ name, caller: { kind: 'app', businessFunction: name }, client });
const roles: readonly Role[] = [
  { name: 'system', caller: { kind: 'system' }, client: 'demo-system' },
  ...businessFunctions.map((name): Role => ({ name, caller: { kind: 'user', businessFunction: name }, client: 'demo-gp' })),
  { name: 'patient', caller: { kind: 'patient' }, client: 'demo-patient-app' },
  app('PROVIDER_AUTHORISED_APPLICATION', 'demo-provider-app'),
  app('REFERRER_AUTHORISED_APPLICATION', 'referrer-app'),
];
const tokens = new Map<string, string>();
/** what nobody but a system client may see, in every record that is hidden */
const mark = 'Markedashidden';
/** how it is searched for: links repeat what was asked */
const start = 'Marked';
const hidden = new Map<string, string>();

const as = (role: Role, method: string, url: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  server.as('nobody', method, url, body, {
    authorization: `Bearer ${tokens.get(role.client) ?? ''}`,
    ...(role.caller.kind === 'user'
      ? { 'NHSD-End-User-Organisation-ODS': 'D82106', 'NHSD-eRS-Business-Function': role.caller.businessFunction ?? '' }
      : {}),
    ...(role.name === 'SERVICE_PROVIDER_CLINICIAN_ADMIN' ? { 'NHSD-eRS-On-Behalf-Of-User-ID': '021600556514' } : {}),
    ...more,
  });
const created = async (type: string, more: object): Promise<string> => {
  const answer = await server.as('system', 'POST', type, { resourceType: type, ...more });
  expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
  hidden.set(type, String(answer.json['id']));
  return `${type}/${String(answer.json['id'])}`;
};

beforeAll(async () => {
  server = await startServer();
  const jwk = JSON.parse(readFileSync(`${server.dataDir}/clients/demo-provider-app.jwk.json`, 'utf8')) as Jwk;
  const { kty, n, e, kid } = jwk as Jwk & { readonly n: string; readonly e: string };
  const client: Client = {
    ...{ id: 'referrer-app', kind: 'app', algorithms: ['RS512'], jwks: { keys: [{ kty, n, e, kid }] } },
    ...{ scopes: ['system/*.cruds'], organisations: ['D82106'], businessFunction: 'REFERRER_AUTHORISED_APPLICATION' },
  } as Client;
  const { store, clock } = await server.house();
  await storedClients(store, { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) }, clock).put(client);
  // one worker who holds every function
  const role = await server.as('system', 'GET', 'PractitionerRole/D82106-021600556514');
  const code = businessFunctions.map((name) => ({
    coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1', code: name }],
  }));
  const put = await server.as('system', 'PUT', 'PractitionerRole/D82106-021600556514', { ...role.json, code });
  expect([put.status, put.text]).toEqual([200, put.text]);
  for (const clientId of new Set(roles.map((one) => one.client))) {
    const keyFile = `${server.dataDir}/clients/${clientId === 'referrer-app' ? 'demo-provider-app' : clientId}.jwk.json`;
    tokens.set(clientId, await fetchToken({ clientId, keyFile, tokenUrl: `${server.baseUrl}/oauth2/token` }));
  }
  const subject = { reference: await created('Patient', { name: [{ family: mark }], birthDate: '1950-01-02' }) };
  const note = [{ text: mark }];
  const referral = await created('ServiceRequest', { status: 'active', intent: 'order', subject, note });
  await created('Observation', { status: 'final', code: { text: mark }, subject });
  await created('Task', { status: 'requested', intent: 'order', focus: { reference: referral }, note });
  await created('List', { status: 'current', mode: 'working', title: mark, subject, entry: [{ item: subject }] });
  await created('Group', { type: 'person', actual: true, name: mark, member: [{ entity: subject }] });
}, 120_000);
afterAll(() => server.stop());

const mayRead = (role: Role, type: string): boolean => isOpen(type) || isPermitted(clinicalReads, role.caller);
const mayWrite = (role: Role, type: string, letter: string): boolean => {
  if (role.caller.kind === 'system') return true;
  const rule = findRule(`${type}.${letter}`);
  return rule !== undefined && isPermitted(rule, role.caller);
};
/** What an answer says of who may; and that nothing of what is hidden is in it. */
const check = (role: Role, what: string, may: boolean, answer: Answer): void => {
  expect([what, answer.status < 500 || answer.status === 501]).toEqual([what, true]);
  expect([what, answer.status === 403 ? 'refused' : 'let in']).toEqual([what, may ? 'let in' : 'refused']);
  if (role.caller.kind !== 'system') expect([what, answer.text.includes(mark)]).toEqual([what, false]);
};

/** A read in every form that a search and a history have; `types` that it looks into. */
const reads: readonly (readonly [name: string, url: (id: string) => string, types: readonly string[]])[] = [
  ...['Patient', 'ServiceRequest', 'Observation', 'Task', 'List', 'Group', 'Organization', 'Slot'].flatMap((type) => [
    [`read of ${type}`, (id: string) => `${type}/${id}`, [type]] as const,
    [`vread of ${type}`, (id: string) => `${type}/${id}/_history/1`, [type]] as const,
    [`history of ${type}`, (id: string) => `${type}/${id}/_history`, [type]] as const,
    [`history of all ${type}`, () => `${type}/_history?_count=20`, [type]] as const,
    [`search of ${type}`, (id: string) => `${type}?_id=${id}`, [type]] as const,
    [`search of ${type} with an accurate total, sorted`, () => `${type}?_total=accurate&_sort=-_lastUpdated&_count=5`, [type]] as const,
    [`count of ${type}`, (id: string) => `${type}?_id=${id}&_summary=count`, [type]] as const,
  ]),
  ['_filter', (id) => `Patient?_filter=_id eq ${id}`, ['Patient']],
  ['_list', () => `Patient?_list=${hidden.get('List') ?? ''}`, ['Patient', 'List']],
  ['_include', () => 'ServiceRequest?_include=ServiceRequest:subject&_sort=-_lastUpdated', ['ServiceRequest']],
  ['_include of all', () => 'Task?_include=*&_sort=-_lastUpdated', ['Task']],
  ['_revinclude', (id) => `Patient?_id=${id}&_revinclude=Observation:subject&_revinclude=List:subject`, ['Patient']],
  ['_revinclude from the directory', () => 'Organization?_revinclude=Patient:organization&_count=5', ['Organization']],
  ['chain', () => `ServiceRequest?subject:Patient.family=${start}`, ['ServiceRequest', 'Patient']],
  ['_has', () => `Patient?_has:Observation:subject:code:text=${start}`, ['Patient', 'Observation']],
  ['_has from the directory', () => `Organization?_has:Patient:general-practitioner:family=${start}`, ['Organization', 'Patient']],
  [':text', () => `Observation?code:text=${start}`, ['Observation']],
  ['_contained', (id) => `Patient?_id=${id}&_contained=both`, ['Patient']],
  ['compartment', (id) => `Patient/${id}/Observation`, ['Observation', 'Patient']],
];

describe.each(roles.map((role) => [role.name, role] as const))('%s', (_, role) => {
  it('reads as the table says, and nothing that is hidden', async () => {
    for (const [name, url, types] of reads) {
      const type = types[0] ?? '';
      const answer = await as(role, 'GET', url(hidden.get(type === 'Observation' && name === 'compartment' ? 'Patient' : type) ?? 'x'));
      check(
        role,
        name,
        types.every((one) => mayRead(role, one)),
        answer,
      );
    }
  });

  it('reads the audit trail, the history of all and exports only as a system client', async () => {
    const isSystem = role.caller.kind === 'system';
    const group = hidden.get('Group') ?? '';
    for (const url of ['AuditEvent?_count=1', 'AuditEvent/x', '_history?_count=1', '$export', 'Patient/$export', `Group/${group}/$export`])
      check(role, url, isSystem, await as(role, 'GET', url));
  });

  it('writes as the table says', async () => {
    for (const type of [
      'Patient',
      'ServiceRequest',
      'Appointment',
      'Slot',
      'Schedule',
      'DocumentReference',
      'QuestionnaireResponse',
      'Task',
      'Organization',
    ]) {
      const at = `${type}/${hidden.get(type) ?? 'nobody'}`;
      const match = { 'if-match': 'W/"99"' };
      const id = hidden.get(type) ?? 'nobody';
      for (const [letter, method, url, body, headers] of [
        ['c', 'POST', type, { resourceType: type, nonsense: true }, {}],
        ['u', 'PUT', at, { resourceType: type, id, nonsense: true }, match],
        ['u', 'PATCH', at, [], { ...match, 'content-type': 'application/json-patch+json' }],
        ['u', 'PUT', `${type}?_id=${id}`, { resourceType: type, nonsense: true }, match],
        ['d', 'DELETE', at, undefined, match],
        ['d', 'DELETE', `${type}?_id=nobody`, undefined, match],
      ] as const)
        check(role, `${method} ${url}`, mayWrite(role, type, letter), await as(role, method, url, body, headers));
    }
  });

  it('does no more in a batch or a transaction', async () => {
    const patient = `Patient/${hidden.get('Patient') ?? ''}`;
    const entry = [
      { request: { method: 'GET', url: patient } },
      { request: { method: 'GET', url: 'AuditEvent?_count=1' } },
      { request: { method: 'DELETE', url: 'Organization/nobody', ifMatch: 'W/"1"' } },
      { request: { method: 'PUT', url: 'Task/nobody', ifMatch: 'W/"99"' }, resource: { resourceType: 'Task', id: 'nobody' } },
    ];
    const statuses = (answer: Answer): readonly string[] =>
      ((answer.json['entry'] ?? []) as readonly { response: { status: string } }[]).map(({ response }) => response.status);
    const batch = await as(role, 'POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    const refused = [
      !mayRead(role, 'Patient'),
      role.caller.kind !== 'system',
      !mayWrite(role, 'Organization', 'd'),
      !mayWrite(role, 'Task', 'u'),
    ];
    expect(statuses(batch).map((status) => status === '403')).toEqual(refused);
    if (role.caller.kind !== 'system') expect(batch.text).not.toContain(mark);
    for (const one of entry) {
      const alone = await as(role, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [one] });
      expect([one.request.url, alone.status === 200 && role.caller.kind !== 'system']).toEqual([one.request.url, false]);
      if (role.caller.kind !== 'system') expect(alone.text).not.toContain(mark);
    }
  });

  it('performs the operations that the table gives it, and no others', async () => {
    for (const { definition } of operations) {
      const { code, resource = [] } = definition;
      const type = definition.system && resource.length === 0 ? undefined : resource.includes('Resource') ? 'Patient' : resource[0];
      if (type !== undefined && type !== 'CapabilityStatement' && !definition.type && !definition.instance) continue;
      const path = [
        type,
        definition.instance && type !== undefined && !definition.type ? (hidden.get(type) ?? 'nobody') : undefined,
        `$${code}`,
      ];
      const url = path.filter((one) => one !== undefined).join('/');
      const rule: OperationRule | undefined = findRule(code);
      const reading = isReading(code) && (type === undefined || mayRead(role, type));
      const may = role.caller.kind === 'system' || (rule === undefined ? reading : isPermitted(rule, role.caller));
      const answer = await as(role, 'POST', url, { resourceType: 'Parameters' }, { 'if-match': 'W/"99"' });
      // labels of a whole type are for who may read all of it
      check(role, url, code === 'meta' && type === 'Patient' ? role.caller.kind === 'system' : may, answer);
    }
  });

  it('uploads documents as the table says', async () => {
    const answer = await as(role, 'POST', 'Binary', 'Dear colleague', { 'content-type': 'text/plain' });
    check(role, 'POST Binary', mayWrite(role, 'Binary', 'c'), answer);
  });
});

it('every kind and every function is among the roles', () => {
  const kinds: readonly Kind[] = ['system', 'app', 'user', 'patient'];
  expect(new Set(roles.map(({ caller }) => caller.kind))).toEqual(new Set(kinds));
  expect(roles.filter(({ caller }) => caller.kind === 'user').map(({ name }) => name)).toEqual([...businessFunctions]);
});
