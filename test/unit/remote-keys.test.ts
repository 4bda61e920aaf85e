import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import nock from 'nock';
import { nocked } from '../helpers/nocked.js';
import { checkKeysUrl, RemoteKeys, UnreadableKeys } from '../../src/auth/remote-keys.js';

const origin = 'https://keys.example';
const url = `${origin}/jwks`;
const set = (...kids: readonly string[]) => ({ keys: kids.map((kid) => ({ kty: 'RSA', kid, n: 'AQAB', e: 'AQAB' })) });

let now = 0;
// the internal form leaves the name's look-up to nock; the addresses that are refused are tested on checkKeysUrl
const remote = () => new RemoteKeys(true, () => now);

nocked();
beforeEach(() => {
  now = 1_800_000_000_000;
});

it('fetches a set once and keeps it for an hour', async () => {
  const keys = remote();
  nock(origin).get('/jwks').once().reply(200, set('a'));
  expect(await keys.find(url, 'a')).toHaveLength(1);
  now += 3_599_000;
  expect(await keys.find(url, 'a')).toHaveLength(1);
});

it('asks again for a kid that it does not know, at most every 30 seconds', async () => {
  const keys = remote();
  nock(origin).get('/jwks').reply(200, set('a'));
  await keys.find(url, 'a');
  expect(await keys.find(url, 'b')).toEqual([]);
  nock(origin).get('/jwks').reply(200, set('a', 'b'));
  now += 30_000;
  expect(await keys.find(url, 'b')).toHaveLength(1);
});

it('asks once for many that wait at the same time', async () => {
  const keys = remote();
  nock(origin).get('/jwks').once().reply(200, set('a'));
  const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(url, 'a')));
  expect(found.every((each) => each.length === 1)).toBe(true);
});

it('goes on with the keys it has when the set cannot be read', async () => {
  const keys = remote();
  nock(origin).get('/jwks').reply(200, set('a'));
  await keys.find(url, 'a');
  now += 3_700_000;
  nock(origin).get('/jwks').reply(500);
  expect(await keys.find(url, 'a')).toHaveLength(1);
});

it.each([
  ['a redirect', 302, '', { location: 'http://169.254.169.254/' }],
  ['no JSON', 200, '<html>', {}],
  ['no key set', 200, '{"keys":{}}', {}],
  ['a set that is too large', 200, JSON.stringify({ keys: [{ kid: 'a', pad: 'x'.repeat(70_000) }] }), {}],
  ['more keys than a client has', 200, JSON.stringify(set(...Array.from({ length: 51 }, (_, index) => String(index)))), {}],
])('takes no keys from %s', async (_, status, body, headers) => {
  nock(origin).get('/jwks').reply(status, body, headers);
  await expect(remote().find(url, 'a')).rejects.toBeInstanceOf(UnreadableKeys);
});

it.each([
  'http://keys.example/jwks',
  'https://user:pass@keys.example/jwks',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://10.0.0.1/',
  'file:///etc/passwd',
  'jwks',
])('refuses the URL %s outside of the demo', (text) => {
  expect(() => checkKeysUrl(text, false)).toThrow(UnreadableKeys);
});

describe('over the network itself', () => {
  /** a server that counts who connects */
  const listening = async (server: Server): Promise<{ readonly port: number; readonly connections: () => number }> => {
    let count = 0;
    server.on('connection', () => count++);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, connections: () => count };
  };
  beforeAll(() => {
    nock.restore();
  });
  afterAll(() => {
    nock.activate();
  });

  it('a name of an internal address is not connected to, however its set is asked for', async () => {
    const server = createServer((socket) => {
      socket.destroy();
    });
    const { port, connections } = await listening(server);
    const keys = new RemoteKeys(false, Date.now);
    await expect(keys.find(`https://localhost:${String(port)}/jwks`, 'a')).rejects.toBeInstanceOf(UnreadableKeys);
    expect(connections()).toBe(0);
    // the same name where internal addresses may be: the server is there
    await expect(new RemoteKeys(true, Date.now).find(`https://localhost:${String(port)}/jwks`, 'a')).rejects.toBeInstanceOf(UnreadableKeys);
    expect(connections()).toBeGreaterThan(0);
    server.close();
  });

  it.each([
    ['says nothing', () => undefined],
    [
      'sends a byte now and then',
      (write: (text: string) => void) =>
        setInterval(() => {
          write(' ');
        }, 200).unref(),
    ],
  ])('a server that %s is waited for three seconds', async (_, say) => {
    const server = createHttp((_request, response) => {
      response.writeHead(200);
      say((text) => response.write(text));
    });
    const { port } = await listening(server);
    const began = performance.now();
    await expect(new RemoteKeys(true, Date.now).find(`http://127.0.0.1:${String(port)}/jwks`, 'a')).rejects.toBeInstanceOf(UnreadableKeys);
    const took = performance.now() - began;
    expect([took > 2500, took < 5000]).toEqual([true, true]);
    server.closeAllConnections();
    server.close();
  });
});
