import { createHash, randomBytes } from 'node:crypto';
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
