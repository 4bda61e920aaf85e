import http from 'node:http';
import net from 'node:net';
import { startServer, type Running } from '../helpers/running-server.js';

// What a hostile client tries below FHIR: slowness, smuggling, paths and headers that say two things.
let server: Running;
let system = '';
beforeAll(async () => {
  server = await startServer({ CORS_ORIGINS: 'https://ehr.example' });
  system = await server.bearer('system');
}, 60_000);
afterAll(() => server.stop());
jest.setTimeout(60_000);

/** What comes back on a connection until it is closed; `feed` writes to it. */
const raw = (feed: (socket: net.Socket) => void): Promise<{ readonly text: string; readonly ms: number }> => {
  const { hostname, port } = new URL(server.base);
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => {
      feed(socket);
    });
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('utf8')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve({ text, ms: performance.now() - started });
    });
  });
};
/** What a client reads that looks for the answer only when it has written everything; rejects when the connection breaks. */
const writeThenRead = (head: string, body: Buffer): Promise<string> => {
  const { hostname, port } = new URL(server.base);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname).setEncoding('utf8').pause();
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk)).once('error', reject);
    socket.once('end', () => {
      resolve(text);
    });
    socket.write(head);
    socket.write(body, () => socket.resume());
  });
};
/** Writes the text a piece at a time until the connection is closed. */
const dripping = (head: string, drop: string) => (socket: net.Socket) => {
  socket.write(head);
  const timer = setInterval(() => socket.write(drop), 500);
  socket.once('close', () => {
    clearInterval(timer);
  });
};
const statuses = (text: string): readonly string[] => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status = '']) => status);
const post = (path: string, more: string): string => `POST /FHIR/R4/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${system}\r\n${more}`;

describe('slow clients are cut off, and slow nobody down', () => {
  it('headers, bodies and connections that say nothing', async () => {
    const slow = Promise.all([
      ...Array.from({ length: 30 }, () => raw(dripping('GET /FHIR/R4/metadata HTTP/1.1\r\nhost: x\r\n', 'x: y\r\n'))),
      ...Array.from({ length: 30 }, () =>
        raw(dripping(post('Patient', 'content-type: application/fhir+json\r\ncontent-length: 100000\r\n\r\n'), '{')),
      ),
      ...Array.from({ length: 10 }, () =>
        raw(
          dripping(
            'POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 60000\r\n\r\n',
            'a',
          ),
        ),
      ),
      ...Array.from({ length: 30 }, () => raw(() => undefined)),
    ]);
    const times: number[] = [];
    for (let n = 0; n < 50; n++) {
      const started = performance.now();
      expect((await server.as('system', 'GET', 'Slot?_count=1')).status).toBe(200);
      times.push(performance.now() - started);
    }
    expect(times.sort((a, b) => a - b)[25]).toBeLessThan(200);
    const answers = await slow;
    for (const { ms } of answers) expect(ms).toBeLessThan(20_000);
    const [headers, body, token, silent] = [answers[0], answers[30], answers[60], answers[70]];
    expect([headers?.text.slice(0, 12), body?.text.slice(0, 12), token?.text.slice(0, 12)]).toEqual([
      'HTTP/1.1 408',
      'HTTP/1.1 408',
      'HTTP/1.1 408',
    ]);
    expect(headers?.text).toContain('"OperationOutcome"');
    expect(silent?.text.slice(0, 12)).toMatch(/^(HTTP\/1.1 408)?$/);
  });
  it('a body without a token is not waited for', async () => {
    const answer = await raw((socket) => {
      socket.write(
        'POST /FHIR/R4/Binary HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\nabc',
      );
    });
    expect(answer.text).toMatch(/^HTTP\/1\.1 401/);
  });
  it.each(['Patient', 'Binary', 'nothing/of/this/name'])(
    'who sends all of his body before he reads is told why %s refused it',
    async (path) => {
      const body = Buffer.alloc(32 * 2 ** 20, ' ');
      const head = `POST /FHIR/R4/${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/fhir+json\r\ncontent-length: ${String(body.length)}\r\n\r\n`;
      const text = await writeThenRead(head, body);
      expect(text).toMatch(/^HTTP\/1\.1 401/);
      expect(text).toContain('"OperationOutcome"');
    },
  );
});

describe('a request says one thing', () => {
  const hidden = 'GET /FHIR/R4/Patient HTTP/1.1\r\nhost: x\r\n\r\n';
  it.each([
    ['two lengths', `content-length: 0\r\ncontent-length: 5\r\n\r\n${hidden}`],
    ['a length and chunks', `content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['chunks by another name', `transfer-encoding: xchunked\r\ncontent-length: 0\r\n\r\n${hidden}`],
    ['chunks twice', `transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
    ['a space before the colon', `content-length : 5\r\n\r\n${hidden}`],
    ['a folded header', `x: a\r\n b: c\r\ncontent-length : 0\r\n\r\n${hidden}`],
    ['a bare line feed', `x: a\ncontent-length: 0\n\n${hidden}`],
    ['a chunk size that overflows', `transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
    ['a NUL in a header', `x: a\0b\r\ncontent-length: 0\r\n\r\n${hidden}`],
  ])('%s is refused, and no second request comes of it', async (_, rest) => {
    const { text } = await raw((socket) => {
      socket.end(post('Basic', rest));
    });
    expect(statuses(text)).toEqual(['400']);
  });
  it.each([
    ['a header of 20 KB', `x: ${'y'.repeat(20_000)}\r\n`, '431'],
    ['the second Host', 'host: y\r\n', '400'],
  ])('%s', async (_, more, status) => {
    const { text } = await raw((socket) => {
      socket.end(`GET /FHIR/R4/metadata HTTP/1.1\r\nhost: x\r\n${more}connection: close\r\n\r\n`);
    });
    // a second Host is refused or changes nothing: no link is made from it
    if (status === '431') expect(statuses(text)).toEqual([status]);
    else expect(text).not.toContain('http://y');
  });
  it('a thousand headers are cut to a hundred, and the token is among the first', async () => {
    const many = Array.from({ length: 1000 }, (__, n) => `x-${String(n)}: y\r\n`).join('');
    const { text } = await raw((socket) => {
      socket.end(`GET /FHIR/R4/Patient?_count=1 HTTP/1.1\r\nhost: x\r\n${many}authorization: ${system}\r\nconnection: close\r\n\r\n`);
    });
    expect(['401', '431']).toContain(statuses(text)[0]);
  });
});

describe('paths', () => {
  const ask = (
    path: string,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<{ readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.base);
      http
        .get({ hostname, port, path, headers }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          });
        })
        .on('error', reject);
    });
  it.each([
    ...[
      '//FHIR/R4/Patient',
      '/FHIR//R4/Patient',
      '/FHIR/R4//Patient',
      '/FHIR/R4/./Patient',
      '/FHIR/R4/metadata/../Patient',
      '/x/../FHIR/R4/Patient',
    ],
    ...[
      '/FHIR/R4/metadata/%2e%2e/Patient',
      '/FHIR/R4/metadata%2f..%2fPatient',
      '/%46HIR/R4/Patient',
      '/fhir/r4/Patient',
      '/FHIR/R4/Patient%00',
      '/FHIR/R4;/Patient',
    ],
    ...[
      '/FHIR/R4/Patient;metadata',
      '/FHIR/R4/Patient#/metadata',
      '/FHIR/R4/.well-known/../Patient',
      '/FHIR/R4/%50ractitionerRole',
      'http://evil.example/FHIR/R4/Patient',
    ],
    ...[
      '/FHIR/R4/metadata/Patient',
      '/health/live/../../FHIR/R4/Patient',
      '/oauth2/../FHIR/R4/Patient?_count=1',
      '/FHIR/R4/Binary/..%2f..%2fclients%2fdemo-gp.jwk.json',
    ],
  ])('%s gives nobody a record without a token', async (path) => {
    const { status, text } = await ask(path);
    expect([400, 401, 403, 404]).toContain(status);
    expect(text).not.toContain('"Bundle"');
    expect(text).not.toContain('"kty"');
  });
  it('of no file give a file, with a token', async () => {
    for (const path of [
      'Binary/..%2f..%2fclients%2fdemo-gp.jwk.json',
      'Binary/..%2Freferrals.db',
      'Binary/%2e%2e%2fclients',
      '_job/..%2f..%2fclients/0',
      '_job/x/..%2f0',
    ]) {
      const { status, text } = await ask(`/FHIR/R4/${path}`, { authorization: system });
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
      expect(text).not.toContain('"kty"');
    }
  });
});

describe('headers', () => {
  it('that claim to be somebody or somewhere else change nothing', async () => {
    const spoofed = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-original-url': '/FHIR/R4/metadata',
      'x-rewrite-url': '/FHIR/R4/metadata',
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
      'x-user': 'demo-system',
      forwarded: 'host=evil.example',
    };
    expect((await server.as('nobody', 'GET', 'Patient', undefined, spoofed)).status).toBe(401);
    const { status, text } = await server.as('system', 'GET', 'Slot?_count=1', undefined, spoofed);
    expect([status, text.includes('evil.example')]).toEqual([200, false]);
  });
  it('of a token in another place are no token', async () => {
    const [, token = ''] = system.split(' ');
    for (const [url, headers] of [
      [`Patient?access_token=${token}`, {}],
      ['Patient', { cookie: `access_token=${token}` }],
      ['Patient', { authorization: token }],
      ['Patient', { authorization: `Basic ${token}` }],
      ['Patient', { authorization: `Bearer ${token} x` }],
      ['Patient', { authorization: `Bearer  ${token}` }],
      ['Patient', { 'x-authorization': system }],
      ['Patient', { 'proxy-authorization': system }],
    ] as const)
      expect([url.slice(0, 20), headers, (await server.as('nobody', 'GET', url, undefined, headers)).status]).toEqual([
        url.slice(0, 20),
        headers,
        401,
      ]);
  });
  it('echo only what is safe', async () => {
    for (const [value, status] of [
      ['a b', 200],
      ['<script>', 200],
      ['x'.repeat(256), 200],
      ['é', 400],
      ['x'.repeat(257), 400],
    ] as const) {
      const answer = await server.as('system', 'GET', 'Slot?_count=1', undefined, { 'x-correlation-id': value });
      expect([value, answer.status, answer.headers.get('x-correlation-id')]).toEqual([value, status, status === 200 ? value : null]);
    }
    expect((await server.as('system', 'GET', 'Slot', undefined, { 'x-request-id': 'none' })).status).toBe(400);
  });
  it('of security come with every answer, and no origin but a listed one is let in', async () => {
    const listed = await server.as('system', 'GET', 'Slot?_count=1', undefined, { origin: 'https://ehr.example' });
    const other = await server.as('system', 'GET', 'Slot?_count=1', undefined, { origin: 'https://evil.example' });
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://ehr.example');
    expect([other.headers.get('access-control-allow-origin'), listed.headers.get('access-control-allow-credentials')]).toEqual([
      null,
      null,
    ]);
    expect(listed.headers.get('access-control-expose-headers')?.split(',')).toEqual(expect.arrayContaining(['ETag', 'X-Request-ID']));
    expect(other.headers.get('access-control-expose-headers')).toBeNull();
    for (const { headers } of [listed, other, await server.as('nobody', 'GET', 'Patient'), await server.as('nobody', 'GET', '/nowhere')]) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});
