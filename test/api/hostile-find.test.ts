import { fetchToken } from '../../src/auth/client-token.js';
import { codeIn, ersOf, parameters } from '../helpers/ers.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

// Whom a referrer may find and refer, and what a caller learns of records beyond his sight and scope.
const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let service = '';
const system = 'https://fhir.nhs.uk/Id/nhs-number';
beforeAll(async () => {
  ers = ersOf(server);
  ({ service } = await ers.withSlots());
}, 120_000);

const patientOf = async (number: string, birthDate: string, practice?: string): Promise<string> => {
  const answer = await server.as('system', 'POST', 'Patient', {
    resourceType: 'Patient',
    identifier: [{ system, value: number }],
    name: [{ family: 'ELSEWHERE' }],
    birthDate,
    ...(practice === undefined ? {} : { generalPractitioner: [{ reference: `Organization/${practice}` }] }),
  });
  expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
  return String(answer.json['id']);
};
const refer = (patient: string): Promise<Answer> =>
  ers.post('gp', 'ServiceRequest/$ers.createReferral', parameters(['patient', patient], ['shortlist', `HealthcareService/${service}`]));
const find = (number: string, birthDate: string, more = ''): Promise<Answer> =>
  server.as('gp', 'GET', `Patient?identifier=${system}|${number}&birthdate=${birthDate}${more}`);
const totalOf = ({ json }: Answer): unknown => json['total'];

describe('a patient of another practice', () => {
  it('is found by NHS number and birth date, may then be referred, and is seen no further before that', async () => {
    const id = await patientOf('9990999821', '1950-01-02', 'R69');
    const before = [await refer(`Patient/${id}`), await refer('Patient/nobody'), await refer(`${system}|9990999821`)];
    expect(before.map(codeIn)).toEqual(Array(3).fill('REFERENCE_NOT_FOUND'));
    expect(totalOf(await find('9990999821', '1950-01-03'))).toBe(0);
    expect(codeIn(await refer(`Patient/${id}`))).toBe('REFERENCE_NOT_FOUND');
    const found = await find('9990999821', '1950-01-02', '&_revinclude=Observation:subject');
    expect(resourcesOf(found.json).map(({ id: shown }) => shown)).toEqual([id]);
    expect((await server.as('gp', 'GET', `Patient/${id}`)).status).toBe(404);
    const services = await ers.post('gp', 'HealthcareService/$ers.searchHealthcareServicesForPatient', {
      ...parameters(['patient', `Patient/${id}`]),
    });
    expect(codeIn(services)).not.toBe('REFERENCE_NOT_FOUND');
    const referral = await refer(`Patient/${id}`);
    expect([referral.status, referral.status === 201 ? '' : referral.text]).toEqual([201, '']);
    expect((await server.as('gp', 'GET', `Patient/${id}`)).status).toBe(200);
    const events = await whenTold(
      async () =>
        resourcesOf((await server.as('system', 'GET', `AuditEvent?entity=Patient/${id}&subtype=search-type&_count=50`)).json, 'AuditEvent'),
      ({ length }) => length > 0,
    );
    expect(events.length).toBeGreaterThan(0);
  });

  it('is referred by NHS number as well, by who found him alone', async () => {
    await patientOf('9990999848', '1950-01-02', 'R69');
    await find('9990999848', '1950-01-02', '&_summary=count');
    expect((await refer(`${system}|9990999848`)).status).toBe(201);
    const other = await patientOf('9990999856', '1950-01-02', 'R69');
    expect(codeIn(await refer(`Patient/${other}`))).toBe('REFERENCE_NOT_FOUND');
  });

  it('is told to have no practice, and nothing else, before he is found', async () => {
    const id = await patientOf('9990999864', '1950-01-02');
    const refused = await refer(`Patient/${id}`);
    expect(codeIn(refused)).toBe('NO_REG_GP_PRACTICE');
    expect(refused.text).not.toContain('1950');
    await find('9990999864', '1950-01-02');
    expect(codeIn(await refer(`Patient/${id}`))).toBe('NO_REG_GP_PRACTICE');
  });

  it('is not found by trying birth dates, however many come at once', async () => {
    await patientOf('9990999872', '1950-01-20', 'R69');
    const days = Array.from({ length: 19 }, (_, day) => `1950-01-${String(day + 1).padStart(2, '0')}`);
    const guesses = await Promise.all(days.map((day) => find('9990999872', day)));
    expect(guesses.map(totalOf)).toEqual(days.map(() => 0));
    expect(totalOf(await find('9990999872', '1950-01-20'))).toBe(0);
    // others with that number are not there either, and other numbers are not locked
    await patientOf('9990999880', '1950-01-20', 'R69');
    expect(totalOf(await find('9990999880', '1950-01-20'))).toBe(1);
  });

  it('is not found by the criteria of other interactions', async () => {
    const id = await patientOf('9990999899', '1950-01-02', 'R69');
    const criteria = `identifier=${system}|9990999899&birthdate=1950-01-02`;
    const everywhere = await server.as('gp', 'GET', `?_type=Patient&${criteria}`);
    expect(everywhere.text).not.toContain(id);
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: { resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient?${criteria}` }, content: [] },
          request: { method: 'POST', url: 'DocumentReference' },
        },
      ],
    };
    const conditional = await server.as('gp', 'POST', '/FHIR/R4', bundle);
    expect(conditional.status).toBe(422);
    expect(conditional.text).not.toContain(id);
    const provider = await server.as('provider', 'GET', `Patient?${criteria}`);
    expect(totalOf(provider)).toBe(0);
  });
});

describe('$validate', () => {
  it('says nothing of the deletion of what the caller may not see', async () => {
    const id = await patientOf('9990999910', '1950-01-02', 'R69');
    await server.as('system', 'POST', 'Observation', {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${id}` },
    });
    const body = { resourceType: 'Patient', id: 'x' };
    for (const role of ['gp', 'provider', 'patient'] as const) {
      const [theirs, nobodys] = await Promise.all(
        [id, 'nobody'].map((one) => server.as(role, 'POST', `Patient/${one}/$validate?mode=delete`, { ...body, id: one })),
      );
      expect([role, theirs?.status, theirs?.text.replaceAll(id, 'ID')]).toEqual([role, 404, nobodys?.text.replaceAll('nobody', 'ID')]);
    }
    const own = await server.as('system', 'POST', `Patient/${id}/$validate?mode=delete`, { ...body, id });
    expect(own.text).toContain('referred to by Observation/');
  });
});

describe('a granular scope', () => {
  const observation = (id: string, category: string) => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
    code: { text: category },
  });
  const laboratory = async (method: string, url: string, body?: object): Promise<Answer> => {
    const token = await fetchToken({
      clientId: 'demo-system',
      keyFile: `${server.dataDir}/clients/demo-system.jwk.json`,
      tokenUrl: `${server.baseUrl}/oauth2/token`,
      scope: 'system/Observation.cruds?category=laboratory system/Patient.cruds',
    });
    return server.as('nobody', method, url, body, { authorization: `Bearer ${token}` });
  };

  it('does not write over what it does not cover, by making it what it covers', async () => {
    expect((await server.as('system', 'PUT', 'Observation/imaging-1', observation('imaging-1', 'imaging'))).status).toBe(201);
    expect((await laboratory('GET', 'Observation/imaging-1')).status).toBe(404);
    expect((await laboratory('PUT', 'Observation/imaging-1', observation('imaging-1', 'laboratory'))).status).toBe(404);
    expect((await server.as('system', 'GET', 'Observation/imaging-1')).text).toContain('"version' + 'Id":"1"');
    expect((await laboratory('PUT', 'Observation/laboratory-1', observation('laboratory-1', 'laboratory'))).status).toBe(201);
  });

  it('is not told who refers to what it cannot delete', async () => {
    const id = await patientOf('9990999929', '1950-01-02');
    const referring = await server.as('system', 'POST', 'Observation', {
      ...observation('x', 'imaging'),
      subject: { reference: `Patient/${id}` },
    });
    const name = `Observation/${String(referring.json['id'])}`;
    const refused = await laboratory('DELETE', `Patient/${id}`);
    expect([refused.status, refused.text.includes(name), refused.text.includes('referred to by others')]).toEqual([409, false, true]);
    expect((await server.as('system', 'DELETE', `Patient/${id}`)).text).toContain(name);
  });
});
