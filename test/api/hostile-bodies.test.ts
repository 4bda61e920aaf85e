import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
beforeAll(async () => {});

const send = async (body: string, url = 'Patient', headers = {}): Promise<Answer> => server.as('system', 'POST', url, body, headers);
const nested = (depth: number, open: string, close: string, middle: string) => open.repeat(depth) + middle + close.repeat(depth);
const issueOf = ({ json }: Answer) => ((json['issue'] ?? []) as readonly { readonly severity: string; readonly code: string }[])[0];
const isAnswering = async () => (await server.as('system', 'GET', 'Patient?_count=1')).status === 200;

describe('a hostile body gets a clear answer, and the server goes on', () => {
  it.each([
    [
      'extensions',
      `{"resourceType":"Patient","extension":[${nested(10_000, '{"url":"urn:e","extension":[', ']}', '{"url":"urn:e","valueBoolean":true}')}]}`,
    ],
    ['arrays', `{"resourceType":"Patient","name":${nested(10_000, '[', ']', '')}}`],
    ['objects', `{"resourceType":"Patient","name":${nested(10_000, '{"a":', '}', '1')}}`],
  ])('10,000 %s inside each other', async (_, body) => {
    for (const url of ['Patient', 'Patient/$validate']) {
      const answer = await send(body, url);
      expect([url, answer.status, answer.json['resourceType']]).toEqual([url, expect.any(Number), 'OperationOutcome']);
      if (url === 'Patient') expect([400, 422]).toContain(answer.status);
      expect(issueOf(answer)).toMatchObject({ severity: 'error' });
    }
    expect(await isAnswering()).toBe(true);
  });

  it('50 MB of JSON', async () => {
    const answer = await send(`{"resourceType":"Patient","name":[{"text":"${'x'.repeat(50 * 1024 * 1024)}"}]}`).catch(() => undefined);
    // the server may close the connection before all of it is sent
    if (answer !== undefined) expect([answer.status, issueOf(answer)?.code]).toEqual([413, 'too-long']);
    expect(await isAnswering()).toBe(true);
  });

  it('as many slices as a body can hold', async () => {
    const one = '{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9912003888"}';
    const answer = await send(`{"resourceType":"Patient","identifier":[${`${one},`.repeat(200_000)}${one}]}`);
    expect([answer.status, issueOf(answer)?.code]).toEqual([422, 'structure']);
    expect(await isAnswering()).toBe(true);
  });

  it('as many faults as a body can hold', async () => {
    const answer = await send(`{"resourceType":"Patient","name":[${'1,'.repeat(1_000_000)}1]}`);
    expect(answer.status).toBe(400);
    expect((answer.json['issue'] as readonly unknown[]).length).toBeLessThanOrEqual(400);
    expect(await isAnswering()).toBe(true);
  });

  it('names that JavaScript takes for its own', async () => {
    const answer = await send('{"resourceType":"Patient","__proto__":{"active":true},"constructor":{"prototype":{"polluted":true}}}');
    expect([answer.status, issueOf(answer)?.code]).toEqual([400, 'structure']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('contained resources that refer to each other in a circle', async () => {
    const contained = ['a', 'b'].map((id) => ({
      resourceType: 'Organization',
      id,
      name: id,
      partOf: { reference: id === 'a' ? '#b' : '#a' },
    }));
    const body = JSON.stringify({ resourceType: 'Patient', contained, managingOrganization: { reference: '#a' } });
    expect((await send(body)).status).toBe(201);
  });
});

describe('R4 json.html: nothing is empty', () => {
  it.each([
    ['meta of a resource', 'Organization', { resourceType: 'Organization', name: 'x', meta: {} }],
    ['its id', 'Organization', { resourceType: 'Organization', name: 'x', id: '' }],
    ['an element', 'Organization', { resourceType: 'Organization', name: 'x', contact: [{}] }],
    ['a list', 'Organization', { resourceType: 'Organization', name: 'x', alias: [] }],
    [
      'within a contained resource',
      'Organization',
      { resourceType: 'Organization', contained: [{ resourceType: 'Patient', id: 'p', meta: {} }] },
    ],
    [
      'meta of Parameters',
      'Organization/$validate',
      { resourceType: 'Parameters', meta: {}, parameter: [{ name: 'mode', valueCode: 'create' }] },
    ],
    ['meta of a Bundle', '', { resourceType: 'Bundle', type: 'batch', meta: {}, entry: [{ request: { method: 'GET', url: 'metadata' } }] }],
    [
      'a list of an entry',
      '',
      { resourceType: 'Bundle', type: 'batch', entry: [{ link: [], request: { method: 'GET', url: 'metadata' } }] },
    ],
  ])('%s', async (_, url, body) => {
    expect((await send(JSON.stringify(body), url)).status).toBe(400);
  });
});
