// Key sets that point inside: addresses in every notation, names that resolve to them, redirects, endless and huge answers.
import { createServer } from 'node:http';
import { publicLookup } from '../../dist/auth/public-address.js';
import { checkKeysUrl, RemoteKeys } from '../../dist/auth/remote-keys.js';
import { must } from './world.mjs';

const inside = [
  ...[
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0',
    '0.0.0.0',
    '127.0.0.1.',
    '１２７.0.0.1',
  ],
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:10.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]'],
  ...['[fd00::1]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[::127.0.0.1]'],
];

const literals = () => {
  for (const host of inside) {
    let refused = false;
    try {
      checkKeysUrl(`https://${host}/jwks`, false);
    } catch {
      refused = true;
    }
    must(refused, `https://${host}/jwks was taken`);
  }
  const others = [
    'http://keys.example/jwks',
    'https://a:b@keys.example/jwks',
    'file:///etc/passwd',
    'ftp://keys.example',
    'gopher://x',
    '//keys.example',
    '',
  ];
  for (const url of others) {
    let refused = false;
    try {
      checkKeysUrl(url, false);
    } catch {
      refused = true;
    }
    must(refused, `${url} was taken`);
  }
  return { tries: inside.length + others.length };
};

/** A name that has an internal address among its answers, alone or beside a public one. */
const names = async () => {
  const answers = [
    [{ address: '127.0.0.1', family: 4 }],
    [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
    [{ address: '::ffff:169.254.169.254', family: 6 }],
    [{ address: 'fd00::1', family: 6 }],
    [],
  ];
  for (const addresses of answers) {
    const lookup = publicLookup((_name, _options, done) => done(null, addresses));
    const error = await new Promise((resolve) => lookup('keys.example', { all: true }, resolve));
    must(error !== null, `a name with ${JSON.stringify(addresses)} was connected to`);
  }
  // and the system's own resolver, by the way that keys are fetched
  const hits = { count: 0 };
  const target = createServer((_request, response) => {
    hits.count++;
    response.end('{"keys":[]}');
  });
  target.on('connection', () => hits.count++);
  await new Promise((resolve) => target.listen(0, '127.0.0.1', resolve));
  const keys = new RemoteKeys(false, Date.now);
  const failed = await keys.find(`https://localhost:${target.address().port}/jwks`, 'x').then(
    () => false,
    () => true,
  );
  target.close();
  must(failed && hits.count === 0, 'localhost was connected to');
  return { tries: answers.length + 1 };
};

/** Under DEMO the network is open, so that what a stranger's server answers can be tried. */
const answers = async () => {
  const endless = (response) => {
    const timer = setInterval(() => response.write(' '.repeat(16_384)), 1);
    response.on('close', () => clearInterval(timer));
  };
  const asked = new Map();
  const server = createServer((request, response) => {
    asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
    if (request.url === '/redirect') response.writeHead(302, { location: '/keys' }).end();
    else if (request.url === '/permanent') response.writeHead(308, { location: '/keys' }).end();
    else if (request.url === '/endless') endless(response.writeHead(200));
    else if (request.url === '/silent') response.writeHead(200).flushHeaders();
    else if (request.url === '/many') response.end(JSON.stringify({ keys: Array.from({ length: 51 }, (_, n) => ({ kid: String(n) })) }));
    else if (request.url === '/text') response.end('not json');
    else response.end(JSON.stringify({ keys: [{ kid: 'x', kty: 'oct', k: 'AAAA' }] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const paths = ['/redirect', '/permanent', '/endless', '/silent', '/many', '/text'];
  for (const path of paths) {
    const keys = new RemoteKeys(true, Date.now);
    const started = performance.now();
    const got = await Promise.all([1, 2, 3].map(() => keys.find(base + path, 'x').catch(() => [])));
    must(got.flat().length === 0, `${path} gave keys`);
    must(performance.now() - started < 5000, `${path} held the server up`);
    await keys.find(base + path, 'another').catch(() => []);
    must((asked.get(path) ?? 0) <= 2, `${path} was asked ${asked.get(path)} times`);
  }
  must(asked.get('/keys') === undefined, 'a redirect was followed');
  server.closeAllConnections();
  server.close();
  return { tries: paths.length };
};

export const keySets = [
  ['internal addresses in every notation, other schemes', literals],
  ['names that resolve to internal addresses', names],
  ['redirects, endless, silent and crowded key sets', answers],
];
