/**
 * Random walks of practices and a provider at once over a few requests for advice. Then what must always hold is checked in what the server
 * shows: each state follows by an edge of the table, what ended stays, one message for each turn, one referral for each conversion.
 */
import { codeIn, ersOf, ifMatch, nhsNumber, parameters, stateIn } from '../helpers/ers.js';
import { resourcesOf, type Answer, type Role, suiteServer } from '../helpers/running-server.js';
import { adviceTransitions } from '../../src/domain/advice/transitions.js';

type Json = Readonly<Record<string, unknown>>;
type Move = (role: Role, id: string) => Promise<Answer>;

const actors = ['gp', 'provider', 'gp', 'provider'] as const;
const requestsWanted = 6;
const stepsEach = 30;
/** messages that each move leaves behind when it is carried out */
const messages: Readonly<Record<string, number>> = { advise: 1, 'ask back': 1, 'say converted': 1, 'add information': 1, convert: 1 };

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let requests: readonly string[];
const done = new Map<string, string[]>();
const unexpected: string[] = [];
const seed = Number(process.env['WALK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** mulberry32 */
const randomOf = (start: number) => {
  let state = start;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

const reply = (outcome: string, ...more: readonly (readonly [string, unknown])[]): Move => {
  const body = parameters(['guidance', 'These.'], ['guidanceOutcome', outcome], ...more);
  return (role, id) => ers.on(role, id, 'sendCommunicationToRequester', body);
};
let files = 0;
const moves: Readonly<Record<string, Move>> = {
  advise: reply('RETURN_TO_REFERRER_WITH_ADVICE', ['guidanceIntendedRecommendation', 'OTHER']),
  'ask back': reply('REQUIRE_FURTHER_INFORMATION'),
  'say converted': reply('PROVIDER_CONVERTED'),
  'add information': async (role, id) => {
    const file = await ers.upload(role, `more-${String((files += 1))}.txt`);
    return ers.on(role, id, 'maintainReferralLetter', parameters(['attachment', file]));
  },
  convert: (role, id) =>
    ers.on(role, id, 'createFromCommunicationRequestActionLater', parameters(['reviewComments', 'We see.'], ['guidance', 'Come.'])),
  end: (role, id) => ers.on(role, id, 'cancelReferral', parameters(['cancellationReason', 'RAISED_IN_ERROR'])),
};
// what ends a conversation comes seldom
const names = [
  'advise',
  'ask back',
  'add information',
  'add information',
  'advise',
  'ask back',
  'advise',
  'add information',
  'convert',
  'end',
  'say converted',
];

beforeAll(async () => {
  ers = ersOf(server);
  const service = String((await ers.services('ADVICE_AND_GUIDANCE'))[0]?.['id']);
  const body = parameters(
    ['patient', nhsNumber],
    ['shortlist', `HealthcareService/${service}`],
    ['adviceRequestText', 'Which tests?'],
    ['providerConversionAuthorisation', 'AUTHORISED_TO_CONVERT'],
  );
  const asked = await Promise.all(
    Array.from({ length: requestsWanted }, () => ers.post('gp', 'ServiceRequest/$ers.createAdviceAndGuidance', body)),
  );
  requests = asked.map(({ json }) => String((json['parameter'] as readonly { resource: Json }[])[0]?.resource['id']));
  await Promise.all(
    actors.map(async (role, index) => {
      const random = randomOf(seed + index);
      for (let step = 0; step < stepsEach; step++) {
        const name = names[random(names.length)] ?? '';
        const id = requests[random(requests.length)] ?? '';
        const answer = await moves[name]?.(role, id);
        if (!answer) continue;
        if (answer.status < 300) done.set(id, [...(done.get(id) ?? []), name]);
        else if (![403, 409, 412, 422].includes(answer.status)) unexpected.push(`${role} ${name} ${String(answer.status)} ${answer.text}`);
        else if (answer.status === 422) expect(['INVALID_REQUEST_STATE', 'INVALID_STATE']).toContain(codeIn(answer));
      }
    }),
  );
}, 300_000);
jest.setTimeout(60_000);

const historyOf = async (id: string): Promise<readonly Json[]> =>
  [...resourcesOf(await ers.read(`ServiceRequest/${id}/_history?_count=1000`))].reverse();

it('the walks went somewhere, and no answer was a fault', () => {
  expect([seed, unexpected]).toEqual([seed, []]);
  expect([...done.values()].flat().length).toBeGreaterThan(requestsWanted);
});

it('versions grow by one, each state follows by an edge of the table, what ended stays', async () => {
  const status: Readonly<Record<string, string>> = { CONVERSATION_ENDED_CANCELLED: 'revoked', ADVICE_CONVERTED: 'completed' };
  for (const id of requests) {
    const history = await historyOf(id);
    expect(history.map((one) => Number((one['meta'] as Json)['versionId']))).toEqual(history.map((_, index) => index + 1));
    const states = history.map(stateIn);
    expect([seed, states[0]]).toEqual([seed, 'PROVIDER_RESPONSE_REQUIRED']);
    states.slice(1).forEach((state, index) => {
      const before = states[index] ?? '';
      const allowed = Object.values(adviceTransitions).some(({ from, to }) => to === state && (from as readonly string[]).includes(before));
      expect([seed, id, before, state, allowed]).toEqual([seed, id, before, state, true]);
      expect(before).not.toBe('CONVERSATION_ENDED_CANCELLED');
    });
    history.forEach((one) => {
      expect(one['status']).toBe(status[stateIn(one)] ?? 'active');
    });
    // the first, and one for each move that was acknowledged
    expect([seed, id, history.length]).toEqual([seed, id, 1 + (done.get(id) ?? []).length]);
  }
});

it('each turn left one message, in the order of the conversation, seen by both sides', async () => {
  for (const id of requests) {
    const wanted = 1 + (done.get(id) ?? []).reduce((sum, name) => sum + (messages[name] ?? 0), 0);
    for (const role of ['gp', 'provider'] as const) {
      const page = await ers.read(`Communication?based-on=ServiceRequest/${id}&_sort=sent&_count=200`, role);
      const said = resourcesOf(page, 'Communication');
      expect([seed, id, role, said.length]).toEqual([seed, id, role, wanted]);
      const sent = said.map((one) => String(one['sent']));
      expect(sent).toEqual([...sent].sort());
    }
  }
});

it('a conversion left one referral under the same UBRN, with the provider, and a code for its patient', async () => {
  for (const id of requests) {
    const request = await ers.read(`ServiceRequest/${id}`);
    const [ubrn] = request['identifier'] as readonly { system: string; value: string }[];
    const found = resourcesOf(await ers.read(`ServiceRequest?identifier=${String(ubrn?.system)}|${String(ubrn?.value)}`), 'ServiceRequest');
    const referrals = found.filter((one) => String(one['id']).startsWith('r.'));
    expect([seed, id, referrals.length]).toEqual([seed, id, (done.get(id) ?? []).filter((name) => name === 'convert').length]);
    for (const referral of referrals) {
      expect(stateIn(referral)).toBe('TRIAGED_PROVIDER_TO_ACTION');
      expect(JSON.stringify(referral['supportingInfo'])).toContain(`ServiceRequest/${id}`);
      expect((await ers.post('gp', `ServiceRequest/${String(referral['id'])}/$ers.generatePatientLetter`)).status).toBe(200);
    }
  }
});

it("the provider's list has each request whose turn it is, once", async () => {
  const body = parameters(['listType', 'ADVICE_AND_GUIDANCE_REQUESTS'], ['count', 1000]);
  const list = (await ers.post('provider', 'ServiceRequest/$ers.fetchworklist', body)).json;
  const listed = ((list['entry'] ?? []) as readonly { item: { reference: string } }[]).map(
    ({ item }) => item.reference.split('/')[1] ?? '',
  );
  const states = await Promise.all(requests.map(async (id) => [id, stateIn(await ers.read(`ServiceRequest/${id}`))] as const));
  const waiting = states.filter(([, state]) => state === 'PROVIDER_RESPONSE_REQUIRED').map(([id]) => id);
  expect([seed, listed.filter((id) => requests.includes(id)).sort()]).toEqual([seed, [...waiting].sort()]);
});

it('a version that has moved on is refused, whoever acts', async () => {
  const [id] = requests;
  const stale = ifMatch(Number(await ers.versionOf(`ServiceRequest/${String(id)}`)) + 1);
  const answer = await ers.post(
    'provider',
    `ServiceRequest/${String(id)}/$ers.sendCommunicationToRequester`,
    parameters(['guidance', 'x'], ['guidanceOutcome', 'REQUIRE_FURTHER_INFORMATION']),
    stale,
  );
  expect(answer.status).toBe(412);
});
