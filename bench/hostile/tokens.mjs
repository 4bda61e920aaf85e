// Forged, borrowed, replayed and stretched assertions and access tokens; wider scopes by every detour.
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { must, part, strangers } from './world.mjs';

const seconds = () => Math.floor(Date.now() / 1000);

const refusedAll = async ({ servers, tokenAt }, assertions, form = {}) => {
  for (const [index, [name, assertion]] of assertions.entries()) {
    const { status, token } = await tokenAt(servers[index % 2], assertion, form);
    must(token === undefined && status >= 400 && status < 500, `${name}: ${status}`);
  }
  return { tries: assertions.length };
};

const confused = (world) => {
  const { keyOf, claimsOf } = world;
  const key = keyOf('demo-system');
  const headed = (alg) => `${part({ alg, typ: 'JWT', kid: key.kid })}.${part(claimsOf('demo-system'))}`;
  const publicKey = createPublicKey({ key, format: 'jwk' });
  const secrets = [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'pkcs1', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    key.n,
    JSON.stringify({ kty: key.kty, n: key.n, e: key.e }),
    '',
  ];
  const hmac = ['sha256', 'sha384', 'sha512'].flatMap((hash) =>
    secrets.map((secret, index) => {
      const text = headed(`HS${hash.slice(3)}`);
      return [`HMAC ${hash} with the public key, form ${index}`, `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`];
    }),
  );
  const none = ['none', 'None', 'NONE', 'nOnE', '', null, ['RS512'], 'RS256', 'PS512', 'ES256', 'EdDSA', 'RS512 '].map((alg) => [
    `alg ${JSON.stringify(alg)}`,
    `${headed(alg)}.`,
  ]);
  const right = world.signed({}, claimsOf('demo-system'));
  const [head, body, signature] = right.split('.');
  const other = part(claimsOf('demo-system', { sub: 'demo-gp', iss: 'demo-gp' }));
  return refusedAll(world, [
    ...hmac,
    ...none,
    ['another body under a signature', `${head}.${other}.${signature}`],
    ['a signature cut off', `${head}.${body}.`],
    ['a signature of zeros', `${head}.${body}.${Buffer.alloc(256).toString('base64url')}`],
    ['four parts', `${right}.x`],
    ['two parts', `${head}.${body}`],
  ]);
};

const injected = (world) => {
  const { signed, claimsOf, keyOf } = world;
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const theirs = { ...attacker.privateKey.export({ format: 'jwk' }), kid: 'mine' };
  const jwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'mine' };
  const own = keyOf('demo-system').kid;
  const headers = ['mine', own].flatMap((kid) => [
    { jwk, kid },
    { jku: 'http://127.0.0.1:1/jwks', kid },
    { x5u: 'http://169.254.169.254/latest', kid },
    { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')], kid },
    { crit: ['exp'], kid },
    { b64: false, crit: ['b64'], kid },
  ]);
  const kids = [
    '../../../../dev/null',
    '/dev/null',
    `../clients/demo-gp.jwk.json`,
    "' or '1'='1",
    '__proto__',
    'constructor',
    '',
    'a'.repeat(9000),
    '%00',
    null,
    7,
    keyOf('demo-gp').kid,
  ];
  return refusedAll(world, [
    ...headers.map((header) => [JSON.stringify(header).slice(0, 60), signed(header, claimsOf('demo-system'), theirs)]),
    ...kids.map((kid) => [`kid ${String(kid).slice(0, 40)}`, signed({ kid }, claimsOf('demo-system'), theirs)]),
    ['the key of another client', signed({ kid: keyOf('demo-gp').kid }, claimsOf('demo-system'), keyOf('demo-gp'))],
    ['the key of another client under the own kid', signed({}, claimsOf('demo-system'), keyOf('demo-gp'))],
  ]);
};

const skewed = (world) => {
  const { signed, claimsOf } = world;
  const now = seconds();
  const wrong = [
    { exp: now - 1 },
    { exp: now },
    { exp: now + 330 },
    { exp: now + 1e9 },
    { exp: String(now + 100) },
    { exp: now + 100.5 },
    { exp: null },
    { exp: undefined },
    { nbf: now + 60 },
    { iat: now + 60 },
    { iat: 'now' },
    { jti: undefined },
    { jti: '' },
    { jti: 7 },
    { jti: ['a'] },
    { aud: 'https://elsewhere.example/oauth2/token' },
    { aud: `${world.audience}/` },
    { aud: [] },
    { aud: undefined },
    { sub: 'demo-gp' },
    { iss: 'demo-gp' },
    { iss: '__proto__', sub: '__proto__' },
    { user: '021600556514' },
    { patient: '9912003888' },
  ];
  return refusedAll(
    world,
    wrong.map((claims) => [JSON.stringify(claims), signed({}, claimsOf('demo-system', claims))]),
  );
};

const replayed = async ({ servers, signed, claimsOf, tokenAt }) => {
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    const assertion = signed({}, claimsOf('demo-system'));
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => tokenAt(servers[n % 2], assertion)));
    must(answers.filter(({ token }) => token).length === 1, `one assertion gave ${answers.filter(({ token }) => token).length} tokens`);
    must((await tokenAt(servers[round % 2], assertion)).token === undefined, 'used again later');
  }
  return { tries: rounds * 11, told: 'one token each' };
};

/** Nobody burns the jti of another: an assertion that fails leaves it unused. */
const burnt = async ({ servers, signed, claimsOf, keyOf, tokenAt }) => {
  const jti = randomUUID();
  const theirs = keyOf('demo-gp');
  await tokenAt(servers[0], signed({}, claimsOf('demo-system', { jti }), theirs));
  await tokenAt(servers[0], signed({ kid: theirs.kid }, claimsOf('demo-gp', { jti }), theirs));
  must((await tokenAt(servers[1], signed({}, claimsOf('demo-system', { jti })))).token !== undefined, 'the jti of another was used up');
  return { tries: 3, told: 'not used up' };
};

const forgedAccess = async (world) => {
  const { ask, tokenOf, signed, claimsOf } = world;
  const right = await tokenOf('gp');
  const [head, body, signature] = right.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const more = { ...claims, kind: 'system', scope: 'system/*.cruds' };
  const tries = [
    `${head}.${part(more)}.${signature}`,
    `${part({ alg: 'none', typ: 'at+jwt' })}.${part(more)}.`,
    signed({ typ: 'at+jwt' }, { ...more, exp: seconds() + 500 }),
    signed({}, claimsOf('demo-system')),
    `${right}x`,
    `${right}, ${right}`,
    right.slice(0, -1),
    'null',
    '',
  ];
  for (const token of tries)
    for (const server of world.servers) {
      const { status } = await ask('gp', 'GET', 'AuditEvent', undefined, { authorization: `Bearer ${token}` }, server);
      must(status === 401, `an access token of ${token.length} characters: ${status}`);
    }
  return { tries: tries.length * 2 };
};

/** A token for one type only, used to get at others. */
const widened = async (world) => {
  const token = await world.tokenOf('system', { scope: 'system/Organization.rs' });
  const as = (method, url, body) => world.ask('system', method, url, body, { authorization: `Bearer ${token}` });
  const { Patient: id } = world.hidden;
  const urls = [
    `Patient/${id}`,
    `Patient?_id=${id}`,
    'Organization?_has:Patient:general-practitioner:family=Marked',
    'Organization?_has:Patient:organization:_has:ServiceRequest:subject:status=active',
    'Organization?_filter=_id eq x or (partof.name co "x")&_revinclude=Patient:organization',
    'Organization?_revinclude=*',
    'Organization?_revinclude:iterate=Patient:organization&_include=*',
    'Organization?_revinclude=Patient:general-practitioner&_revinclude=AuditEvent:entity',
    `?_type=Organization,Patient`,
    '_history',
    `Patient/${id}/$everything`,
    '$export?_type=Patient',
    `Group/${world.hidden.Group}/$export`,
    'Patient/$meta',
    'AuditEvent',
    `List/${world.hidden.List}`,
    `Organization?_list=${world.hidden.List}`,
  ];
  for (const url of urls) {
    const { text, status } = await as('GET', url);
    must(!text.includes('Markedashidden') && !text.includes(`"id":"${id}"`), `${url}: ${status} shows a record beyond the scope`);
    must(status !== 202, `${url} was accepted`);
  }
  for (const type of ['batch', 'transaction']) {
    const entry = urls.map((url) => ({ request: { method: 'GET', url } }));
    for (const one of type === 'batch' ? [entry] : entry.map((each) => [each])) {
      const { text } = await as('POST', '', { resourceType: 'Bundle', type, entry: one });
      must(!text.includes('Markedashidden'), `${type} shows a record beyond the scope`);
    }
  }
  const writes = [{ request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient', active: true } }];
  const wrote = await as('POST', '', { resourceType: 'Bundle', type: 'batch', entry: writes });
  must(!wrote.text.includes('"status":"201'), 'a batch wrote beyond the scope');
  for (const scope of ['system/*.cruds', 'user/*.cruds', 'system/Patient.rs?x', '*', 'system/*.rs system/nonsense'])
    for (const role of strangers)
      must(
        (
          await world.tokenAt(
            world.one,
            world.signed({ kid: world.keyOf('demo-gp').kid }, world.claimsOf('demo-gp'), world.keyOf('demo-gp')),
            { scope },
          )
        ).token === undefined || scope === 'user/*.cruds',
        `${role} was given ${scope}`,
      );
  return { tries: urls.length * 3 + 21 };
};

export const tokens = [
  ['algorithm confusion', confused],
  ['key injection: jwk, jku, x5u, x5c, crit, kid', injected],
  ['clock skew, times and audiences', skewed],
  ['replay across two processes, ten at once', replayed],
  ['another client’s jti', burnt],
  ['forged access tokens', forgedAccess],
  ['wider scope by batch, include, chain, _has, _filter, operations', widened],
];
