import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';

// the grace of each change, and on SQL Server the first use of many statements
jest.setTimeout(180_000);
let server: Running;
let other: Running;
beforeAll(async () => {
  server = await startServer();
  // a second server over the same store
  other = await startServer({ DATA_DIR: server.dataDir, WORKERS: '1' });
}, 180_000);
afterAll(async () => {
  await other.stop();
  await server.stop();
});

const eyes = 'http://example.org/eye-colour';
const parameter = (more: object = {}) => ({
  resourceType: 'SearchParameter',
  url: 'http://example.org/SearchParameter/eye-colour',
  name: 'EyeColour',
  status: 'active',
  description: 'The colour of the eyes.',
  code: 'eye-colour',
  base: ['Patient'],
  type: 'token',
  expression: `Patient.extension.where(url = '${eyes}').value`,
  ...more,
});
const person = (colour: string) => ({
  resourceType: 'Patient',
  extension: [{ url: eyes, valueCode: colour }],
});
const as = (method: string, url: string, body?: object): Promise<Answer> => server.as('system', method, url, body);
const made = async (resource: { readonly resourceType: string }): Promise<string> => {
  const answer = await as('POST', resource.resourceType, resource);
  if (answer.status !== 201) throw new Error(answer.text);
  return String(answer.json['id']);
};
const idsOf = ({ json }: Answer): readonly string[] => resourcesOf(json).map(({ id }) => String(id));
const issueOf = ({ json }: Answer) => (json['issue'] as readonly { code: string; expression?: string[]; details: { text: string } }[])[0];

/** Asks until it is refused: each process of the server hears of a change within half a second. */
const refused = async (url: string): Promise<Answer> => {
  for (let tries = 0; ; tries++) {
    const answer = await as('GET', url);
    if (answer.status === 400 || tries === 600) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
/** Asks until the answer is no refusal any more. */
const ready = async (running: Running, url: string): Promise<Answer> => {
  for (let tries = 0; ; tries++) {
    const answer = await running.as('system', 'GET', url);
    if (answer.status === 200 || tries === 600) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
const offered = async (running: Running): Promise<readonly string[]> => {
  const { json } = await running.as('system', 'GET', 'metadata');
  const [rest] = json['rest'] as readonly { resource: readonly { type: string; searchParam: readonly { name: string }[] }[] }[];
  return rest!.resource.find(({ type }) => type === 'Patient')!.searchParam.map(({ name }) => name);
};

describe('a search parameter that a system client adds', () => {
  let green = '';
  let id = '';
  beforeAll(async () => {
    green = await made(person('green'));
    await made(person('brown'));
    id = await made(parameter());
  });

  it('is refused while what is stored is being indexed, and not offered', async () => {
    const answer = await as('GET', 'Patient?eye-colour=green');
    expect([answer.status, issueOf(answer)?.code]).toEqual([400, 'not-supported']);
    // or by a process that has not heard of it
    expect(issueOf(answer)?.details.text).toMatch(/being indexed|has no search parameter eye-colour/);
    expect(await offered(server)).not.toContain('eye-colour');
  });
  it('then finds what was stored before, and what is written from now on, on every server of the store', async () => {
    for (const running of [server, other]) expect(idsOf(await ready(running, 'Patient?eye-colour=green'))).toEqual([green]);
    const second = await other.as('system', 'POST', 'Patient', person('green'));
    expect([...idsOf(await as('GET', 'Patient?eye-colour=green'))].sort()).toEqual([green, String(second.json['id'])].sort());
    expect(await offered(server)).toContain('eye-colour');
    expect(await offered(other)).toContain('eye-colour');
  });
  it('leaves the resources as they were', async () => {
    const { json } = await as('GET', `Patient/${green}`);
    expect((json['meta'] as { versionId: string }).versionId).toBe('1');
  });
  it('works in chains, in _filter and with :missing and :not', async () => {
    const observation = await made({
      ...{ resourceType: 'Observation', status: 'final', code: { text: 'x' } },
      subject: { reference: `Patient/${green}` },
    } as { resourceType: string });
    expect(idsOf(await as('GET', 'Observation?subject:Patient.eye-colour=green'))).toEqual([observation]);
    expect(idsOf(await as('GET', `Patient?_filter=eye-colour eq green&_id=${green}`))).toEqual([green]);
    expect(idsOf(await as('GET', `Patient?eye-colour:missing=false&_id=${green}`))).toEqual([green]);
    expect(idsOf(await as('GET', `Patient?eye-colour:not=brown&_id=${green}`))).toEqual([green]);
  });
  it('keeps working when only its description changes, and is indexed anew when its expression does', async () => {
    expect((await as('PUT', `SearchParameter/${id}`, parameter({ id, description: 'Eyes.' }))).status).toBe(200);
    expect((await as('GET', 'Patient?eye-colour=green')).status).toBe(200);
    expect((await as('PUT', `SearchParameter/${id}`, parameter({ id, expression: 'Patient.gender' }))).status).toBe(200);
    expect((await refused('Patient?eye-colour=green')).status).toBe(400);
    expect(idsOf(await ready(server, 'Patient?eye-colour=green'))).toEqual([]);
    expect(idsOf(await as('GET', 'Patient?eye-colour=female')).length).toBeGreaterThan(10);
  });
  it('survives a restart', async () => {
    await other.stop();
    other = await startServer({ DATA_DIR: server.dataDir, WORKERS: '1' });
    expect((await other.as('system', 'GET', 'Patient?eye-colour=female&_count=1')).json['entry']).toBeDefined();
  });
  it('is gone when it is retired, with all that was indexed for it', async () => {
    expect((await as('PUT', `SearchParameter/${id}`, parameter({ id, status: 'retired' }))).status).toBe(200);
    const answer = await refused('Patient?eye-colour=green');
    expect([answer.status, issueOf(answer)?.details.text]).toEqual([400, expect.stringContaining('has no search parameter')]);
    const [row] = resourcesOf((await as('GET', 'SearchParameter?url=http://example.org/SearchParameter/eye-colour')).json);
    expect(row?.['status']).toBe('retired');
  });
  it('is gone when it is deleted, and its code is free for another', async () => {
    const grey = await made(person('zz9'));
    const first = await made(parameter({ url: 'http://example.org/SearchParameter/a', code: 'colour-a' }));
    const taken = await as('POST', 'SearchParameter', parameter({ url: 'http://example.org/SearchParameter/b', code: 'colour-a' }));
    expect([taken.status, issueOf(taken)?.code, issueOf(taken)?.expression]).toEqual([409, 'duplicate', ['SearchParameter.code']]);
    expect(idsOf(await ready(server, 'Patient?colour-a=zz9'))).toEqual([grey]);
    expect((await as('DELETE', `SearchParameter/${first}`)).status).toBe(204);
    expect((await refused('Patient?colour-a=zz9')).status).toBe(400);
    await made(
      parameter({ url: 'http://example.org/SearchParameter/b', code: 'colour-a', type: 'string', expression: 'Patient.name.family' }),
    );
    expect(idsOf(await ready(server, 'Patient?colour-a=zz9'))).toEqual([]);
  });
});

it('a reference parameter is followed, included, and leaves the integrity of references alone', async () => {
  const nurse = await made({ resourceType: 'Practitioner' });
  const url = 'http://example.org/nurse';
  const patient = await made({
    resourceType: 'Patient',
    extension: [{ url, valueReference: { reference: `Practitioner/${nurse}` } }],
  } as { resourceType: string });
  const id = await made(
    parameter({
      ...{ url: 'http://example.org/SearchParameter/nurse', code: 'nurse', type: 'reference', target: ['Practitioner'] },
      expression: `Patient.extension('${url}').value`,
    }),
  );
  const found = await ready(server, `Patient?nurse=Practitioner/${nurse}&_include=Patient:nurse`);
  expect(idsOf(found)).toEqual([patient, nurse]);
  expect(idsOf(await as('GET', `Practitioner?_id=${nurse}&_revinclude=Patient:nurse`))).toEqual([nurse, patient]);
  expect(idsOf(await as('GET', `Practitioner?_has:Patient:nurse:_id=${patient}`))).toEqual([nurse]);
  expect((await as('PUT', `Patient/${patient}`, { ...resourcesOf(found.json)[0], active: true })).status).toBe(200);
  expect((await as('DELETE', `SearchParameter/${id}`)).status).toBe(204);
  expect((await as('DELETE', `Practitioner/${nurse}`)).status).toBe(409);
});

describe('a definition that searches cannot use', () => {
  const bad: readonly (readonly [string, object, string])[] = [
    ['is for a type that is not served', { base: ['Claim'], expression: 'Claim.status' }, 'SearchParameter.base[0]'],
    ['is for the audit trail', { base: ['AuditEvent'], expression: 'AuditEvent.action' }, 'SearchParameter.base[0]'],
    ['has a code that R4 defines', { code: 'gender' }, 'SearchParameter.code'],
    ['has a code that all types have', { code: '_tag' }, 'SearchParameter.code'],
    ['has a code that cannot be written in a query', { code: 'a.b' }, 'SearchParameter.code'],
    ['is of a type that cannot be added', { type: 'special' }, 'SearchParameter.type'],
    ['has no expression', { expression: undefined }, 'SearchParameter.expression'],
    ['has an expression that cannot be read', { expression: 'Patient.name.where(' }, 'SearchParameter.expression'],
    ['has an expression with a function that is not there', { expression: 'Patient.name.frobnicate()' }, 'SearchParameter.expression'],
    ['names an element that is not there', { expression: 'Patient.shoeSize' }, 'SearchParameter.expression'],
    ['is about another type', { expression: 'Observation.status' }, 'SearchParameter.expression'],
    ['indexes what its type cannot', { type: 'date', expression: 'Patient.name' }, 'SearchParameter.expression'],
    ['takes the URL of a parameter of R4', { url: 'http://hl7.org/fhir/SearchParameter/individual-gender' }, 'SearchParameter.url'],
    [
      'joins what is no parameter',
      {
        type: 'composite',
        component: [1, 2].map((n) => ({ definition: `http://example.org/${String(n)}`, expression: 'family' })),
        expression: 'Patient.name',
      },
      'SearchParameter.component[0].definition',
    ],
  ];
  it.each(bad)('is refused: it %s', async (_name, more, expression) => {
    const answer = await as('POST', 'SearchParameter', parameter({ url: 'http://example.org/SearchParameter/bad', code: 'bad', ...more }));
    expect([answer.status, issueOf(answer)?.expression]).toEqual([422, [expression]]);
  });
  it('is kept as it is while it is a draft', async () => {
    const answer = await as(
      'POST',
      'SearchParameter',
      parameter({ status: 'draft', code: 'gender', url: 'http://example.org/SearchParameter/d' }),
    );
    expect(answer.status).toBe(201);
    expect((await as('GET', 'Patient?gender=female&_count=1')).status).toBe(200);
  });
});

it('nobody but a system client adds one', async () => {
  expect((await server.as('gp', 'POST', 'SearchParameter', parameter())).status).toBe(403);
});
