import { randomUUID } from 'node:crypto';
import { resourcesOf, type Answer, type Role, suiteServer } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

// What a hostile client tries with a token that is its own: other people's records by every way to the data.
const server = suiteServer();
/** a patient of D82106 with a referral to RCD, and what hangs on it */
let patient = '';
let referral = '';
let letter = '';
let binary = '';
let appointment = '';

const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number';
const idOf = ({ json }: Answer): string => String(json['id']);

beforeAll(async () => {
  const made = await server.as('system', 'POST', 'Patient', {
    resourceType: 'Patient',
    identifier: [{ system: nhsNumber, value: '9990999902' }],
    name: [{ family: 'HIDDEN', given: ['Person'] }],
    birthDate: '1950-01-02',
  });
  patient = idOf(made);
  const gp = await server.as('system', 'GET', 'Organization?identifier=https://fhir.nhs.uk/Id/ods-organization-code|R69');
  const organization = String(resourcesOf(gp.json, 'Organization')[0]?.['id']);
  const request = await server.as('system', 'POST', 'ServiceRequest', {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${patient}` },
    requester: { reference: `Organization/${organization}` },
  });
  referral = idOf(request);
  const bytes = await server.as('system', 'POST', 'Binary', { resourceType: 'Binary', contentType: 'text/plain', data: 'aGlkZGVu' });
  binary = idOf(bytes);
  letter = idOf(
    await server.as('system', 'POST', 'DocumentReference', {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: `Patient/${patient}` },
      context: { related: [{ reference: `ServiceRequest/${referral}` }] },
      content: [{ attachment: { url: `Binary/${binary}`, contentType: 'text/plain' } }],
    }),
  );
  appointment = idOf(
    await server.as('system', 'POST', 'Appointment', {
      resourceType: 'Appointment',
      status: 'proposed',
      participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
    }),
  );
}, 120_000);

const strangers: readonly Role[] = ['gp', 'provider', 'patient', 'app'];
/** The answer without what differs between any two requests: the id asked for, request ids. */
const plain = (answer: Answer, ...ids: readonly string[]): string => ids.reduce((text, id) => text.replaceAll(id, 'ID'), answer.text);

describe.each(strangers)('to %s, a record of somebody else reads as one that is not there', (role) => {
  const targets = () => [
    ['Patient', patient],
    ['ServiceRequest', referral],
    ['DocumentReference', letter],
    ['Binary', binary],
    ['Appointment', appointment],
  ];
  it('on every verb, with identical bodies', async () => {
    for (const [type = '', id = ''] of targets()) {
      const absent = type === 'ServiceRequest' ? `r.${randomUUID()}` : randomUUID();
      for (const [method, suffix, body, headers] of [
        ['GET', '', undefined, {}],
        ['GET', '/_history', undefined, {}],
        ['GET', '/_history/1', undefined, {}],
        ['PUT', '', (one: string) => ({ resourceType: type, id: one }), { 'if-match': 'W/"1"' }],
        ['DELETE', '', undefined, { 'if-match': 'W/"1"' }],
        ['PATCH', '', () => [], { 'if-match': 'W/"1"', 'content-type': 'application/json-patch+json' }],
      ] as const) {
        if (type === 'Binary' && suffix !== '') continue;
        const [theirs, nobodys] = await Promise.all(
          [id, absent].map((one) => server.as(role, method, `${type}/${one}${suffix}`, body?.(one), headers)),
        );
        const what = `${method} ${type}${suffix}`;
        expect([what, theirs?.status, plain(theirs as Answer, id)]).toEqual([what, nobodys?.status, plain(nobodys as Answer, absent)]);
        expect([what, [403, 404, 405, 400].includes(theirs?.status ?? 0)]).toEqual([what, true]);
        expect(theirs?.text).not.toContain('HIDDEN');
      }
    }
  });

  it('through every search feature', async () => {
    for (const url of [
      `Patient?_id=${patient}`,
      `Patient?identifier=${nhsNumber}|9990999902`,
      'Patient?family=HIDDEN',
      'Patient?family=HIDDEN&_summary=count',
      'Patient?family=HIDDEN&_total=accurate',
      'Patient?family=HIDDEN&_sort=birthdate&_count=1',
      `ServiceRequest?subject=Patient/${patient}`,
      `ServiceRequest?subject:Patient.family=HIDDEN`,
      `ServiceRequest?patient:identifier=${nhsNumber}|9990999902`,
      `Appointment?patient=Patient/${patient}`,
      `DocumentReference?patient=Patient/${patient}&_include=DocumentReference:patient`,
      `Patient?_has:ServiceRequest:subject:_id=${referral}`,
      `Organization?_has:ServiceRequest:requester:_id=${referral}`,
      `Organization?_has:ServiceRequest:requester:subject:Patient.family=HIDDEN`,
    ]) {
      const answer = await server.as(role, 'GET', url);
      if (answer.status === 200) {
        expect([url, answer.json['total'] ?? 0]).toEqual([url, 0]);
        expect([url, resourcesOf(answer.json).filter(({ resourceType }) => resourceType !== 'OperationOutcome')]).toEqual([url, []]);
      } else expect([url, [400, 403].includes(answer.status)]).toEqual([url, true]);
      expect(answer.text).not.toContain('"family":"HIDDEN"');
    }
  });

  it('through includes in both directions', async () => {
    for (const url of [
      'Organization?_revinclude=ServiceRequest:requester&_count=100',
      'Organization?_revinclude=ServiceRequest:requester&_include:iterate=ServiceRequest:subject&_count=100',
      'HealthcareService?_revinclude=*&_count=100',
    ]) {
      const answer = await server.as(role, 'GET', url);
      expect(answer.text).not.toContain(patient);
      expect(answer.text).not.toContain(referral);
    }
  });

  it('inside a batch and a transaction', async () => {
    const entries = [`Patient/${patient}`, `ServiceRequest/${referral}`, 'Patient?family=HIDDEN', `Binary/${binary}`].map((url) => ({
      request: { method: 'GET', url },
    }));
    for (const type of ['batch', 'transaction']) {
      const answer = await server.as(role, 'POST', '', { resourceType: 'Bundle', type, entry: entries });
      expect(answer.text).not.toContain('"family":"HIDDEN"');
      expect(answer.text).not.toContain('aGlkZGVu');
    }
  });

  it('and no write may refer to it', async () => {
    const answer = await server.as(role, 'POST', 'DocumentReference', {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: `Patient/${patient}` },
      context: { related: [{ reference: `ServiceRequest/${referral}` }] },
      content: [{ attachment: { url: `Binary/${binary}`, contentType: 'text/plain' } }],
    });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('does not exist');
  });

  it('and no letter of its own opens the bytes of another', async () => {
    const own = resourcesOf((await server.as(role, 'GET', 'ServiceRequest?_count=1')).json, 'ServiceRequest')[0];
    const answer = await server.as(role, 'POST', 'DocumentReference', {
      resourceType: 'DocumentReference',
      status: 'current',
      ...(own === undefined ? {} : { context: { related: [{ reference: `ServiceRequest/${String(own['id'])}` }] } }),
      content: [{ attachment: { url: `Binary/${binary}`, contentType: 'text/plain' } }],
    });
    expect(answer.status).toBe(422);
    expect((await server.as(role, 'GET', `Binary/${binary}`)).status).toBe(404);
  });
});

describe('roles and headers', () => {
  it('a function the user does not hold, an organisation he does not work at, a header sent twice', async () => {
    const org = 'NHSD-End-User-Organisation-ODS';
    const fn = 'NHSD-eRS-Business-Function';
    for (const headers of [
      { [org]: 'RCD' },
      { [org]: 'D82106, RCD' },
      { [fn]: 'SERVICE_PROVIDER_CLINICIAN' },
      { [fn]: 'PROVIDER_AUTHORISED_APPLICATION' },
      { 'NHSD-eRS-On-Behalf-Of-User-ID': '021600556514' },
    ])
      expect((await server.as('gp', 'GET', 'ServiceRequest', undefined, headers)).status).toBe(403);
    for (const role of ['app', 'patient'] as const)
      expect((await server.as(role, 'GET', 'ServiceRequest', undefined, { [org]: 'R69' })).status).toBe(403);
  });
  it('a missing header is 400, on every path but the exempt ones', async () => {
    const token = String((await server.as('gp', 'GET', 'PractitionerRole')).status);
    expect(token).toBe('200');
    const answer = await server.as('gp', 'GET', 'Slot?_count=1', undefined, { 'NHSD-End-User-Organisation-ODS': '' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('MISSING_HEADER');
  });
  it('ids that are no ids, and bytes in headers, break nothing', async () => {
    for (const url of [
      'Patient/..%2F..%2Fetc%2Fpasswd',
      'Patient/%00',
      'Patient/a%0d%0aSet-Cookie:%20x',
      'Binary/..%2Fkeys',
      "Patient?family='%20or%201=1--",
    ]) {
      const answer = await server.as('system', 'GET', url);
      expect([url, answer.status < 500]).toEqual([url, true]);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    const odd = await server.as('system', 'GET', 'Slot?_count=1', undefined, { 'x-correlation-id': 'a'.repeat(300) });
    expect(odd.status).toBe(400);
    expect(odd.headers.get('x-correlation-id')).toBeNull();
  });
});

describe('audit', () => {
  /** those of a query, with one that has `text` among them */
  const events = (query: string, text = '') =>
    whenTold(
      async () => resourcesOf((await server.as('system', 'GET', `AuditEvent?${query}&_count=100`)).json, 'AuditEvent'),
      (found) => found.length > 0 && JSON.stringify(found).includes(text),
    );
  it('tells of reads, searches, writes and refusals, by who, what and whom it is about', async () => {
    const correlation = randomUUID();
    const marked = { 'x-correlation-id': correlation };
    const own = resourcesOf((await server.as('gp', 'GET', 'ServiceRequest?_count=1', undefined, marked)).json)[0];
    await server.as('gp', 'GET', `ServiceRequest/${String(own?.['id'])}`, undefined, marked);
    await server.as('gp', 'GET', `Patient/${patient}`, undefined, marked);
    const refused = await events(`entity=Patient/${patient}&outcome=4`, correlation);
    expect(refused.length).toBeGreaterThan(0);
    expect(JSON.stringify(refused)).toContain(correlation);
    expect(JSON.stringify(refused)).toContain('021600556514');
    const reads = await events(`entity=ServiceRequest/${String(own?.['id'])}&action=R&outcome=0`, correlation);
    expect(JSON.stringify(reads)).toContain(correlation);
    const writes = await events(`entity=ServiceRequest/${referral}&action=C`);
    expect(writes).toHaveLength(1);
    expect((await events(`patient=Patient/${patient}&action=C`)).length).toBeGreaterThanOrEqual(3);
    expect((await events('subtype=search-type')).length).toBeGreaterThan(0);
  });
  it('is for system/AuditEvent.rs alone, is never changed, and shows in no other way', async () => {
    for (const role of strangers) expect((await server.as(role, 'GET', 'AuditEvent')).status).toBe(403);
    const [one] = await events('action=C');
    const id = String(one?.['id']);
    for (const method of ['PUT', 'DELETE']) expect((await server.as('system', method, `AuditEvent/${id}`, one)).status).toBe(405);
    expect((await server.as('system', 'POST', 'AuditEvent', one)).status).toBeGreaterThanOrEqual(403);
    const related = await server.as('system', 'GET', `Patient?_id=${patient}&_revinclude=AuditEvent:patient&_revinclude=AuditEvent:entity`);
    expect(resourcesOf(related.json, 'AuditEvent')).toEqual([]);
    expect((await server.as('system', 'GET', '_history?_count=200')).text).not.toContain('"AuditEvent"');
  });
  it('keeps no record from being deleted', async () => {
    const made = await server.as('system', 'POST', 'Basic', { resourceType: 'Basic', code: { text: 'x' } });
    await events(`entity=Basic/${idOf(made)}`);
    expect((await server.as('system', 'DELETE', `Basic/${idOf(made)}`)).status).toBe(204);
  });
});

describe('a write that is sent again', () => {
  const basic = { resourceType: 'Basic', code: { text: 'once' } };
  const pair = () => ({ 'x-request-id': randomUUID(), 'x-correlation-id': randomUUID() });
  const twice = async (method: string, url: string, body: unknown, headers: Readonly<Record<string, string>>) => [
    await server.as('system', method, url, body, headers),
    await server.as('system', method, url, body, headers),
  ];
  it('is carried out once: 409 duplicate', async () => {
    const [first, second] = await twice('POST', 'Basic', basic, pair());
    expect([first?.status, second?.status]).toEqual([201, 409]);
    expect(second?.text).toContain('"duplicate"');
  });
  it('while the first one runs: 425, or 409 when that was quicker', async () => {
    const headers = pair();
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.as('system', 'POST', 'Basic', basic, headers)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status } of answers.filter((answer) => answer.status !== 201)) expect([409, 425]).toContain(status);
  });
  it('after a failure gives that failure again', async () => {
    const [first, second] = await twice('POST', 'Basic', { resourceType: 'Basic' }, pair());
    expect(second?.status).toBe(first?.status);
    expect(second?.text).toBe(first?.text);
  });
  it('is another write under another id, and for another client', async () => {
    const headers = pair();
    await server.as('system', 'POST', 'Basic', basic, headers);
    expect((await server.as('system', 'POST', 'Basic', basic, { ...headers, 'x-request-id': randomUUID() })).status).toBe(201);
    expect((await server.as('system', 'POST', 'Basic', basic, { 'x-request-id': headers['x-request-id'] })).status).toBe(201);
    expect((await server.as('patient', 'POST', 'Basic', basic, headers)).status).toBe(403);
  });
  it('counts each entry of a batch', async () => {
    const bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [1, 2].map(() => ({ resource: basic, request: { method: 'POST', url: 'Basic' } })),
    };
    const [first, second] = await twice('POST', '', bundle, pair());
    expect([first?.status, second?.status]).toEqual([200, 409]);
    expect(first?.text.match(/"status":"201/g)).toHaveLength(2);
  });
});

it('a transaction is audited once, with everything it wrote', async () => {
  const correlation = randomUUID();
  const entry = [1, 2].map(() => ({ resource: { resourceType: 'Basic', code: { text: 'x' } }, request: { method: 'POST', url: 'Basic' } }));
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  expect((await server.as('system', 'POST', '', bundle, { 'x-correlation-id': correlation })).status).toBe(200);
  const own = await whenTold(
    async () => {
      const { json } = await server.as('system', 'GET', 'AuditEvent?subtype=transaction&_sort=-date&_count=5');
      return resourcesOf(json, 'AuditEvent')
        .map((event) => JSON.stringify(event))
        .filter((text) => text.includes(correlation));
    },
    ({ length }) => length > 0,
  );
  expect(own).toHaveLength(1);
  expect(own[0]?.match(/"Basic\//g)).toHaveLength(2);
});
