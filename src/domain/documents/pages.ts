import type { Appointment, Communication, DocumentReference, Patient, ServiceRequest } from 'fhir/r4.js';
import { nhsNumberOf, type Demographic } from '../demographics/demographics.js';
import type { Service } from '../directory/service.js';
import { adviceStateOf, kindOf, stateCommentsOf, stateOf, ubrnOf } from '../referral/referral.js';

type Line = readonly [string, string];
/** What `documents/pdf.ts` prints. */
export type PrintedBlock =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'lines'; readonly lines: readonly Line[] };
export type PrintedPage = { readonly title: string; readonly blocks: readonly PrintedBlock[]; readonly footer: string };

/** What a page says of a patient; where he lives is left out of a restricted record. */
const patientLines = (patient: Patient | undefined, demographic: Demographic | undefined): readonly Line[] => {
  const name = patient?.name?.[0];
  const address = patient?.address?.[0];
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Name', [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family].filter(Boolean).join(' ')],
    ['NHS number', patient && nhsNumberOf(patient)],
    ['Date of birth', patient?.birthDate],
    [
      'Address',
      demographic?.restricted === true
        ? undefined
        : [...(address?.line ?? []), address?.city, address?.postalCode].filter(Boolean).join(', '),
    ],
  ];
  return lines.flatMap(([label, value]) => (value === undefined || value === '' ? [] : [[label, value] as const]));
};

const clock = (instant: string | undefined): string =>
  instant === undefined
    ? 'no date yet'
    : new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', dateStyle: 'full', timeStyle: 'short' }).format(new Date(instant));

export type PatientLetter = {
  readonly request: ServiceRequest;
  readonly patient: Patient | undefined;
  readonly demographic: Demographic | undefined;
  readonly services: readonly Service[];
  readonly appointment: Appointment | undefined;
  readonly accessCode: string;
};

const grouped = (text: string, size: number): string => text.match(new RegExp(`.{1,${String(size)}}`, 'g'))?.join(' ') ?? text;

/** A019: what a patient takes home: the UBRN and the access code with which he books. */
export const patientLetterPage = ({ request, patient, demographic, services, appointment, accessCode }: PatientLetter): PrintedPage => ({
  title: 'Your appointment request',
  blocks: [
    { kind: 'lines', lines: patientLines(patient, demographic) },
    { kind: 'heading', text: 'To book or change your appointment' },
    {
      kind: 'lines',
      lines: [
        ['Booking reference (UBRN)', grouped(ubrnOf(request) ?? '', 4)],
        ['Access code', grouped(accessCode, 4)],
      ],
    },
    { kind: 'text', text: 'You are also asked for the year of your birth. Keep this letter safe and show the code to nobody.' },
    { kind: 'heading', text: appointment === undefined ? 'You can choose one of these services' : 'Your appointment' },
    ...(appointment === undefined ? [] : [{ kind: 'text' as const, text: clock(appointment.start) }]),
    { kind: 'lines', lines: services.map((service, index) => [String(index + 1), service.name] as const) },
  ],
  footer: 'NHS e-Referral Service',
});

export type ClinicalSummary = {
  readonly request: ServiceRequest;
  /** eRS-Priority */
  readonly priority: string;
  readonly patient: Patient | undefined;
  readonly demographic: Demographic | undefined;
  readonly services: readonly Service[];
  readonly appointment: Appointment | undefined;
  readonly documents: readonly DocumentReference[];
  readonly messages: readonly Communication[];
  readonly now: string;
};

const reasons = ({ reasonCode = [], note = [] }: ServiceRequest): readonly string[] => [
  ...reasonCode.flatMap(({ text, coding }) => text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? []),
  ...note.map(({ text }) => text),
];

const documentLines = (documents: readonly DocumentReference[]): readonly Line[] =>
  documents.map(
    ({ content, description, date }) =>
      [content[0]?.attachment.title ?? 'Document', [description, date].filter(Boolean).join(', ')] as const,
  );

/** A007 and A043: the clinical referral information, made when it is asked for and kept nowhere. */
export const clinicalSummaryPage = (summary: ClinicalSummary): PrintedPage => {
  const { request, priority, patient, demographic, services, appointment, documents, messages } = summary;
  const advice = kindOf(request) === 'advice';
  const comments = stateCommentsOf(request);
  const heading = (text: string): PrintedBlock => ({ kind: 'heading', text });
  return {
    title: advice ? 'Clinical information: request for advice' : 'Clinical referral information',
    blocks: [
      {
        kind: 'lines',
        lines: [
          ['UBRN', ubrnOf(request) ?? ''],
          ['Priority', priority],
          ['State', (advice ? adviceStateOf(request) : stateOf(request)) ?? ''],
        ],
      },
      heading('Patient'),
      { kind: 'lines', lines: patientLines(patient, demographic) },
      heading(advice ? 'Service' : 'Shortlist'),
      { kind: 'lines', lines: services.map((service, index) => [String(index + 1), service.name] as const) },
      ...(appointment === undefined ? [] : [heading('Appointment'), { kind: 'text' as const, text: clock(appointment.start) }]),
      heading('Clinical information'),
      ...reasons(request).map((text): PrintedBlock => ({ kind: 'text', text })),
      ...(comments === undefined ? [] : [{ kind: 'lines' as const, lines: [['Comments', comments] as const] }]),
      ...messages.map(({ sent, category, payload }): PrintedBlock => ({
        kind: 'lines',
        lines: [
          [
            `${sent ?? ''} ${category?.[0]?.coding?.[0]?.code ?? ''}`,
            (payload ?? []).flatMap(({ contentString }) => contentString ?? []).join(' '),
          ],
        ],
      })),
      heading('Attachments'),
      { kind: 'lines', lines: documentLines(documents) },
    ],
    footer: `Made at ${summary.now}`,
  };
};
