import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer({ MAX_BINARY: '200000' });

const token = async (): Promise<string> => {
  const { fetchToken } = await import('../../src/auth/client-token.js');
  return fetchToken({
    clientId: 'demo-system',
    keyFile: `${server.dataDir}/clients/demo-system.jwk.json`,
    tokenUrl: `${server.baseUrl}/oauth2/token`,
  });
};

it('gives bytes back as they came, and as a Binary when asked', async () => {
  const authorization = `Bearer ${await token()}`;
  const bytes = randomBytes(150_000);
  const made = await fetch(`${server.base}/Binary`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/pdf' },
    body: bytes,
  });
  expect(made.status).toBe(201);
  const { id } = (await made.json()) as { id: string };
  const raw = await fetch(`${server.base}/Binary/${id}`, { headers: { authorization } });
  expect(raw.headers.get('content-type')).toBe('application/pdf');
  const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
  expect(hash(new Uint8Array(await raw.arrayBuffer()))).toBe(hash(bytes));
  const asJson = (await (
    await fetch(`${server.base}/Binary/${id}`, { headers: { authorization, accept: 'application/fhir+json' } })
  ).json()) as { data: string };
  expect(hash(Buffer.from(asJson.data, 'base64'))).toBe(hash(bytes));
});

it('a version of a Binary is its bytes for who asks for their media type, and the resource otherwise', async () => {
  const authorization = `Bearer ${await token()}`;
  const body = 'a letter';
  const made = await fetch(`${server.base}/Binary`, { method: 'POST', headers: { authorization, 'content-type': 'text/plain' }, body });
  const at = (path: string, accept: string) => fetch(`${server.base}/${path}`, { headers: { authorization, accept } });
  const { id } = (await made.json()) as { id: string };
  const bytes = await at(`Binary/${id}/_history/1`, 'text/plain');
  expect([bytes.status, bytes.headers.get('content-type'), await bytes.text()]).toEqual([200, 'text/plain; charset=utf-8', body]);
  for (const accept of ['*/*', 'application/fhir+json'])
    expect(await (await at(`Binary/${id}/_history/1`, accept)).json()).toMatchObject({ resourceType: 'Binary', id });
  expect((await at(`Binary/${id}/_history/2`, 'text/plain')).status).toBe(404);
  await fetch(`${server.base}/Binary/${id}`, { method: 'DELETE', headers: { authorization } });
  expect((await at(`Binary/${id}/_history/2`, 'text/plain')).status).toBe(410);
  expect((await at(`Patient/${id}/_history/1`, 'text/plain')).status).toBe(406);
});

it('refuses more bytes than the limit and keeps nothing', async () => {
  const answer = await fetch(`${server.base}/Binary`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/pdf' },
    body: randomBytes(200_001),
  });
  expect(answer.status).toBe(413);
  expect(((await answer.json()) as { resourceType: string }).resourceType).toBe('OperationOutcome');
});

describe('a part of a document (RFC 9110 14.2)', () => {
  const text = '0123456789';
  const made = async (): Promise<string> => {
    const answer = await server.as('system', 'POST', 'Binary', text, { 'content-type': 'text/plain' });
    return `Binary/${String(answer.json['id'])}`;
  };
  it.each([
    ['bytes=2-4', 'bytes 2-4/10', '234'],
    ['bytes=7-', 'bytes 7-9/10', '789'],
    ['bytes=8-99', 'bytes 8-9/10', '89'],
    ['bytes=0-0', 'bytes 0-0/10', '0'],
    ['bytes=-20', 'bytes 0-9/10', text],
    ['bytes=-3', 'bytes 7-9/10', '789'],
  ])('%s is that part', async (range, told, part) => {
    const answer = await server.as('system', 'GET', await made(), undefined, { range });
    expect([answer.status, answer.headers.get('content-range'), answer.text]).toEqual([206, told, part]);
  });
  it.each(['items=0-1', 'bytes=5-2', 'bytes=abc', 'bytes=-', 'bytes', 'bytes=0-1,5-6', 'bytes=0-1,20-30'])(
    '%s is all of it',
    async (range) => {
      const answer = await server.as('system', 'GET', await made(), undefined, { range });
      expect([answer.status, answer.headers.get('content-range'), answer.text]).toEqual([200, null, text]);
    },
  );
  it.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('%s is beyond the end', async (range) => {
    const id = randomUUID();
    const answer = await server.as('system', 'GET', await made(), undefined, { range, 'x-request-id': id, 'x-correlation-id': id });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'value' }] });
    for (const name of ['x-request-id', 'x-correlation-id']) expect(answer.headers.get(name)).toBe(id);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
  it('is found in what comes in many pieces', async () => {
    const bytes = randomBytes(190_000);
    const authorization = `Bearer ${await token()}`;
    const headers = { authorization, 'content-type': 'application/pdf' };
    const { id } = (await (await fetch(`${server.base}/Binary`, { method: 'POST', headers, body: bytes })).json()) as { id: string };
    for (const [first, last] of [
      [65_535, 65_536],
      [65_536, 131_071],
      [70_000, 189_999],
    ] as const) {
      const range = `bytes=${String(first)}-${String(last)}`;
      const answer = await fetch(`${server.base}/Binary/${id}`, { headers: { authorization, range } });
      expect(answer.headers.get('content-length')).toBe(String(last + 1 - first));
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(first, last + 1))).toBe(true);
    }
  });
  it('is not compressed, as its positions are those of the document', async () => {
    const long = text.repeat(1000);
    const { json } = await server.as('system', 'POST', 'Binary', long, { 'content-type': 'text/plain' });
    const headers = { range: 'bytes=5-5004', 'accept-encoding': 'gzip' };
    const answer = await server.as('system', 'GET', `Binary/${String(json['id'])}`, undefined, headers);
    expect([answer.status, answer.headers.get('content-encoding'), answer.text === long.slice(5, 5005)]).toEqual([206, null, true]);
  });
  it('of what the client has already is not sent', async () => {
    const since = { 'if-modified-since': new Date(Date.now() + 60_000).toUTCString() };
    for (const range of ['bytes=2-4', 'bytes=10-']) {
      const answer = await server.as('system', 'GET', await made(), undefined, { range, ...since });
      expect([answer.status, answer.headers.get('content-range'), answer.text]).toEqual([304, null, '']);
    }
  });
  it('is of the version that If-Range names, or all', async () => {
    const url = await made();
    for (const range of ['bytes=2-4', 'bytes=10-']) {
      const answer = await server.as('system', 'GET', url, undefined, { range, 'if-range': 'W/"7"' });
      expect([answer.status, answer.text]).toEqual([200, text]);
    }
    expect((await server.as('system', 'HEAD', url, undefined, { range: 'bytes=10-' })).status).toBe(200);
  });
  it.each(['bytes=99999-', 'items=0-1', 'bytes=0-1'])('what is FHIR comes whole: %s', async (range) => {
    const answer = await server.as('system', 'GET', await made(), undefined, { range, accept: 'application/fhir+json' });
    expect([answer.status, answer.json['resourceType']]).toEqual([200, 'Binary']);
    const other = await server.as('system', 'GET', 'Organization/D82106', undefined, { range });
    expect([other.status, other.json['resourceType']]).toEqual([200, 'Organization']);
  });
});
