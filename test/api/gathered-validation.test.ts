import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { startServer, type Answer, type Running } from '../helpers/running-server.js';

type Issue = { readonly severity: string; readonly code: string; readonly expression?: readonly string[] };
const issuesOf = ({ json }: Answer): readonly Issue[] => (json['issue'] ?? []) as readonly Issue[];
const faultsOf = (answer: Answer) =>
  issuesOf(answer).map(({ severity, code, expression }) => `${severity} ${code} ${expression?.[0] ?? ''}`);

describe('a response is held to the Questionnaire that is stored', () => {
  let server: Running;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  const url = 'https://example.org/Questionnaire/travel';
  const questionnaire = (version: string, linkId: string) => ({
    resourceType: 'Questionnaire',
    url,
    version,
    status: 'active',
    item: [{ linkId, type: 'boolean', text: 'Do you need transport?', required: true }],
  });
  const response = (canonical: string, linkId: string, answer: object = { valueBoolean: true }) => ({
    resourceType: 'QuestionnaireResponse',
    questionnaire: canonical,
    status: 'completed',
    item: [{ linkId, answer: [answer] }],
  });
  const send = async (body: object) => server.as('system', 'POST', 'QuestionnaireResponse', body);

  it('by url, by url and version, by the address of the resource, and none when nobody has it', async () => {
    await server.as('system', 'POST', 'Questionnaire', questionnaire('1', 'old'));
    const { json } = await server.as('system', 'POST', 'Questionnaire', questionnaire('2', 'new'), { prefer: 'return=representation' });
    const statuses = async (...bodies: readonly object[]) => Promise.all(bodies.map(async (body) => (await send(body)).status));
    expect(await statuses(response(`${url}|1`, 'old'), response(`${url}|1`, 'new'))).toEqual([201, 422]);
    expect(await statuses(response(`${url}|2`, 'new'), response(`${url}|2`, 'old'))).toEqual([201, 422]);
    expect(await statuses(response(url, 'new'), response(url, 'old'))).toEqual([201, 422]);
    const address = `${server.base}/Questionnaire/${json['id'] as string}`;
    expect(await statuses(response(address, 'new'), response(address, 'old'))).toEqual([201, 422]);
    expect(await statuses(response('https://example.org/Questionnaire/elsewhere', 'any'))).toEqual([201]);
  });

  it('says which answer is wrong, on a write and when asked', async () => {
    await server.as('system', 'POST', 'Questionnaire', questionnaire('3', 'q'));
    const wrong = response(`${url}|3`, 'q', { valueString: 'yes' });
    const expected = ['error invariant QuestionnaireResponse.item[0].answer[0].value'];
    expect(faultsOf(await send(wrong))).toEqual(expected);
    const asked = faultsOf(await server.as('system', 'POST', 'QuestionnaireResponse/$validate', wrong));
    expect(asked.filter((fault) => fault.startsWith('error'))).toEqual(expected);
  });

  it('that a transaction brings with it', async () => {
    const bundle = (linkId: string) => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [questionnaire('4', 'together'), response(`${url}|4`, linkId)].map((resource) => ({
        resource,
        request: { method: 'POST', url: resource.resourceType },
      })),
    });
    const refused = await server.as('system', 'POST', '', bundle('other'));
    expect([refused.status, issuesOf(refused)[0]?.expression]).toEqual([422, ['Bundle.entry[1].resource.item[0]']]);
    expect((await server.as('system', 'POST', '', bundle('together'))).status).toBe(200);
  });
});

describe('codes that only a terminology server can judge', () => {
  let terminology: Server;
  let reply: (query: URLSearchParams) => readonly [number, string];
  let asked: URLSearchParams[];
  let servers: Running[];

  const height = (code: string) => {
    const file = path.join(__dirname, '../examples/UKCore-Observation-VitalSigns-BodyHeight.json');
    const example = JSON.parse(readFileSync(file, 'utf8')) as { readonly valueQuantity: object };
    const { subject: _subject, performer: _performer, ...rest } = example as Record<string, unknown>;
    return { ...rest, subject: { display: 'A patient' }, valueQuantity: { ...example.valueQuantity, code } };
  };
  const answer = (result: boolean) =>
    [200, JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'result', valueBoolean: result }] })] as const;

  beforeAll(async () => {
    asked = [];
    servers = [];
    terminology = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      if (pathname === '/ValueSet/$validate-code') asked.push(searchParams);
      const [status, body] = reply(searchParams);
      response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(body);
    });
    await new Promise<void>((resolve) => {
      terminology.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    terminology.closeAllConnections();
    terminology.close();
  });

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<Running> => {
    const { port } = terminology.address() as AddressInfo;
    const server = await startServer({ TERMINOLOGY_URL: `http://127.0.0.1:${String(port)}`, REFERENTIAL_INTEGRITY: 'off', ...settings });
    servers.push(server);
    return server;
  };

  it('are refused when it says that they are false, kept when it says that they are true, each asked about once', async () => {
    reply = (query) => answer(query.get('code') === 'cm');
    const server = await start();
    const right = await server.as('system', 'POST', 'Observation', height('cm'));
    expect([right.status, right.text]).toEqual([201, expect.anything()]);
    await server.as('system', 'POST', 'Observation', height('cm'));
    const wrong = await server.as('system', 'POST', 'Observation', height('kg'));
    expect([wrong.status, faultsOf(wrong)]).toEqual([422, ['error code-invalid Observation.value']]);
    const codes = asked.map((query) => query.get('code'));
    expect([...new Set(codes)]).toEqual(['cm', 'kg']);
    // once by each process that answers
    expect(codes.length).toBeLessThanOrEqual(2 * Number(process.env['WORKERS'] ?? '1'));
    expect(asked[0]?.get('system')).toBe('http://unitsofmeasure.org');
  });

  it('are a warning when it fails, and never more', async () => {
    reply = () => [500, 'out of order'];
    const server = await start();
    expect((await server.as('system', 'POST', 'Observation', height('m'))).status).toBe(201);
    const told = faultsOf(await server.as('system', 'POST', 'Observation/$validate', height('m')));
    expect(told).toContain('warning not-found Observation.value');
    expect(told.filter((fault) => fault.startsWith('error'))).toEqual([]);
  });

  it('are refused where the site takes what is unknown for an error', async () => {
    reply = () => [500, 'out of order'];
    const server = await start({ UNKNOWN_CODES: 'error' });
    const refused = await server.as('system', 'POST', 'Observation', height('m'));
    expect([refused.status, faultsOf(refused)]).toEqual([422, ['error code-invalid Observation.value']]);
  });
});
