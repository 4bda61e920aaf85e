import { createServer, type Server } from 'node:net';
import { codeIn, ersOf, parameters } from '../helpers/ers.js';
import { startServer, type Running } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

/** A daemon that speaks INSTREAM: it finds a threat in what says so, breaks off what says so, and answers when it is let. */
const fakeClamd = async () => {
  let let_ = (): void => undefined;
  let held = Promise.resolve();
  const daemon: Server = createServer((socket) => {
    let seen = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (!seen.endsWith('\0\0\0\0')) return;
      void held.then(() => {
        if (seen.includes('broken')) socket.destroy();
        else if (seen.includes('huge')) socket.end('INSTREAM size limit exceeded. ERROR\0');
        else socket.end(seen.includes('threat') ? 'stream: Test-Signature FOUND\0' : 'stream: OK\0');
      });
    });
  });
  await new Promise<void>((resolve) => daemon.listen(0, '127.0.0.1', resolve));
  return {
    url: `clamd://127.0.0.1:${String((daemon.address() as { port: number }).port)}`,
    hold: () => {
      held = new Promise((resolve) => {
        let_ = resolve;
      });
    },
    go: () => {
      let_();
    },
    stop: () => daemon.close(),
  };
};

let server: Running;
let ers: ReturnType<typeof ersOf>;
let clamd: Awaited<ReturnType<typeof fakeClamd>>;
beforeAll(async () => {
  clamd = await fakeClamd();
  server = await startServer({ SCANNER_URL: clamd.url });
  ers = ersOf(server);
}, 60_000);
afterAll(async () => {
  await server.stop();
  clamd.stop();
});
jest.setTimeout(60_000);

const upload = async (text: string, headers: Readonly<Record<string, string>> = {}, role: 'gp' | 'system' = 'gp') => {
  const answer = await server.as(role, 'POST', 'Binary', text, { 'content-type': 'text/plain', ...headers });
  return { ...answer, url: /Binary\/[^/]+/.exec(answer.headers.get('location') ?? '')?.[0] ?? '' };
};
const settled = async (url: string) => {
  for (let tries = 0; ; tries++) {
    const answer = await server.as('gp', 'GET', url);
    if (codeIn(answer) !== 'PENDING' || tries > 100) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
const documentOf = (url: string): Json => ({
  resourceType: 'DocumentReference',
  status: 'current',
  content: [{ attachment: { contentType: 'text/plain', url, title: 'letter.txt' } }],
});

it('A020: the headers of a file are held to what e-RS takes', async () => {
  const codeFor = async (text: string, headers: Readonly<Record<string, string>>) => {
    const answer = await upload(text, headers);
    return [answer.status, codeIn(answer)];
  };
  expect(await codeFor('x', { 'NHSD-eRS-File-Name': `${'a'.repeat(300)}.txt` })).toEqual([422, 'INVALID_VALUE']);
  expect(await codeFor('x', { 'NHSD-eRS-File-Name': 'a.exe' })).toEqual([422, 'INVALID_VALUE']);
  expect(await codeFor('x', { 'NHSD-eRS-File-Name': 'a.pdf' })).toEqual([422, 'CONFLICTING_VALUES']);
  expect(await codeFor('x', { 'content-type': 'application/x-msdownload' })).toEqual([415, 'INVALID_VALUE']);
  expect(await codeFor('', {})).toEqual([422, 'FILE_SIZE_ERROR']);
  expect(await codeFor('x', { 'NHSD-eRS-Referral-ID': 'abc' })).toEqual([422, 'INVALID_VALUE']);
  expect(await codeFor('x', { 'NHSD-eRS-Referral-ID': '999999999999' })).toEqual([422, 'REFERENCE_NOT_FOUND']);
  expect((await upload('x', { 'content-type': 'application/x-msdownload', 'NHSD-eRS-File-Name': 'a.exe' }, 'system')).status).toBe(201);
});

it('A012: a file that was uploaded for another request is not linked', async () => {
  const { service } = await ers.withSlots();
  const [one, two] = [await ers.refer([service]), await ers.refer([service])];
  const ubrn = (one['identifier'] as readonly { value: string }[])[0]?.value ?? '';
  const { url } = await upload('letter', { 'NHSD-eRS-Referral-ID': ubrn, 'NHSD-eRS-File-Name': 'letter.txt' });
  await settled(url);
  const link = (id: unknown) => ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', documentOf(url)]));
  expect(codeIn(await link(two['id']))).toBe('INAPPROPRIATE_VALUE');
  expect((await link(one['id'])).status).toBe(200);
});

it('A042: a file waits for its scan, and is given out under its name when nothing was found', async () => {
  clamd.hold();
  const { url } = await upload('Dear colleague', { 'NHSD-eRS-File-Name': 'l%C3%A9tter.txt' });
  const early = await server.as('gp', 'GET', url);
  expect([early.status, codeIn(early)]).toEqual([422, 'PENDING']);
  const { id } = await ers.refer([(await ers.withSlots()).service]);
  expect(codeIn(await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', documentOf(url)])))).toBe('PENDING');
  clamd.go();
  const late = await settled(url);
  expect([late.status, late.text]).toEqual([200, 'Dear colleague']);
  expect(late.headers.get('content-disposition')).toBe(`attachment; filename="l_tter.txt"; filename*=UTF-8''l%C3%A9tter.txt`);
  expect((await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', documentOf(url)]))).status).toBe(200);
});

it.each([
  ['a threat', 'THREATS_FOUND'],
  ['a huge file', 'VALIDATION_FAILED'],
  ['a broken connection, again and again', 'VALIDATION_FAILED'],
])('A042: %s is %s, as bytes and as FHIR, to everybody', async (text, code) => {
  const { url } = await upload(text);
  const answer = await settled(url);
  expect([answer.status, codeIn(answer)]).toEqual([422, code]);
  expect(codeIn(await server.as('system', 'GET', url, undefined, { accept: 'application/fhir+json' }))).toBe(code);
  const { id } = await ers.refer([(await ers.withSlots()).service]);
  expect(codeIn(await ers.on('gp', id, 'maintainReferralLetter', parameters(['attachment', documentOf(url)])))).toBe(code);
});

it('a Binary as FHIR is scanned like one of bytes', async () => {
  const created = await server.as('gp', 'POST', 'Binary', {
    resourceType: 'Binary',
    contentType: 'text/plain',
    data: Buffer.from('a threat').toString('base64'),
  });
  expect(created.status).toBe(201);
  expect(codeIn(await settled(`Binary/${String(created.json['id'])}`))).toBe('THREATS_FOUND');
});
