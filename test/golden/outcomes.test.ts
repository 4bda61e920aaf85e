/**
 * What each kind of failure looks like to a client, as files to review: status, the headers that matter and the body, with what is new in
 * each run masked. `UPDATE_GOLDEN=1` writes them anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ersOf, ifMatch } from '../helpers/ers.js';
import { type Answer, suiteServer } from '../helpers/running-server.js';

const folder = path.join(__dirname, 'outcomes');
const updates = process.env['UPDATE_GOLDEN'] === '1';

const server = suiteServer({ MAX_BODY: '20000', MAX_ENTRIES: '2' });
jest.setTimeout(60_000);

const told = ['content-type', 'allow', 'www-authenticate', 'etag', 'location', 'retry-after', 'content-range'];

const masked = (text: string): string =>
  text
    .replaceAll(server.base, '[base]')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '[uuid]')
    // the parser's own words differ between versions of Node
    .replaceAll(/"diagnostics": "[^"]*JSON[^"]*"/g, '"diagnostics": "[parser]"')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, '[instant]');

const shown = ({ status, headers, json }: Answer): string => {
  const kept = Object.fromEntries(told.flatMap((name) => (headers.get(name) === null ? [] : [[name, headers.get(name)]])));
  return `${masked(JSON.stringify({ status, headers: kept, body: json }, null, 2))}\n`;
};

const system = (method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>) =>
  server.as('system', method, url, body, headers);
const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more });
const created = async (resource: { readonly resourceType: string }): Promise<string> => {
  const answer = await system('POST', resource.resourceType, resource);
  if (answer.status !== 201) throw new Error(answer.text);
  return `${resource.resourceType}/${String(answer.json['id'])}`;
};
const bundle = (type: string, ...entry: readonly object[]) => ({ resourceType: 'Bundle', type, entry });
const referral = { identifier: [{ system: 'https://fhir.nhs.uk/Id/UBRN', value: '000049999999' }] };
const request = (more: object = {}) => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005', display: 'Patient referral' }] }],
  subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
  ...more,
});
const pair = { 'x-request-id': '0a4f2c1e-7a53-4d0f-8b8e-0d6c2f1f0a11', 'x-correlation-id': 'golden' };

const cases: Readonly<Record<string, () => Promise<Answer>>> = {
  'unparsable-json': () => system('POST', 'Patient', '{"resourceType":'),
  'unparsable-xml': () => system('POST', 'Patient', '<Patient', { 'content-type': 'application/fhir+xml' }),
  'unknown-element': () => system('POST', 'Patient', patient({ colour: 'blue' })),
  'wrong-type': () => system('POST', 'Patient', patient({ active: 'yes' })),
  cardinality: () => system('POST', 'Slot', { resourceType: 'Slot', status: 'free' }),
  'required-binding': () => system('POST', 'Patient', patient({ gender: 'man' })),
  'base-invariant': () => system('POST', 'Patient', patient({ contact: [{ gender: 'male' }] })),
  'malformed-search-value': () => system('GET', 'Patient?birthdate=soon'),
  'unknown-search-parameter': () => system('GET', 'Basic?shoe=44'),
  'profile-rule': () =>
    system('POST', 'Patient', patient({ identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003889' }] })),
  'ers-rule': () => server.as('gp', 'POST', 'ServiceRequest', request(referral)),
  'unresolvable-reference': () =>
    system('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: 'Organization/none' } }),
  'if-match-absent': async () => {
    const ers = ersOf(server);
    const { id } = await ers.refer([(await ers.withSlots()).service]);
    return server.as('gp', 'POST', `ServiceRequest/${String(id)}/$ers.cancelReferral`, { resourceType: 'Parameters' });
  },
  'if-match-stale': async () => {
    const url = await created(patient());
    return system('PUT', url, patient({ id: url.split('/')[1] }), ifMatch(9));
  },
  'several-matches': async () => {
    await created(patient({ identifier: [{ system: 'urn:golden', value: 'twice' }] }));
    await created(patient({ identifier: [{ system: 'urn:golden', value: 'twice' }] }));
    return system('DELETE', 'Patient?identifier=urn:golden|twice');
  },
  'stale-versioned-reference': async () => {
    const organisation = await created({ resourceType: 'Organization', name: 'x' } as { resourceType: string });
    return system('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: `${organisation}/_history/2` } });
  },
  'slot-taken': async () => {
    const ers = ersOf(server);
    const { service, slots } = await ers.withSlots();
    const [first, second] = [await ers.refer([service]), await ers.refer([service])];
    await ers.book(first['id'], slots[0]?.['id']);
    return server.as('gp', 'POST', 'Appointment', ers.appointment(second['id'], slots[0]?.['id']));
  },
  'unique-identifier-taken': async () => {
    await created(request(referral));
    return system('POST', 'ServiceRequest', request(referral));
  },
  'delete-of-a-referenced-resource': async () => {
    const url = 'Organization/golden';
    await system('PUT', url, { resourceType: 'Organization', id: 'golden', name: 'x' });
    await system('PUT', 'Location/golden', { resourceType: 'Location', id: 'golden', managingOrganization: { reference: url } });
    return system('DELETE', url);
  },
  'type-that-is-never-deleted': () => system('DELETE', 'Provenance/none'),
  'type-that-is-never-updated': () => system('PUT', 'AuditEvent/none', { resourceType: 'AuditEvent', id: 'none' }),
  'method-not-offered': () => system('PUT', 'Patient', patient()),
  'same-request-again': async () => {
    await system('POST', 'Patient', patient(), pair);
    return system('POST', 'Patient', patient(), pair);
  },
  'body-over-the-limit': () => system('POST', 'Patient', patient({ name: [{ family: 'x'.repeat(20_000) }] })),
  'range-beyond-the-end': async () => {
    const url = /Binary\/[^/]+/.exec(
      (await system('POST', 'Binary', 'ten letter', { 'content-type': 'text/plain' })).headers.get('location') ?? '',
    );
    return system('GET', url?.[0] ?? '', undefined, { range: 'bytes=10-' });
  },
  'entries-over-the-limit': () =>
    system('POST', '', bundle('batch', ...[1, 2, 3].map(() => ({ request: { method: 'GET', url: 'Patient' } })))),
  'page-over-the-limit': () => system('GET', 'Patient/_history?_count=1001'),
  'depth-over-the-limit': () => system('POST', 'Patient', `{"resourceType":"Patient","x":${'['.repeat(300)}${']'.repeat(300)}}`),
  'media-type': () => system('POST', 'Patient', 'x', { 'content-type': 'text/turtle' }),
  accept: () => system('GET', 'Patient', undefined, { accept: 'text/turtle' }),
  'accept-of-another-fhir': () => system('GET', 'Patient', undefined, { accept: 'application/fhir+json; fhirVersion=3.0' }),
  'accept-of-another-bars': () => system('GET', 'Patient', undefined, { accept: 'application/fhir+json; version=9.0.0' }),
  'no-token': () => server.as('nobody', 'GET', 'Patient'),
  'bad-token': () => server.as('nobody', 'GET', 'Patient', undefined, { authorization: 'Bearer abc' }),
  'not-allowed': () => server.as('gp', 'POST', 'Organization', { resourceType: 'Organization', name: 'x' }),
  'not-there': () => system('GET', 'Patient/none'),
  'not-the-caller-s': async () => server.as('gp', 'GET', await created(patient())),
  deleted: async () => {
    const url = await created(patient());
    await system('DELETE', url);
    return system('GET', url);
  },
  'fault-in-a-transaction': () =>
    system('POST', '', bundle('transaction', { resource: patient({ gender: 'man' }), request: { method: 'POST', url: 'Patient' } })),
  'fault-in-a-batch': () => system('POST', '', bundle('batch', { request: { method: 'GET', url: 'Patient/none' } })),
};

it.each(Object.entries(cases))('%s', async (name, ask) => {
  const text = shown(await ask());
  const file = path.join(folder, `${name}.json`);
  if (updates) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
});
