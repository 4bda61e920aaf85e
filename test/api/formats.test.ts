/** Formats, compression and CORS. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import http from 'node:http';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);

describe('formats', () => {
  it('XML in and out, on every answer', async () => {
    const xml = '<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Ünïcode"/></name></Patient>';
    const answer = await server.as('system', 'POST', 'Patient', xml, {
      'content-type': 'application/fhir+xml',
      accept: 'application/fhir+xml',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/fhir+xml; charset=utf-8']);
    expect(answer.text).toContain('<family value="Ünïcode"/>');
    const id = /<id value="([^"]+)"/.exec(answer.text)?.[1] ?? '';
    expect((await server.as('system', 'GET', `Patient/${id}?_format=xml`)).text).toContain('<active value="true"/>');
    expect((await server.as('system', 'GET', `Patient/${id}`)).json['active']).toBe(true);
    expect((await server.as('system', 'GET', 'Patient/none?_format=xml')).text).toContain('<OperationOutcome');
    expect((await server.as('system', 'GET', 'Patient?_count=1&_format=application/fhir%2Bxml')).text).toContain('<Bundle');
    expect((await server.as('system', 'GET', `Patient/${id}?_pretty=true`)).text).toContain('\n  "active": true');
    const evil =
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><language value="&e;"/></Patient>';
    expect((await server.as('system', 'POST', 'Patient', evil, { 'content-type': 'application/fhir+xml' })).status).toBe(400);
  });

  it.each([
    ['application/json', 200],
    ['application/fhir+json; fhirVersion=4.0', 200],
    ['application/fhir+json; fhirVersion=5.0', 406],
    ['application/fhir+json; version=1.2.0', 200],
    ['application/fhir+json; version=9.0', 406],
    ['text/html', 406],
    ['text/html, */*;q=0.1', 200],
    ['application/fhir+json;q=0', 406],
  ])('Accept: %s is %i', async (accept, status) => {
    expect((await server.as('system', 'GET', 'Organization?_count=1', undefined, { accept })).status).toBe(status);
  });

  it.each(['gzip', 'br'])('compress with %s', async (encoding) => {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      http
        .get(`${server.base}/metadata`, { headers: { 'accept-encoding': encoding } }, (response) => {
          expect(response.headers['content-encoding']).toBe(encoding);
          const chunks: Buffer[] = [];
          response
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => {
              resolve(Buffer.concat(chunks));
            });
        })
        .on('error', reject);
    });
    const text = (encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes)).toString('utf8');
    expect((JSON.parse(text) as { resourceType: string }).resourceType).toBe('CapabilityStatement');
  });

  it('answer a preflight', async () => {
    const response = await fetch(`${server.base}/Patient`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,if-match,prefer',
      },
    });
    expect(response.ok).toBe(true);
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
    for (const name of ['if-match', 'nhsd-ers-file-name'])
      expect(response.headers.get('access-control-allow-headers')?.toLowerCase()).toContain(name);
  });
});

/** An answer's status, its headers without those of the moment, and the length of its body; nothing is compressed. */
const answerTo = (path: string, headers: Readonly<Record<string, string>>): Promise<readonly unknown[]> =>
  new Promise((resolve, reject) => {
    http
      .get(`${server.base}/${path}`, { headers, agent: new http.Agent() }, (response) => {
        const { date: _date, 'x-request-id': _id, ...kept } = response.headers;
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (text += chunk))
          .on('end', () => {
            resolve([response.statusCode, kept, text.length]);
          });
      })
      .on('error', reject);
  });

describe('an answer that is sent with a single write', () => {
  it.each(['ServiceRequest?_count=1', 'Organization?_count=20', 'Patient/none', 'Nothing/1', 'metadata?_summary=true'])(
    'is the one that hapi gives: %s',
    async (path) => {
      const authorization = await server.bearer('system');
      const whole = await answerTo(path, { authorization });
      // an entity tag to compare is hapi's matter
      const byHapi = await answerTo(path, { authorization, 'if-none-match': 'W/"none"' });
      const [status, headers, length] = byHapi;
      const { 'accept-ranges': _ranges, ...others } = headers as Readonly<Record<string, unknown>>;
      expect(whole).toEqual([status, others, length]);
    },
  );

  it('keeps the connection, and the log tells its status', async () => {
    const authorization = await server.bearer('system');
    const [status, headers] = await answerTo('Patient/none', { authorization });
    expect([status, (headers as http.IncomingHttpHeaders)['transfer-encoding']]).toEqual([404, undefined]);
    const metrics = await (await fetch(`${server.base.replace('/FHIR/R4', '')}/metrics`)).text();
    expect(metrics).toMatch(/http_answers_total\{method="get",status="404"\} [1-9]/);
  });
});
