import type { Appointment, Patient, ServiceRequest } from 'fhir/r4.js';
import { systems } from '../../src/domain/codes.js';
import { demographicOf } from '../../src/domain/demographics/demographics.js';
import { clinicalSummaryPage, patientLetterPage, type PrintedPage } from '../../src/domain/documents/pages.js';
import type { Service } from '../../src/domain/directory/service.js';
import { inAdviceState, inState, withPriority } from '../../src/domain/referral/referral.js';

const patient: Patient = {
  resourceType: 'Patient',
  identifier: [{ system: systems.nhsNumber, value: '9990548609' }],
  name: [{ prefix: ['Mx'], given: ['Test'], family: 'PATIENT' }],
  birthDate: '1970-02-03',
  address: [{ line: ['1 Sample Street'], city: 'Leeds', postalCode: 'LS1 1AB' }],
};
const restricted: Patient = {
  ...patient,
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] },
};
const request = withPriority(
  inState(
    {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/p' },
      identifier: [{ system: systems.ubrn, value: '000049999990' }],
      note: [{ text: 'Chest pain on exertion.' }],
    },
    'BOOKED',
    { comments: 'Bring the ECG.' },
  ),
  { code: 'URGENT', one: () => 'urgent' },
);
const services = ['Cardiology', 'Rapid access chest pain'].map((name, index) => ({ id: String(index), name }) as Service);
const appointment: Appointment = { resourceType: 'Appointment', status: 'booked', participant: [], start: '2027-07-01T08:30:00Z' };

const textOf = ({ title, blocks, footer }: PrintedPage): string =>
  [title, ...blocks.flatMap((block) => (block.kind === 'lines' ? block.lines.map((line) => line.join(': ')) : [block.text])), footer].join(
    '\n',
  );

const letter = (of: Patient, booked?: Appointment) =>
  textOf(
    patientLetterPage({ request, patient: of, demographic: demographicOf(of), services, appointment: booked, accessCode: 'BCDFGHJKLMNP' }),
  );
const summary = (of: Patient, about: ServiceRequest = request) =>
  textOf(
    clinicalSummaryPage({
      request: about,
      priority: 'URGENT',
      patient: of,
      demographic: demographicOf(of),
      services,
      appointment,
      documents: [
        { resourceType: 'DocumentReference', status: 'current', description: 'Letter', content: [{ attachment: { title: 'letter.pdf' } }] },
      ],
      messages: [
        {
          resourceType: 'Communication',
          status: 'completed',
          sent: '2027-06-01T10:00:00Z',
          category: [{ coding: [{ system: systems.communicationCategory, code: 'REQUESTER' }] }],
          payload: [{ contentString: 'Which tests?' }],
        },
      ],
      now: '2027-06-02T10:00:00Z',
    }),
  );

it.each([
  'Mx Test PATIENT',
  'NHS number: 9990548609',
  'Date of birth: 1970-02-03',
  'Address: 1 Sample Street, Leeds, LS1 1AB',
  'Booking reference (UBRN): 0000 4999 9990',
  'Access code: BCDF GHJK LMNP',
  '1: Cardiology',
  '2: Rapid access chest pain',
])('A019: the letter of a patient who has yet to book says %s', (line) => {
  expect(letter(patient)).toContain(line);
});

it('A019: the letter of a patient who has booked says when, in the time of England', () => {
  expect(letter(patient, appointment)).toMatch(/Thursday,? 1 July 2027 at 09:30/);
  expect(letter(patient)).not.toContain('2027');
});

it.each([
  'UBRN: 000049999990',
  'Priority: URGENT',
  'State: BOOKED',
  'Mx Test PATIENT',
  'Address: 1 Sample Street',
  '1: Cardiology',
  'Chest pain on exertion.',
  'Comments: Bring the ECG.',
  'letter.pdf: Letter',
  'Made at 2027-06-02T10:00:00Z',
])('A007: the summary says %s', (line) => {
  expect(summary(patient)).toContain(line);
});

it('A043: the summary of a request for advice has the conversation and says which it is', () => {
  const advice: ServiceRequest = {
    ...inAdviceState(request, 'PROVIDER_RESPONSE_REQUIRED'),
    code: { coding: [{ system: systems.requestCode, code: 'advice-and-guidance' }] },
  };
  const text = summary(patient, advice);
  for (const line of ['request for advice', 'State: PROVIDER_RESPONSE_REQUIRED', 'REQUESTER: Which tests?']) expect(text).toContain(line);
});

it('neither says where a patient of a restricted record lives, nor the access code in a summary', () => {
  for (const text of [letter(restricted), summary(restricted)]) {
    expect(text).toContain('Mx Test PATIENT');
    expect(text).not.toMatch(/Address|Sample Street|LS1 1AB/);
  }
  expect(summary(patient)).not.toContain('BCDF');
});

it('a record is restricted by R and V of v3-Confidentiality alone', () => {
  const labelled = (code: string, system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality') =>
    demographicOf({ ...patient, meta: { security: [{ system, code }] } }).restricted;
  expect(['R', 'V', 'N', 'U'].map((code) => labelled(code))).toEqual([true, true, false, false]);
  expect(labelled('R', 'urn:other')).toBe(false);
});
