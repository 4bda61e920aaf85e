/**
 * A record with the label restricted shows nobody where the patient lives or how he is reached, on no way to it, and no search finds him by that;
 * only a system client that keeps the records reads and writes them whole.
 */
import { ersOf, ifMatch, nhsNumber } from '../helpers/ers.js';
import { issue } from '../helpers/rest.js';
import { resourcesOf, type Answer, type Role, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;

const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
/** each stands in one element of the record */
const secrets = ['Hidden Lane', 'Hiddentown', 'LS99 9ZZ', '07700900123', 'hidden@example.org', 'Sister Street', '07700900456', 'Told Road'];

const server = suiteServer();
let patient: string;
let referral: string;
let appointment: string;
/** by reference, and by NHS number */
let relatives: readonly string[];
beforeAll(async () => {
  const ers = ersOf(server);
  const [before] = resourcesOf(await ers.read(`Patient?identifier=${nhsNumber}`), 'Patient');
  patient = `Patient/${String(before?.['id'])}`;
  const whereabouts = {
    ...before,
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Told Road 1</div>' },
    address: [{ line: ['Hidden Lane 7'], city: 'Hiddentown', postalCode: 'LS99 9ZZ', use: 'home' }],
    telecom: [
      { system: 'phone', value: '07700900123' },
      { system: 'email', value: 'hidden@example.org' },
    ],
    contact: [{ name: { family: 'Sister' }, address: { line: ['Sister Street 1'] }, telecom: [{ system: 'phone', value: '07700900456' }] }],
    extension: [
      ...((before?.['extension'] ?? []) as Json[]),
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { text: 'Told Road 2' } },
    ],
  };
  // an older version has no label yet
  const open = await server.as('system', 'PUT', patient, whereabouts);
  const labelled = { ...whereabouts, meta: { security: [restricted] } };
  const done = await server.as('system', 'PUT', patient, labelled);
  expect([open.status, done.status]).toEqual([200, 200]);
  const lives = {
    address: [{ line: ['Hidden Lane 7'], city: 'Hiddentown', postalCode: 'LS99 9ZZ' }],
    telecom: [{ system: 'phone', value: '07700900123' }],
  };
  const wholes = [
    { reference: patient },
    { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber.split('|')[1] } },
  ].map((of) => ({
    ...{ resourceType: 'RelatedPerson', patient: of, name: [{ family: 'Sibling' }], ...lives },
  }));
  relatives = await Promise.all(
    wholes.map(async (whole) => `RelatedPerson/${String((await server.as('system', 'POST', 'RelatedPerson', whole)).json['id'])}`),
  );
  const found = await ers.withSlots();
  referral = String((await ers.refer([found.service]))['id']);
  appointment = String((await ers.book(referral, found.slots[0]?.['id']))['id']);
}, 120_000);
jest.setTimeout(60_000);

const told = (text: string): readonly string[] => secrets.filter((secret) => text.includes(secret));
const inBatch = (url: string) => ({ resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url } }] });
const version = async (at: number): Promise<string> => {
  const newest = Number(((await server.as('system', 'GET', patient)).json['meta'] as { versionId: string }).versionId);
  return `${patient}/_history/${String(newest - at)}`;
};
const number = `identifier=${nhsNumber}`;

const ways: readonly (readonly [string, Role, () => Promise<readonly [method: string, url: string, body?: unknown]>])[] = [
  ['a read', 'gp', async () => Promise.resolve(['GET', patient])],
  ["a read by the patient's application", 'patient', async () => Promise.resolve(['GET', patient])],
  ['a read in XML', 'gp', async () => Promise.resolve(['GET', `${patient}?_format=xml`])],
  ['a read of the elements by name', 'gp', async () => Promise.resolve(['GET', `${patient}?_elements=address,telecom,name`])],
  ['a summary', 'gp', async () => Promise.resolve(['GET', `${patient}?_summary=true`])],
  ['a vread', 'gp', async () => ['GET', await version(0)]],
  ['a vread of a version before the label', 'gp', async () => ['GET', await version(1)]],
  ['the history', 'gp', async () => Promise.resolve(['GET', `${patient}/_history`])],
  ['the history of the type', 'gp', async () => Promise.resolve(['GET', 'Patient/_history?_count=20'])],
  ['a search', 'gp', async () => Promise.resolve(['GET', `Patient?${number}`])],
  ['a search by POST', 'gp', async () => Promise.resolve(['POST', 'Patient/_search', ''])],
  ['a search of all types', 'gp', async () => Promise.resolve(['GET', `?_type=Patient&_id=${patient.slice(8)}`])],
  ['an include', 'gp', async () => Promise.resolve(['GET', `ServiceRequest?_id=${referral}&_include=ServiceRequest:subject`])],
  ['an iterated include', 'gp', async () => Promise.resolve(['GET', `Appointment?_id=${appointment}&_include=*`])],
  ['a reverse include', 'gp', async () => Promise.resolve(['GET', `Patient?${number}&_revinclude=ServiceRequest:subject`])],
  ['$everything', 'gp', async () => Promise.resolve(['GET', `${patient}/$everything`])],
  ['$everything of a system client', 'system', async () => Promise.resolve(['GET', `${patient}/$everything?_type=Patient`])],
  ['an entry of a batch', 'gp', async () => Promise.resolve(['POST', '', inBatch(patient)])],
  ['a search in a batch', 'gp', async () => Promise.resolve(['POST', '', inBatch(`Patient?${number}`)])],
  ['an entry of a transaction', 'gp', async () => Promise.resolve(['POST', '', { ...inBatch(patient), type: 'transaction' }])],
];

it.each(ways)('%s shows the patient without where he lives', async (name, role, request) => {
  const [method, url, body] = await request();
  const form = name === 'a search by POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
  const answer: Answer = await server.as(role, method, url, name === 'a search by POST' ? number.replace('|', '%7C') : body, form);
  expect([answer.status, told(answer.text)]).toEqual([200, []]);
  // what is left is the record itself, which says that something was taken out
  expect(answer.text).toContain(patient.slice(8));
  expect(answer.text).toContain('REDACTED');
});

/** A request of a system client that reads all, and keeps no records. */
const reads = async (url: string): Promise<Answer> => {
  const { fetchToken } = await import('../../src/auth/client-token.js');
  const keyFile = `${server.dataDir}/clients/demo-system.jwk.json`;
  const tokenUrl = `${server.baseUrl}/oauth2/token`;
  const token = await fetchToken({ clientId: 'demo-system', keyFile, tokenUrl, scope: 'system/*.rs' });
  return server.as('nobody', 'GET', url, undefined, { authorization: `Bearer ${token}` });
};

it('his RelatedPersons, who may live with him, are shown without, on every way', async () => {
  const urls = [
    ...relatives,
    ...relatives.map((relative) => `${relative}/_history/1`),
    'RelatedPerson?name=sibling',
    'RelatedPerson/_history',
    `Patient?${number}&_revinclude=RelatedPerson:patient`,
  ];
  for (const url of [...urls, `${patient}/$everything?_type=RelatedPerson`]) {
    const answer = await reads(url);
    expect([url, answer.status, told(answer.text)]).toEqual([url, 200, []]);
    expect([url, answer.text.includes('Sibling'), answer.text.includes('REDACTED')]).toEqual([url, true, true]);
  }
  const own = await server.as('patient', 'GET', relatives[0] ?? '');
  expect([own.status, told(own.text)]).toEqual([200, []]);
});

it('nobody but who keeps the records finds them, or whom they belong to, by where they live', async () => {
  const found = (answer: Answer, type = 'RelatedPerson') => resourcesOf(answer.json, type).length;
  const queries = ['address-city=Hiddentown', 'phone=07700900123', '_content=Hiddentown', '_filter=address-city eq "Hiddentown"'];
  for (const query of [...queries, '_sort=address-city&name=sibling']) {
    expect([query, found(await reads(`RelatedPerson?${query}`))]).toEqual([query, 0]);
    expect((await reads(`RelatedPerson?${query}&_summary=count`)).json['total']).toBe(0);
    expect([query, found(await server.as('system', 'GET', `RelatedPerson?${query}`))]).toEqual([query, 2]);
  }
  expect(found(await reads('RelatedPerson?name=sibling'))).toBe(2);
  const backwards = 'Patient?_has:RelatedPerson:patient:address-city=Hiddentown';
  expect(found(await reads(backwards), 'Patient')).toBe(0);
  expect(found(await server.as('system', 'GET', backwards), 'Patient')).toBe(1);
});

it('an export shows him without, whoever asks for it', async () => {
  const kickOff = await server.as('system', 'GET', 'Patient/$export?_type=Patient', undefined, { prefer: 'respond-async' });
  const url = kickOff.headers.get('content-location') ?? '';
  let done = await server.as('system', 'GET', url);
  while (done.status === 202) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    done = await server.as('system', 'GET', url);
  }
  const files = await Promise.all((done.json['output'] as readonly { url: string }[]).map((file) => server.as('system', 'GET', file.url)));
  const text = files.map((file) => file.text).join('\n');
  expect(text).toContain(`"id":"${patient.slice(8)}"`);
  expect(told(text)).toEqual([]);
});

it.each([
  'address=Hidden Lane 7',
  'address-city=Hiddentown',
  'address-postalcode=LS99 9ZZ',
  'address:contains=idden',
  'phone=07700900123',
  'email=hidden@example.org',
  'telecom=07700900123',
  '_text=Told',
  '_content=Hiddentown',
  '_filter=address-city eq "Hiddentown"',
])('no search finds him by %s, of whomever', async (query) => {
  for (const role of ['gp', 'system'] as const) {
    const answer = await server.as(role, 'GET', `Patient?${query}`);
    // a parameter that is not offered is refused, which tells nothing either
    expect([role, answer.status === 200 ? resourcesOf(answer.json, 'Patient') : []]).toEqual([role, []]);
    const chained = await server.as(role, 'GET', `ServiceRequest?subject:Patient.${query}`);
    expect([role, chained.status === 200 ? resourcesOf(chained.json, 'ServiceRequest') : []]).toEqual([role, []]);
  }
});

it('a system client that keeps the records reads them whole, and writes back what it read', async () => {
  const whole = await server.as('system', 'GET', patient);
  expect(told(whole.text)).toEqual(secrets);
  expect(whole.text).not.toContain('REDACTED');
  const again = await server.as(
    'system',
    'PUT',
    patient,
    { ...whole.json, active: true },
    ifMatch((whole.json['meta'] as Json)['versionId']),
  );
  expect([again.status, told((await server.as('system', 'GET', patient)).text)]).toEqual([200, secrets]);
});

it('a system client that only reads is shown no more than others', async () => {
  const { fetchToken } = await import('../../src/auth/client-token.js');
  const token = await fetchToken({
    clientId: 'demo-system',
    keyFile: `${server.dataDir}/clients/demo-system.jwk.json`,
    tokenUrl: `${server.baseUrl}/oauth2/token`,
    scope: 'system/Patient.rs',
  });
  const answer = await fetch(`${server.base}/${patient}`, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, told(await answer.text())]).toEqual([200, []]);
});

it('without the label all is shown, and found, again', async () => {
  const { meta: _meta, ...whole } = (await server.as('system', 'GET', patient)).json;
  expect((await server.as('system', 'PUT', patient, whole)).status).toBe(200);
  expect(told((await server.as('gp', 'GET', patient)).text)).toEqual(secrets);
  expect(resourcesOf((await server.as('gp', 'GET', 'Patient?address-city=Hiddentown')).json)).toHaveLength(1);
  expect(resourcesOf((await reads('RelatedPerson?address-city=Hiddentown')).json)).toHaveLength(2);
  // the versions that had it keep it
  const old = await server.as('gp', 'GET', await version(1));
  expect([issue(old), told(old.text)]).toEqual([undefined, []]);
});
