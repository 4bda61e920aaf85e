import { resourcesOf, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();

const observation = (value: string) =>
  `{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueQuantity":{"value":${value},"unit":"kg"}}`;

it('keeps decimals as they were written, from parser to store to wire', async () => {
  for (const value of ['1.50', '1.0', '0.10', '100', '1e2', '72.4', '12345678901234567890.10']) {
    const made = await server.as('system', 'POST', 'Observation', observation(value));
    expect(made.status).toBe(201);
    expect(made.text).toContain(`"value":${value},`);
    expect((await server.as('system', 'GET', `Observation/${String(made.json['id'])}`)).text).toContain(`"value":${value},`);
  }
});

it('create, read, update, vread, history, delete', async () => {
  const made = await server.as('system', 'POST', 'Patient', { resourceType: 'Patient', gender: 'female' });
  expect(made.headers.get('etag')).toBe('W/"1"');
  const url = `Patient/${String(made.json['id'])}`;
  expect(made.headers.get('location')).toBe(`${server.base}/${url}/_history/1`);
  expect((made.json['meta'] as { versionId: string }).versionId).toBe('1');

  const read = await server.as('system', 'GET', url);
  expect(read.text).toBe(made.text);
  expect((await server.as('system', 'GET', url, undefined, { 'if-none-match': 'W/"1"' })).status).toBe(304);
  expect((await server.as('system', 'HEAD', url)).status).toBe(200);

  const changed = await server.as('system', 'PUT', url, { ...made.json, gender: 'male' }, { 'if-match': 'W/"1"' });
  expect([changed.status, changed.headers.get('etag')]).toEqual([200, 'W/"2"']);
  expect((await server.as('system', 'GET', `${url}/_history/1`)).text).toBe(made.text);
  expect((await server.as('system', 'GET', `${url}/_history/9`)).status).toBe(404);

  const removed = await server.as('system', 'DELETE', url);
  expect([removed.status, removed.text]).toEqual([204, '']);
  expect((await server.as('system', 'GET', url)).status).toBe(410);
  expect((await server.as('system', 'DELETE', url)).status).toBe(204);
  const history = await server.as('system', 'GET', `${url}/_history`);
  expect((history.json['entry'] as readonly { request: { method: string } }[]).map(({ request }) => request.method)).toEqual([
    'DELETE',
    'PUT',
    'POST',
  ]);
  expect((await server.as('system', 'PUT', url, { ...made.json })).headers.get('etag')).toBe('W/"4"');
});

it('answers writes as Prefer asks', async () => {
  const minimal = await server.as('system', 'POST', 'Patient', { resourceType: 'Patient' }, { prefer: 'return=minimal' });
  expect([minimal.status, minimal.text]).toEqual([201, '']);
  expect(
    (await server.as('system', 'POST', 'Patient', { resourceType: 'Patient' }, { prefer: 'return=OperationOutcome' })).json['resourceType'],
  ).toBe('OperationOutcome');
});

it('does not delete what others refer to', async () => {
  const organisation = await server.as('system', 'POST', 'Organization', { resourceType: 'Organization', name: 'A' });
  const location = await server.as('system', 'POST', 'Location', {
    resourceType: 'Location',
    managingOrganization: { reference: `Organization/${String(organisation.json['id'])}` },
  });
  const refused = await server.as('system', 'DELETE', `Organization/${String(organisation.json['id'])}`);
  expect(refused.status).toBe(409);
  expect(refused.text).toContain(`Location/${String(location.json['id'])}`);
});

it('pages through a search, each match once, the total with it', async () => {
  const first = await server.as('system', 'GET', 'HealthcareService?_count=7');
  const seen: unknown[] = [];
  let page = first;
  for (;;) {
    seen.push(...resourcesOf(page.json).map((resource) => resource['id']));
    const next = (page.json['link'] as readonly { relation: string; url: string }[]).find(({ relation }) => relation === 'next');
    if (!next) break;
    page = await server.as('system', 'GET', next.url);
    expect(page.status).toBe(200);
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(Number(first.json['total']));
});

it('a transaction is one: references inside it resolve, and a fault undoes all', async () => {
  const entry = (fullUrl: string, resource: object) => ({
    fullUrl,
    resource,
    request: { method: 'POST', url: (resource as { resourceType: string }).resourceType },
  });
  const before = Number((await server.as('system', 'GET', 'Location?_summary=count')).json['total']);
  const organisation = entry('urn:uuid:9b1f3c5e-7a53-4d0f-8b8e-0d6c2f1f0a11', { resourceType: 'Organization', name: 'T' });
  const location = (name: unknown) =>
    entry('urn:uuid:9b1f3c5e-7a53-4d0f-8b8e-0d6c2f1f0a12', {
      resourceType: 'Location',
      name,
      managingOrganization: { reference: organisation.fullUrl },
    });
  const done = await server.as('system', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [location('L'), organisation] });
  expect(done.status).toBe(200);
  const [first, second] = done.json['entry'] as readonly {
    resource: { id: string; managingOrganization: { reference: string } };
    response: { status: string };
  }[];
  expect([first?.response.status, second?.response.status]).toEqual(['201', '201']);
  expect(first?.resource.managingOrganization.reference).toBe(`Organization/${second?.resource.id ?? ''}`);
  const refused = await server.as('system', 'POST', '', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [organisation, location(5)],
  });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain('Bundle.entry[1]');
  expect(Number((await server.as('system', 'GET', 'Location?_summary=count')).json['total'])).toBe(before + 1);
});

it('a batch’s entries stand alone', async () => {
  const answer = await server.as('system', 'POST', '', {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'GET', url: 'Patient/none' } },
      { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
    ],
  });
  expect((answer.json['entry'] as readonly { response: { status: string } }[]).map(({ response }) => response.status)).toEqual([
    '404',
    '201',
  ]);
});

it('finds a logical reference as the literal one', async () => {
  const made = await server.as('system', 'POST', 'Condition', {
    resourceType: 'Condition',
    subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' } },
  });
  expect(made.status).toBe(201);
  const patient = resourcesOf((await server.as('system', 'GET', 'Patient?identifier=9912003888')).json)[0];
  const found = await server.as('system', 'GET', `Condition?subject=Patient/${String(patient?.['id'])}`);
  expect(resourcesOf(found.json).map((resource) => resource['id'])).toContain(made.json['id']);
});
