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

it('refuses more bytes than the limit and keeps nothing', async () => {
  const answer = await fetch(`${server.base}/Binary`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/pdf' },
    body: randomBytes(200_001),
  });
  expect(answer.status).toBe(413);
  expect(((await answer.json()) as { resourceType: string }).resourceType).toBe('OperationOutcome');
});
