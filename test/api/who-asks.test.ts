import { ersOf, ifMatch, nhsNumber, parameters } from '../helpers/ers.js';
import { personOf } from '../helpers/person.js';
import { resourcesOf, startServer, type Running } from '../helpers/running-server.js';

// Who is let in as whom: patients by age, administrators for clinicians.
let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

const bearer: ReturnType<typeof personOf> = (clientId, person) => personOf(server)(clientId, person);

describe('a patient', () => {
  const born = (years: number, days: number): string => {
    const date = new Date(Date.now() + days * 86_400_000);
    date.setUTCFullYear(date.getUTCFullYear() - years);
    return date.toISOString().slice(0, 10);
  };
  it.each([
    ['9990999902', born(16, 2), 403],
    ['9990999929', born(16, -2), 200],
    ['9990999937', born(5, 0), 403],
  ])('%s, born %s, is answered %i', async (value, birthDate, status) => {
    const identifier = [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value }];
    const made = await server.as('system', 'POST', 'Patient', { resourceType: 'Patient', identifier, birthDate });
    expect([made.status, made.text]).toEqual([201, made.text]);
    const answer = await server.as('nobody', 'GET', 'ServiceRequest', undefined, await bearer('demo-patient-app', { patient: value }));
    expect(answer.status).toBe(status);
  });
});

describe('an administrator of a provider', () => {
  it.each([
    ['a clinician of the organisation', '555032006106', 200],
    ['a clinician of another one', '021600556514', 403],
    ['himself', '555073103100', 403],
    ['nobody there is', '999999999999', 403],
    ['nobody', undefined, 403],
  ])('acting for %s', async (_, clinician, status) => {
    const headers = {
      ...(await bearer('demo-provider', { user: '555073103100' })),
      'NHSD-End-User-Organisation-ODS': 'RCD',
      'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN_ADMIN',
      ...(clinician === undefined ? {} : { 'NHSD-eRS-On-Behalf-Of-User-ID': clinician }),
    };
    expect((await server.as('nobody', 'GET', 'ServiceRequest?_count=1', undefined, headers)).status).toBe(status);
  });

  it('attaches a file for him, which says so, whatever was sent', async () => {
    const ers = ersOf(server);
    const headers = {
      ...(await bearer('demo-provider', { user: '555073103100' })),
      'NHSD-End-User-Organisation-ODS': 'RCD',
      'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN_ADMIN',
      'NHSD-eRS-On-Behalf-Of-User-ID': '555032006106',
    };
    const [triage] = await ers.services('REVIEW');
    const wanted = parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${String(triage?.['id'])}`]);
    const { id, meta } = (await ers.post('gp', 'ServiceRequest/$ers.createReferralAndSendForTriage', wanted)).json;
    const uploaded = await server.as('nobody', 'POST', 'Binary', 'Dear colleague', { ...headers, 'content-type': 'text/plain' });
    const url = /Binary\/[^/]+/.exec(uploaded.headers.get('location') ?? '')?.[0] ?? '';
    const said = (name: string, value: string) => ({
      url: `https://fhir.nhs.uk/StructureDefinition/Extension-eRS-${name}`,
      valueReference: { identifier: { system: 'https://fhir.nhs.uk/Id/sds-user-id', value } },
    });
    const file = {
      resourceType: 'DocumentReference',
      status: 'current',
      extension: [said('AttachedBy', '021600556514')],
      content: [{ attachment: { contentType: 'text/plain', url, title: 'plan.txt' } }],
    };
    const outcome = parameters(
      ['reviewOutcome', 'RETURN_TO_REFERRER_WITH_ADVICE'],
      ['reviewComments', 'See the plan.'],
      ['providerAttachmentFile', file],
    );
    const version = ifMatch((meta as { readonly versionId: string }).versionId);
    const reviewed = await server.as('nobody', 'POST', `ServiceRequest/${String(id)}/$ers.recordReviewOutcome`, outcome, {
      ...headers,
      ...version,
    });
    expect([reviewed.status, reviewed.text]).toEqual([200, reviewed.text]);
    const [document] = resourcesOf((await server.as('system', 'GET', `DocumentReference?related=ServiceRequest/${String(id)}`)).json);
    const { extension } = document as unknown as { readonly extension: readonly { readonly url: string }[] };
    const people = extension.filter(({ url: name }) => /Attached(By|OnBehalfOf)$/.test(name));
    expect(people).toEqual([said('AttachedBy', '555073103100'), said('AttachedOnBehalfOf', '555032006106')]);
  });
});
