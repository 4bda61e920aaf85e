/** A priority whose time is over is only shown: nobody sets it any more, by whatever operation. What has it keeps it. */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { type Answer, suiteServer } from '../helpers/running-server.js';

type Json = Readonly<Record<string, unknown>>;
type Concept = { readonly code: string; readonly property: readonly Json[] };

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let doings: Readonly<Record<string, () => Promise<Answer>>>;
let urgent: Json;
beforeAll(async () => {
  ers = ersOf(server);
  const { service, slots } = await ers.withSlots();
  const first = async (flow: string) => String((await ers.services(flow))[0]?.['id']);
  const [triage, advice] = [await first('REVIEW'), await first('ADVICE_AND_GUIDANCE')];
  const begin = (operation: string, shortlist: string, ...more: readonly (readonly [string, unknown])[]) =>
    ers.post(
      'gp',
      `ServiceRequest/$ers.${operation}`,
      parameters(['patient', nhsNumber], ['shortlist', `HealthcareService/${shortlist}`], ...more),
    );
  const asked = await begin(
    'createAdviceAndGuidance',
    advice,
    ['adviceRequestText', 'Which?'],
    ['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT'],
  );
  const question = (asked.json['parameter'] as readonly { resource: Json }[])[0]?.resource['id'];
  const sent = (await begin('createReferralAndSendForTriage', triage)).json['id'];
  const booked = (await ers.refer([service]))['id'];
  await ers.book(booked, slots[0]?.['id']);
  urgent = await ers.refer([service], [['priority', 'URGENT']]);
  const guidance = [
    ['guidance', 'These.'],
    ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION'],
  ] as const;
  const convert = parameters(['reviewComments', 'x'], ['newReferralPriority', 'URGENT']);
  const review = parameters(['reviewOutcome', 'ACCEPT_REFER_BOOK_LATER'], ['reviewComments', 'x'], ['reviewPriority', 'URGENT']);
  doings = {
    A011: () => begin('createReferral', service, ['priority', 'URGENT']),
    A021: () => begin('createReferralAndSendForTriage', triage, ['priority', 'URGENT']),
    A022: () => ers.on('provider', booked, 'cancelAppointmentActionLater', parameters(['comments', 'x'], ['priority', 'URGENT'])),
    A026: () => ers.on('provider', question, 'sendCommunicationToRequester', parameters(...guidance, ['updatedPriority', 'URGENT'])),
    A027: () => ers.on('provider', question, 'createFromCommunicationRequestActionLater', convert),
    A028: () => ers.on('provider', sent, 'recordReviewOutcome', review),
    A044: () => begin('createAdviceAndGuidance', advice, ['adviceRequestText', 'Which?'], ['priority', 'URGENT']),
  };
  const before = await ers.read('CodeSystem/PRIORITY');
  const concept = (before['concept'] as readonly Concept[]).map((one) =>
    one.code === 'URGENT' ? { ...one, property: [...one.property, { code: 'effectiveTo', valueDateTime: '2020-01-01' }] } : one,
  );
  const ended = await server.as('system', 'PUT', 'CodeSystem/PRIORITY', { ...before, concept }, ifMatch(1));
  expect(ended.status).toBe(200);
}, 120_000);

it.each(['A011', 'A021', 'A022', 'A026', 'A027', 'A028', 'A044'])('%s refuses a priority whose time is over', async (operation) => {
  const answer = await doings[operation]?.();
  expect([answer?.status, answer && codeIn(answer)]).toEqual([422, 'INVALID_CODE']);
});

it('a referral that has it goes on with it', async () => {
  const body = parameters(['cancellationReason', 'RAISED_IN_ERROR']);
  const answer = await ers.on('gp', urgent['id'], 'cancelReferral', body);
  expect(answer.status).toBe(200);
  const now = await ers.read(`ServiceRequest/${String(urgent['id'])}`);
  expect([stateIn(now), now['priority']]).toEqual(['CANCELLED_REFERRAL', 'urgent']);
});
