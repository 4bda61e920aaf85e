/** Who may see a record is told by what it says now: versions from when it was about somebody else are not shown with it. */
import { nhsNumber } from '../helpers/ers.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);

type Json = Readonly<Record<string, unknown>>;
const asSystem = (method: string, url: string, body?: object) => server.as('system', method, url, body);
const made = async (resource: Json): Promise<Json> => {
  const answer = await asSystem('POST', String(resource['resourceType']), resource);
  expect(answer.status).toBe(201);
  return answer.json;
};
const changed = async (resource: Json): Promise<Json> => {
  const answer = await asSystem('PUT', `${String(resource['resourceType'])}/${String(resource['id'])}`, resource);
  expect(answer.status).toBe(200);
  return answer.json;
};
const versions = ({ json }: Answer): readonly string[] => resourcesOf(json).map(({ meta }) => (meta as { versionId: string }).versionId);

let own = '';
let other = '';
beforeAll(async () => {
  own = String(resourcesOf((await asSystem('GET', `Patient?identifier=${nhsNumber}`)).json, 'Patient')[0]?.['id']);
  other = String((await made({ resourceType: 'Patient', name: [{ family: 'Otherwise' }] }))['id']);
});
const condition = (patient: string, text: string): Json => ({
  resourceType: 'Condition',
  subject: { reference: `Patient/${patient}` },
  code: { text },
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
});

it('a record that was put right shows its patient no version about another one', async () => {
  const wrong = await made(condition(other, 'of the other'));
  const right = await changed({ ...wrong, ...condition(own, 'of his own') });
  await changed({ ...right, code: { text: 'of his own, again' } });
  const url = `Condition/${String(wrong['id'])}`;
  const read = (path: string) => server.as('patient', 'GET', path);
  expect([(await read(url)).status, (await read(`${url}/_history/2`)).status]).toEqual([200, 200]);
  const hidden = await read(`${url}/_history/1`);
  const none = await read(`${url}/_history/9`);
  expect([hidden.status, hidden.text.replaceAll('/_history/1', '/_history/9')]).toEqual([404, none.text]);
  expect(versions(await read(`${url}/_history`))).toEqual(['3', '2']);
  expect((await read(`${url}/_history?_count=0`)).json['total']).toBe(2);
  // nor does a page tell how many there are with those that are not shown
  expect((await read(`${url}/_history?_count=1`)).json['total']).toBeUndefined();
  expect((await read('Condition/_history?_count=200')).text).not.toContain('of the other');
  const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `${url}/_history/1` } }] };
  expect((await server.as('patient', 'POST', '', batch)).text).not.toContain('of the other');
  expect(versions(await asSystem('GET', `${url}/_history`))).toEqual(['3', '2', '1']);

  await asSystem('DELETE', url);
  expect([(await read(`${url}/_history/1`)).status, (await read(`${url}/_history/2`)).status]).toEqual([404, 200]);
  expect(versions(await read(`${url}/_history`))).toEqual(['3', '2']);
});

it('nor his practice, by a referral', async () => {
  const referral = (patient: string, reason: string): Json => ({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${patient}` },
    requester: { reference: 'PractitionerRole/D82106-021600556514' },
    reasonCode: [{ text: reason }],
  });
  const wrong = await made(referral(other, 'of the other'));
  await changed({ ...wrong, ...referral(own, 'of his own') });
  const url = `ServiceRequest/${String(wrong['id'])}`;
  expect(versions(await server.as('gp', 'GET', `${url}/_history`))).toEqual(['2']);
  expect((await server.as('gp', 'GET', `${url}/_history/1`)).status).toBe(404);
});

it('versions of a record that names him otherwise, or by the record that his own replaced, are his', async () => {
  const [system = '', value = ''] = nhsNumber.split('|');
  const logical = await made({ ...condition(own, 'by number'), subject: { identifier: { system, value } } });
  const url = `Condition/${String(logical['id'])}`;
  await changed({ ...logical, subject: { reference: `Patient/${own}` } });
  expect(versions(await server.as('patient', 'GET', `${url}/_history`))).toEqual(['2', '1']);

  const superseded = await made({
    resourceType: 'Patient',
    active: false,
    name: [{ family: 'Before' }],
    link: [{ type: 'replaced-by', other: { reference: `Patient/${own}` } }],
  });
  const before = await made(condition(String(superseded['id']), 'before'));
  await changed({ ...before, ...condition(own, 'after') });
  expect(versions(await server.as('patient', 'GET', `Condition/${String(before['id'])}/_history`))).toEqual(['2', '1']);
});

it('what was made for the records that his own replaced is his, and nothing of records that it is only linked to', async () => {
  const linked = async (type: string, to: string): Promise<string> => {
    const link = [{ type, other: { reference: `Patient/${to}` } }];
    return String((await made({ resourceType: 'Patient', active: false, name: [{ family: 'Before' }], link }))['id']);
  };
  const before = await linked('replaced-by', own);
  const [merged, longBefore, alike] = [before, await linked('replaced-by', before), await linked('seealso', own)];
  const conditions: unknown[] = [];
  for (const patient of [merged, longBefore, alike]) conditions.push((await made(condition(patient, 'of a record before')))['id']);
  const read = async () => {
    const answers = await Promise.all(conditions.map((id) => server.as('patient', 'GET', `Condition/${String(id)}`)));
    return answers.map(({ status }) => status);
  };
  // who a patient is, is remembered for some seconds
  for (let tries = 0; tries < 20 && (await read())[1] !== 200; tries++) await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await read()).toEqual([200, 200, 404]);
});
