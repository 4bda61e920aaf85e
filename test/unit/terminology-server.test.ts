import nock from 'nock';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readJws } from '../../src/auth/jws.js';
import { readConfig } from '../../src/config.js';
import { configuredTerminologyServer } from '../../src/partners/configured.js';
import type { TerminologyServer } from '../../src/validation/terminology/port.js';

const origin = 'https://terminology.example';
const valueSet = 'https://fhir.example/ValueSet/reasons';
const question = (code = '91302008') => ({ valueSet, system: 'http://snomed.info/sct', code });
const result = (value: unknown, ...more: readonly object[]) => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'result', valueBoolean: value }, ...more],
});

let now = 0;
const serverWith = (settings: Readonly<Record<string, string>> = {}): TerminologyServer =>
  configuredTerminologyServer(readConfig({ TERMINOLOGY_URL: `${origin}/fhir`, ...settings }), () => now)!;
const validateCode = (code = '91302008') =>
  nock(origin).get('/fhir/ValueSet/$validate-code').query({ url: valueSet, system: 'http://snomed.info/sct', code });
const told = async (server: TerminologyServer, code?: string) => (await server.ask([question(code)])).find(question(code));

beforeEach(() => {
  now = 1_800_000_000_000;
  nock.disableNetConnect();
  // a busy machine takes longer than an answer may: but where that is what is tested, there is time
  jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
});
afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  nock.enableNetConnect();
  jest.restoreAllMocks();
  expect(pending).toEqual([]);
});
// the http module is one for all test files of a process
afterAll(() => {
  nock.restore();
});

it('is off unless the settings name one', () => {
  expect(configuredTerminologyServer(readConfig({}), () => now)).toBeUndefined();
});

describe('what a terminology server says of a code', () => {
  it.each([
    ['in', result(true)],
    ['out', result(false)],
    ['unknown', result(false, { name: 'x-caused-by-unknown-system', valueCanonical: 'http://snomed.info/sct' })],
  ])('%s', async (expected, body) => {
    validateCode().reply(200, body);
    expect(await told(serverWith())).toBe(expected);
  });

  it('asks with the version that the binding has', async () => {
    nock(origin)
      .get('/fhir/ValueSet/$validate-code')
      .query({ url: valueSet, valueSetVersion: '2', system: 's:x', code: 'a' })
      .reply(200, result(true));
    const asked = { valueSet: `${valueSet}|2`, system: 's:x', code: 'a' };
    expect((await serverWith().ask([asked])).find(asked)).toBe('in');
  });

  it('is unknown of a code that was not asked for', async () => {
    validateCode().reply(200, result(true));
    expect((await serverWith().ask([question()])).find(question('73211009'))).toBe('unknown');
  });

  it.each([
    ['does not know the value set', 404, { resourceType: 'OperationOutcome', issue: [] }],
    ['cannot expand it', 422, { resourceType: 'OperationOutcome', issue: [] }],
    ['is out of order', 500, 'sorry'],
    ['wants us to wait', 429, ''],
    ['answers no JSON', 200, '<html>'],
    ['answers nothing', 200, ''],
    ['answers another resource', 200, { resourceType: 'Patient' }],
    ['answers no result', 200, { resourceType: 'Parameters', parameter: [null, { name: 'message' }] }],
    ['answers a result of another type', 200, result('true')],
    ['answers parameters that are no list', 200, { resourceType: 'Parameters', parameter: { name: 'result', valueBoolean: true } }],
  ])('is unknown when the server %s', async (_, status, body) => {
    validateCode().reply(status, body);
    expect(await told(serverWith())).toBe('unknown');
  });

  it('is unknown when nobody answers at all', async () => {
    validateCode().replyWithError('connection refused');
    expect(await told(serverWith())).toBe('unknown');
  });

  it('is unknown when the answer takes longer than 300 ms', async () => {
    jest.restoreAllMocks();
    validateCode().delay(2000).reply(200, result(true));
    expect(await told(serverWith())).toBe('unknown');
    nock.abortPendingRequests();
  });
});

describe('answers are kept', () => {
  it('for an hour', async () => {
    const server = serverWith();
    validateCode().once().reply(200, result(true));
    expect(await told(server)).toBe('in');
    now += 3_599_000;
    expect(await told(server)).toBe('in');
    now += 1000;
    validateCode().once().reply(200, result(false));
    expect(await told(server)).toBe('out');
  });

  it('for a minute when the server could not tell; not at all when it failed', async () => {
    const server = serverWith();
    validateCode().once().reply(404, {});
    await told(server);
    now += 59_000;
    expect(await told(server)).toBe('unknown');
    now += 1000;
    validateCode().once().reply(500, {});
    expect(await told(server)).toBe('unknown');
    validateCode().once().reply(200, result(true));
    expect(await told(server)).toBe('in');
  });
});

describe('a server that fails again and again is spared', () => {
  const failing = async (): Promise<TerminologyServer> => {
    const server = serverWith();
    for (let time = 0; time < 5; time++) {
      validateCode().once().reply(503, {});
      await told(server);
    }
    return server;
  };

  it('after five failures in a row it is not asked for half a minute', async () => {
    const server = await failing();
    now += 29_999;
    // no answer is prepared: a request would count as a failure and be told of by nock
    const seen: unknown[] = [];
    nock.emitter.on('no match', (request: unknown) => seen.push(request));
    expect(await told(server)).toBe('unknown');
    nock.emitter.removeAllListeners('no match');
    expect(seen).toEqual([]);
  });

  it('then one question goes out, and closes the breaker when it is answered', async () => {
    const server = await failing();
    now += 30_000;
    validateCode('73211009').reply(200, result(true));
    const both = await server.ask([question('73211009'), question('38341003')]);
    expect([both.find(question('73211009')), both.find(question('38341003'))]).toEqual(['in', 'unknown']);
    validateCode('38341003').reply(200, result(false));
    expect(await told(server, '38341003')).toBe('out');
  });

  it('or opens it for another half minute when it fails', async () => {
    const server = await failing();
    now += 30_000;
    validateCode().once().reply(503, {});
    expect(await told(server)).toBe('unknown');
    now += 29_999;
    expect(await told(server)).toBe('unknown');
    now += 1;
    validateCode().once().reply(200, result(true));
    expect(await told(server)).toBe('in');
  });

  it('a refusal is no failure', async () => {
    const server = serverWith();
    for (let code = 0; code < 6; code++) {
      validateCode(String(code)).reply(404, {});
      await told(server, String(code));
    }
    validateCode().reply(200, result(true));
    expect(await told(server)).toBe('in');
  });
});

describe('the token of the server', () => {
  const tokens = 'https://login.example';
  const token = (value: string, seconds = 3600) => ({ access_token: value, token_type: 'bearer', expires_in: seconds });
  const withToken = (value: string, code: string) => validateCode(code).matchHeader('authorization', `Bearer ${value}`);
  const bySecret = { TERMINOLOGY_TOKEN_URL: `${tokens}/token`, TERMINOLOGY_CLIENT_ID: 'me', TERMINOLOGY_CLIENT_SECRET: 'not told' };

  it('is fetched with the secret, kept, and fetched again before it ends', async () => {
    const server = serverWith(bySecret);
    nock(tokens)
      .post('/token', { grant_type: 'client_credentials', client_id: 'me', client_secret: 'not told' })
      .once()
      .reply(200, token('one', 600));
    withToken('one', '1').reply(200, result(true));
    withToken('one', '2').reply(200, result(true));
    expect([await told(server, '1'), await told(server, '2')]).toEqual(['in', 'in']);
    now += 571_000;
    nock(tokens).post('/token').once().reply(200, token('two'));
    withToken('two', '3').reply(200, result(true));
    expect(await told(server, '3')).toBe('in');
  });

  it('is fetched again when the server refuses it', async () => {
    const server = serverWith(bySecret);
    nock(tokens).post('/token').once().reply(200, token('one'));
    withToken('one', '1').reply(401, {});
    nock(tokens).post('/token').once().reply(200, token('two'));
    withToken('two', '1').reply(200, result(true));
    expect(await told(server, '1')).toBe('in');
  });

  it.each([
    ['is refused', 400, { error: 'invalid_client' }],
    ['is no token', 200, { token: 'x' }],
    ['is no JSON', 200, 'x'],
  ])('leaves the code unknown when it %s', async (_, status, body) => {
    nock(tokens).post('/token').reply(status, body);
    expect(await told(serverWith(bySecret), '1')).toBe('unknown');
  });

  it('is asked for once, however many questions wait for it', async () => {
    nock(tokens).post('/token').once().reply(200, token('one'));
    for (const code of ['1', '2', '3']) withToken('one', code).reply(200, result(true));
    const answers = await serverWith(bySecret).ask(['1', '2', '3'].map(question));
    expect(['1', '2', '3'].map((code) => answers.find(question(code)))).toEqual(['in', 'in', 'in']);
  });

  it('is fetched with a signed assertion where there is a key', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'terminology-'));
    const keyFile = path.join(folder, 'key.jwk.json');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(keyFile, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS512' }));
    const seen: Record<string, string>[] = [];
    nock(tokens)
      .post('/token', (body: Record<string, string>) => seen.push(body) > 0)
      .reply(200, token('one'));
    withToken('one', '1').reply(200, result(true));
    const server = serverWith({ TERMINOLOGY_TOKEN_URL: `${tokens}/token`, TERMINOLOGY_CLIENT_ID: 'me', TERMINOLOGY_KEY_FILE: keyFile });
    // making the signature may take a while on the first time: the token is there for the next question at the latest
    await told(server, '1');
    rmSync(folder, { recursive: true });
    expect(readJws(seen[0]?.['client_assertion'] ?? '')).toMatchObject({
      header: { alg: 'RS512', kid: 'k1' },
      claims: { iss: 'me', sub: 'me', aud: `${tokens}/token` },
    });
  });
});

describe('the settings', () => {
  it.each([
    ['a token URL without a server', { TERMINOLOGY_TOKEN_URL: 'https://login.example/token', TERMINOLOGY_CLIENT_ID: 'me' }],
    ['a client without a token URL', { TERMINOLOGY_URL: origin, TERMINOLOGY_CLIENT_ID: 'me' }],
    ['a secret without a client', { TERMINOLOGY_URL: origin, TERMINOLOGY_CLIENT_SECRET: 'x' }],
    ['no URL', { TERMINOLOGY_URL: 'terminology' }],
  ])('%s is refused', (_, settings) => {
    expect(() => readConfig(settings)).toThrow('TERMINOLOGY_');
  });

  it('a key and a secret together are refused', () => {
    const client = { TERMINOLOGY_URL: origin, TERMINOLOGY_TOKEN_URL: `${origin}/token`, TERMINOLOGY_CLIENT_ID: 'me' };
    expect(() => readConfig({ ...client, TERMINOLOGY_KEY_FILE: 'k', TERMINOLOGY_CLIENT_SECRET: 's' })).toThrow('TERMINOLOGY_KEY_FILE');
  });
});
