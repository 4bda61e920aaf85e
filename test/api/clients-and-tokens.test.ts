import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fetchToken } from '../../src/auth/client-token.js';
import { readConfig } from '../../src/config.js';
import { codeIn, ersOf, ifMatch } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer, type Role } from '../helpers/running-server.js';

// What clients are promised of kinds, headers, tokens, answers and default limits, asked from outside.
const server = suiteServer();
const ers = ersOf(server);
jest.setTimeout(60_000);
type Json = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string>>;

const ods = 'NHSD-End-User-Organisation-ODS';
const fn = 'NHSD-eRS-Business-Function';
const behalf = 'NHSD-eRS-On-Behalf-Of-User-ID';
const issueCode = (answer: Answer): unknown => (answer.json['issue'] as readonly { readonly code: string }[] | undefined)?.[0]?.code;
const keyFile = (client: string): string => `${server.dataDir}/clients/${client}.jwk.json`;

describe('headers, by the kind of the client', () => {
  const bare = async (role: Exclude<Role, 'nobody'>, url: string, headers: Headers = {}): Promise<Answer> =>
    server.as('nobody', 'GET', url, undefined, { authorization: await server.bearer(role), ...headers });

  it('system: none needed, sent ones ignored', async () => {
    expect((await bare('system', 'Patient?_count=1')).status).toBe(200);
    expect((await bare('system', 'Patient?_count=1', { [ods]: 'ZZZ', [fn]: 'NOBODY', [behalf]: 'x' })).status).toBe(200);
  });
  it.each([ods, fn, behalf])('app and patient: %s is 403', async (name) => {
    for (const role of ['app', 'patient'] as const) {
      expect([role, (await bare(role, 'ServiceRequest?_count=1')).status]).toEqual([role, 200]);
      const { status } = await bare(role, 'ServiceRequest?_count=1', {
        [name]: name === ods ? 'RCD' : name === fn ? 'SERVICE_PROVIDER_CLINICIAN' : '555032006106',
      });
      expect([role, status]).toEqual([role, 403]);
    }
  });
  it('user: both are required but for metadata, discovery and GET PractitionerRole', async () => {
    for (const headers of [{}, { [ods]: 'D82106' }, { [fn]: 'REFERRING_CLINICIAN' }] as Headers[]) {
      const answer = await bare('gp', 'Slot?_count=1', headers);
      expect([answer.status, issueCode(answer), codeIn(answer)]).toEqual([400, 'required', 'MISSING_HEADER']);
    }
    for (const url of ['metadata', '.well-known/smart-configuration', 'PractitionerRole', 'PractitionerRole/'])
      expect([url, (await bare('gp', url)).status]).toEqual([url, 200]);
    const own = resourcesOf((await bare('gp', 'PractitionerRole')).json);
    expect(own.length).toBeGreaterThan(0);
    for (const role of own) expect(JSON.stringify(role)).toContain('021600556514');
    for (const url of ['PractitionerRole/D82106-021600556514', 'PractitionerRole/_history', 'Practitioner'])
      expect([url, (await bare('gp', url)).status]).toEqual([url, 400]);
    expect((await bare('gp', 'Slot?_count=1', { [ods]: 'RCD', [fn]: 'REFERRING_CLINICIAN' })).status).toBe(403);
    expect((await bare('gp', 'Slot?_count=1', { [ods]: 'D82106', [fn]: 'SERVICE_PROVIDER_CLINICIAN' })).status).toBe(403);
  });
  it('whom an admin acts for is required of him, and 403 of others', async () => {
    const user = '555073103100';
    const token = await fetchToken({
      clientId: 'demo-provider',
      keyFile: keyFile('demo-provider'),
      tokenUrl: `${server.baseUrl}/oauth2/token`,
      user,
    });
    const admin = { [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN' };
    const asked = (headers: Headers) =>
      server.as('nobody', 'GET', 'Slot?_count=1', undefined, { authorization: `Bearer ${token}`, ...headers });
    expect((await asked(admin)).status).toBe(403);
    expect((await asked({ ...admin, [behalf]: '555032006106' })).status).toBe(200);
    expect((await bare('gp', 'Slot?_count=1', { [ods]: 'D82106', [fn]: 'REFERRING_CLINICIAN', [behalf]: '555032006106' })).status).toBe(
      403,
    );
  });
});

describe('access tokens', () => {
  const part = (token: string, index: number): Json =>
    JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Json;
  it.each([
    ['system', 'demo-system', 'demo-system'],
    ['gp', 'demo-gp', '021600556514'],
    ['app', 'demo-provider-app', 'demo-provider-app'],
    ['patient', 'demo-patient-app', '9912003888'],
  ] as const)('of %s: client, subject, scope, ten minutes, ES256 by a published key', async (role, client, subject) => {
    const token = (await server.bearer(role)).slice('Bearer '.length);
    const { alg, kid } = part(token, 0);
    expect(alg).toBe('ES256');
    const { keys } = (await server.as('nobody', 'GET', '/oauth2/jwks')).json as { readonly keys: readonly Json[] };
    expect(keys.map((key) => key['kid'])).toContain(kid);
    expect(keys.every((key) => key['d'] === undefined)).toBe(true);
    const {
      sub,
      client_id: id,
      scope,
      exp,
      iat,
    } = part(token, 1) as { readonly [name: string]: unknown; readonly exp: number; readonly iat: number };
    expect([sub, id, typeof scope]).toEqual([subject, client, 'string']);
    expect(exp - iat).toBeLessThanOrEqual(600);
  });

  const post = async (
    form: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: Json; readonly cache: string | null }> => {
    const response = await fetch(`${server.baseUrl}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, body: (await response.json()) as Json, cache: response.headers.get('cache-control') };
  };
  const jwt = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  it.each<[string, Readonly<Record<string, string>>, number, string]>([
    ['a form without a grant', {}, 400, 'invalid_request'],
    ['an unknown grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [
      'a secret beside the assertion',
      { grant_type: 'client_credentials', client_assertion_type: jwt, client_assertion: 'a.b.c', client_secret: 'x' },
      400,
      'invalid_request',
    ],
    ['no assertion', { grant_type: 'client_credentials', client_assertion_type: jwt }, 400, 'invalid_request'],
    [
      'an assertion of nobody',
      { grant_type: 'client_credentials', client_assertion_type: jwt, client_assertion: 'a.b.c' },
      401,
      'invalid_client',
    ],
  ])('are refused for %s, with the reason', async (_, form, status, error) => {
    const answer = await post(form);
    expect([answer.status, answer.body['error'], typeof answer.body['error_description'], answer.cache]).toEqual([
      status,
      error,
      'string',
      'no-store',
    ]);
  });
  it('are for all registered scopes when none is asked, for no other; expires_in is a number', async () => {
    const ask = { clientId: 'demo-system', keyFile: keyFile('demo-system'), tokenUrl: `${server.baseUrl}/oauth2/token` };
    const token = await fetchToken(ask);
    expect(part(token, 1)['scope']).toBe('system/*.cruds');
    await expect(fetchToken({ ...ask, scope: 'user/*.cruds' })).rejects.toThrow(/invalid_scope/);
  });

  it('for users and patients whom a client names by itself are for the demo alone', async () => {
    const key = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }), kid: 'k' };
    const file = `${server.dataDir}/asserting.json`;
    writeFileSync(file, JSON.stringify(key));
    const add = (demo: string) =>
      promisify(execFile)(
        process.execPath,
        [
          'dist/cli/main.js',
          'clients',
          'add',
          '--id',
          `a-${demo}`,
          '--kind',
          'user',
          '--jwks',
          file,
          '--scope',
          'user/*.rs',
          '--org',
          'D82106',
          '--user',
          '021600556514',
        ],
        { env: { PATH: process.env['PATH'] ?? '', ...server.environment, DEMO: demo } },
      );
    await expect(add('false')).rejects.toThrow(/DEMO/);
    await add('true');
    // a registration of the demo does not outlive it: the start is refused
    const serve = promisify(execFile)(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env['PATH'] ?? '', ...server.environment, DEMO: 'false', PORT: '0' },
      timeout: 30_000,
    });
    await expect(serve).rejects.toThrow(/a-true/);
    await promisify(execFile)(process.execPath, ['dist/cli/main.js', 'clients', 'revoke', 'a-true'], {
      env: { PATH: process.env['PATH'] ?? '', ...server.environment },
    });
  });
});

describe('what others than system may write', () => {
  it('no referral with a UBRN or a state of its own', async () => {
    const [patient] = resourcesOf((await server.as('gp', 'GET', 'Patient?identifier=9912003888')).json);
    const referral = {
      ...{
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: { reference: `Patient/${String(patient?.['id'])}` },
      },
      performer: [{ reference: `HealthcareService/${(await ers.withSlots()).service}` }],
    };
    const ubrn = { identifier: [{ system: 'https://fhir.nhs.uk/Id/UBRN', value: '000012345678' }] };
    const url = 'https://fhir.nhs.uk/StructureDefinition/Extension-eRS-ServiceRequest-State';
    const state = { extension: [{ url, extension: [{ url: 'state', valueCoding: { code: 'BOOKED' } }] }] };
    for (const more of [ubrn, state]) {
      const answer = await server.as('gp', 'POST', 'ServiceRequest', { ...referral, ...more });
      expect([answer.status, codeIn(answer)]).toEqual([422, 'FIELD_NOT_PERMITTED']);
    }
  });
  it.each([
    'Patient',
    'Organization',
    'HealthcareService',
    'PractitionerRole',
    'Task',
    'Communication',
    'Observation',
    'StructureDefinition',
    'SearchParameter',
    'Subscription',
  ])('no %s, and nothing is deleted', async (type) => {
    for (const role of ['gp', 'provider', 'app', 'patient'] as const) {
      expect([role, (await server.as(role, 'POST', type, { resourceType: type })).status]).toEqual([role, 403]);
      expect([role, (await server.as(role, 'DELETE', `${type}/x`)).status]).toEqual([role, 403]);
    }
  });
  it('AuditEvent and Provenance are never changed or deleted, by nobody; AuditEvent is not even created', async () => {
    for (const type of ['AuditEvent', 'Provenance'])
      for (const [method, body] of [
        ['PUT', { resourceType: type, id: 'x' }],
        ['DELETE', undefined],
      ] as const) {
        const { status, headers } = await server.as('system', method, `${type}/x`, body);
        expect([type, method, status, headers.get('allow')?.includes('GET')]).toEqual([type, method, 405, true]);
      }
    expect((await server.as('system', 'POST', 'AuditEvent', { resourceType: 'AuditEvent' })).status).toBeGreaterThanOrEqual(403);
  });
  it('nor are their labels, by a request or an entry of a batch', async () => {
    const [event] = resourcesOf((await server.as('system', 'GET', 'AuditEvent?_count=1')).json);
    const agent = [{ who: { reference: 'Organization/D82106' } }];
    const target = [{ reference: 'Organization/D82106' }];
    const provenance = { resourceType: 'Provenance', recorded: '2026-01-01T00:00:00Z', agent, target };
    const made = await server.as('system', 'POST', 'Provenance', provenance);
    expect([made.status, made.text]).toEqual([201, made.text]);
    const labels = {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:x', code: 'changed' }] } }],
    };
    for (const record of [`AuditEvent/${String(event?.['id'])}`, `Provenance/${String(made.json['id'])}`])
      for (const url of [`${record}/$meta-add`, `${record}/$meta-delete`]) {
        const { status, headers, text } = await server.as('system', 'POST', url, labels);
        expect([url, status, headers.get('allow')]).toEqual([url, 405, 'GET, HEAD']);
        expect(text).toContain('"code":"not-supported"');
        const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ resource: labels, request: { method: 'POST', url } }] };
        expect((await server.as('system', 'POST', '', batch)).text).toMatch(/"status":"405/);
        expect((await server.as('system', 'GET', `${record}/$meta`)).text).not.toContain('changed');
      }
  });
  it('a deleted record is gone for who could have read it, and not there for others', async () => {
    const { json } = await server.as('system', 'POST', 'Patient', {
      resourceType: 'Patient',
      generalPractitioner: [{ reference: 'Organization/D82106' }],
    });
    const url = `Patient/${String(json['id'])}`;
    expect((await server.as('gp', 'GET', url)).status).toBe(200);
    await server.as('system', 'DELETE', url);
    expect([(await server.as('gp', 'GET', url)).status, (await server.as('provider', 'GET', url)).status]).toEqual([410, 404]);
  });
  it('a change of an appointment without If-Match is 400, with a stale one 412, and against the table 422', async () => {
    const { service, slots } = await ers.withSlots();
    const booked = await ers.book((await ers.refer([service]))['id'], slots[0]?.['id']);
    const url = `Appointment/${String(booked['id'])}`;
    const bare = await server.as('gp', 'PUT', url, booked);
    expect([bare.status, issueCode(bare)]).toEqual([400, 'required']);
    const stale = await server.as('gp', 'PUT', url, booked, ifMatch(99));
    expect([stale.status, issueCode(stale)]).toEqual([412, 'conflict']);
    const coding = [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_HOLIDAY' }];
    const cancelled = { ...booked, status: 'cancelled', cancelationReason: { coding } };
    expect((await server.as('gp', 'PUT', url, cancelled, ifMatch(1))).status).toBe(200);
    const again = await server.as('gp', 'PUT', url, cancelled, ifMatch(2));
    expect([again.status, codeIn(again)]).toEqual([422, 'INVALID_STATE']);
  });
});

describe('default limits', () => {
  it('are those that are documented', () => {
    expect(readConfig({})).toMatchObject({
      ...{ host: '127.0.0.1', port: 8080, workers: 1, demo: true, rateLimit: 10, referentialIntegrity: true, corsOrigins: ['*'] },
      ...{
        timeZone: 'Europe/London',
        maxBody: 16 * 1024 ** 2,
        maxBinary: 5 * 1024 ** 2,
        maxEntries: 1000,
        drainMs: 5000,
        logLevel: 'info',
      },
    });
    expect(readConfig({ HOST: '0.0.0.0' })).toMatchObject({ demo: false, corsOrigins: [] });
    expect(readConfig({ DATABASE_URL: 'mssql://h/d' })).toMatchObject({ demo: false, corsOrigins: [] });
  });
  it('5 MiB of a raw Binary and 1,000 entries of a Bundle pass, a byte and an entry more do not', async () => {
    const most = 5 * 1024 ** 2;
    const plain = { 'content-type': 'text/plain' };
    expect((await server.as('system', 'POST', 'Binary', 'a'.repeat(most), plain)).status).toBe(201);
    expect((await server.as('system', 'POST', 'Binary', 'a'.repeat(most + 1), plain)).status).toBe(413);
    const bundle = (n: number) => ({
      resourceType: 'Bundle',
      type: 'batch',
      entry: Array.from({ length: n }, () => ({ request: { method: 'GET', url: 'Slot/none' } })),
    });
    expect((await server.as('system', 'POST', '', bundle(1000))).status).toBe(200);
    const many = await server.as('system', 'POST', '', bundle(1001));
    expect([many.status, issueCode(many)]).toEqual([422, 'too-costly']);
  });
  it('16 MiB of JSON are read, a byte more is not', async () => {
    const most = 16 * 1024 ** 2;
    const body = (bytes: number): string => {
      const [head, tail] = ['{"resourceType":"Unicorn","x":"', '"}'];
      return head + 'a'.repeat(bytes - head.length - tail.length) + tail;
    };
    expect((await server.as('system', 'POST', 'Basic', body(most))).status).toBe(400);
    expect((await server.as('system', 'POST', 'Basic', body(most + 1))).status).toBe(413);
  });
  it('the correlation id is echoed, the request id echoed or given', async () => {
    const [request, correlation] = [randomUUID(), randomUUID()];
    const { headers } = await server.as('system', 'GET', 'Slot?_count=1', undefined, {
      'x-request-id': request,
      'x-correlation-id': correlation,
    });
    expect([headers.get('x-request-id'), headers.get('x-correlation-id')]).toEqual([request, correlation]);
    expect((await server.as('system', 'GET', 'Slot?_count=1')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
