import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer({ MAX_BODY: '20000' });

const outcome = (answer: Answer) => {
  expect(answer.headers.get('content-type')).toContain('application/fhir+json');
  expect(answer.json['resourceType']).toBe('OperationOutcome');
  return (answer.json['issue'] as readonly { code: string; expression?: readonly string[]; details: { text: string } }[])[0];
};

const cases: readonly (readonly [title: string, status: number, code: string, ask: () => Promise<Answer>])[] = [
  ['malformed JSON', 400, 'structure', () => server.as('system', 'POST', 'Patient', '{"resourceType":')],
  ['a body that is no resource', 400, 'structure', () => server.as('system', 'POST', 'Patient', '[1]')],
  ['an empty body', 400, 'required', () => server.as('system', 'POST', 'Patient', '')],
  ['another type than the URL', 400, 'invalid', () => server.as('system', 'POST', 'Patient', { resourceType: 'Slot' })],
  [
    'a text where an object belongs',
    400,
    'structure',
    () => server.as('system', 'POST', 'Patient', { resourceType: 'Patient', meta: 'x' }),
  ],
  ['an unknown element', 400, 'structure', () => server.as('system', 'POST', 'Patient', { resourceType: 'Patient', colour: 'blue' })],
  [
    'a wrong media type',
    415,
    'not-supported',
    () => server.as('system', 'POST', 'Patient', '<Patient/>', { 'content-type': 'text/turtle' }),
  ],
  ['an Accept of Turtle', 406, 'not-supported', () => server.as('system', 'GET', 'Patient', undefined, { accept: 'text/turtle' })],
  [
    'a body over the limit',
    413,
    'too-long',
    () => server.as('system', 'POST', 'Patient', { resourceType: 'Patient', name: [{ family: 'x'.repeat(30_000) }] }),
  ],
  ['an unknown type', 404, 'not-supported', () => server.as('system', 'GET', 'Unicorn/1')],
  ['an unknown resource', 404, 'not-found', () => server.as('system', 'GET', 'Patient/nobody')],
  ['an unknown path outside FHIR', 404, 'not-supported', () => server.as('nobody', 'GET', '/nothing/here')],
  ['a malformed id', 400, 'value', () => server.as('system', 'GET', 'Patient/a_b')],
  ['an unknown search parameter', 400, 'not-supported', () => server.as('system', 'GET', 'Patient?shoe=44')],
  ['a malformed date', 400, 'value', () => server.as('system', 'GET', 'Patient?birthdate=soon')],
  ['an edited cursor', 400, 'value', () => server.as('system', 'GET', 'Patient?_cursor=WzFd.AAAAAAAAAAAAAAAAAAAAAA')],
  ['a method not offered', 405, 'not-supported', () => server.as('system', 'PUT', 'Patient', { resourceType: 'Patient' })],
  [
    'a reference to nothing',
    422,
    'not-found',
    () =>
      server.as('system', 'POST', 'Slot', {
        resourceType: 'Slot',
        schedule: { reference: 'Schedule/none' },
        status: 'free',
        start: '2027-01-01T09:00:00Z',
        end: '2027-01-01T09:30:00Z',
      }),
  ],
  [
    'an If-Match that is no ETag',
    400,
    'value',
    () =>
      server
        .as('system', 'DELETE', 'Organization/x', undefined, { 'if-match': 'x' })
        .then(async () =>
          server.as('system', 'PUT', `Patient/${await anId()}`, { resourceType: 'Patient', id: await anId() }, { 'if-match': 'x' }),
        ),
  ],
  [
    'a stale If-Match',
    412,
    'conflict',
    async () =>
      server.as('system', 'PUT', `Patient/${await anId()}`, { resourceType: 'Patient', id: await anId() }, { 'if-match': 'W/"99"' }),
  ],
  [
    'a write that a kind never has',
    403,
    'forbidden',
    () => server.as('gp', 'POST', 'Organization', { resourceType: 'Organization', name: 'Mine' }),
  ],
  ['no token', 401, 'login', () => server.as('nobody', 'GET', 'Patient')],
  ['a token that is none', 401, 'login', () => server.as('nobody', 'GET', 'Patient', undefined, { authorization: 'Bearer abc' })],
  [
    'a user without e-RS headers',
    400,
    'required',
    () => server.as('gp', 'GET', 'Patient', undefined, { 'NHSD-End-User-Organisation-ODS': '' }),
  ],
];

let id: string | undefined;
const anId = async (): Promise<string> =>
  (id ??= String((await server.as('system', 'POST', 'Patient', { resourceType: 'Patient' })).json['id']));

it.each(cases)('%s is %i %s, in FHIR', async (_title, status, code, ask) => {
  const answer = await ask();
  expect([answer.status, outcome(answer)?.code]).toEqual([status, code]);
  expect(outcome(answer)?.details.text.length).toBeGreaterThan(5);
  expect(answer.text).not.toMatch(/\bat .*\.(js|ts):\d/);
});

it('a 401 says how to get in, a 405 what is allowed', async () => {
  expect((await server.as('nobody', 'GET', 'Patient')).headers.get('www-authenticate')).toContain('Bearer');
  expect((await server.as('system', 'PUT', 'Patient', { resourceType: 'Patient' })).headers.get('allow')).toBe('GET, HEAD, POST');
});

it.each([
  ['GET', '/oauth2/token', 'POST'],
  ['POST', '/oauth2/jwks', 'GET, HEAD'],
  ['PUT', '/health/ready/', 'GET, HEAD'],
  ['POST', '/metrics', 'GET, HEAD'],
  ['DELETE', '/', 'GET, HEAD'],
  ['PUT', '/FHIR/R4/.well-known/smart-configuration', 'GET, HEAD'],
])('%s %s is not offered, and the answer says what is', async (method, path, allowed) => {
  const answer = await server.as('nobody', method, path);
  expect([answer.status, outcome(answer)?.code, answer.headers.get('allow')]).toEqual([405, 'not-supported', allowed]);
});
