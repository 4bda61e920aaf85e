import type { Found } from '../../src/domain/command.js';
import { extensions, systems } from '../../src/domain/codes.js';
import { accessCodeClaim, triesAllowed } from '../../src/domain/patient-access/access-code.js';
import { checkAccess, type AccessPorts } from '../../src/domain/patient-access/exchange.js';
import { Taken, type Claim, type Unit } from '../../src/store/port.js';

const ubrn = '000049999990';
const right = 'BCDFGHJKLMNP';
const later = () => new Promise((resolve) => setImmediate(resolve));

const found = (type: string, id: string, resource: object): Found => ({
  type,
  id,
  version: 1,
  resource: { resourceType: type, id, ...resource },
});
const referral = found('ServiceRequest', 'r', {
  identifier: [{ system: systems.ubrn, value: ubrn }],
  subject: { reference: 'Patient/p' },
  extension: [{ url: extensions.state, extension: [{ url: 'state', valueCoding: { code: 'BOOKED' } }] }],
});
const patient = found('Patient', 'p', {
  birthDate: '1950-01-02',
  identifier: [{ system: systems.nhsNumber, value: '9912003888' }],
});

/** The claims of a store that several processes share; `compared` counts how often a code was looked at. */
const world = () => {
  const rows = new Map<string, Claim>([[accessCodeClaim(ubrn, right).key, accessCodeClaim(ubrn, right)]]);
  const seen = { compared: 0 };
  let ids = 0;
  const ports: AccessPorts = {
    findRequests: async (_system, asked) => (await later(), asked === ubrn ? [referral] : []),
    find: async () => (await later(), patient),
    findClaim: async (_kind, key) => {
      if (key.startsWith('access-code|')) seen.compared++;
      await later();
      return rows.get(key);
    },
    commit: async ({ claims = [], releases = [] }: Unit) => {
      await later();
      for (const { key, owner } of releases) if (rows.get(key)?.owner === owner) rows.delete(key);
      for (const claim of claims) {
        if (rows.has(claim.key)) throw new Taken(claim);
        rows.set(claim.key, claim);
      }
    },
    newId: () => String((ids += 1)),
  };
  const attempt = (accessCode: string, yearOfBirth = '1950', of = ubrn) => checkAccess(ports, { ubrn: of, accessCode, yearOfBirth });
  return { seen, attempt, tries: () => [...rows.keys()].filter((key) => key.startsWith('access-failure|')).length };
};

test('all three right: the NHS number, and no try is spent, however often', async () => {
  const { attempt, tries } = world();
  for (let n = 0; n < 7; n++)
    expect(await attempt('bcdf ghjk lmnp')).toEqual({ outcome: 'granted', nhsNumber: '9912003888', patientId: 'p' });
  expect(tries()).toBe(0);
});
test('each wrong part spends a try, the fifth locks, and then the right code is not even looked at', async () => {
  const { attempt, seen } = world();
  expect(await attempt('WRONG')).toEqual({ outcome: 'refused', left: 4 });
  expect(await attempt(right, '1951')).toEqual({ outcome: 'refused', left: 3 });
  for (const left of [2, 1]) expect(await attempt('')).toEqual({ outcome: 'refused', left });
  expect(await attempt('WRONG')).toEqual({ outcome: 'locked' });
  seen.compared = 0;
  expect(await attempt(right)).toEqual({ outcome: 'locked' });
  expect(seen.compared).toBe(0);
});
test('the right code gives the tries back', async () => {
  const { attempt, tries } = world();
  for (let n = 1; n < triesAllowed; n++) await attempt('WRONG');
  expect(await attempt(right)).toMatchObject({ outcome: 'granted' });
  expect(tries()).toBe(0);
});
test('of 50 guesses at once at most five are compared, and then the code is locked', async () => {
  const { attempt, seen } = world();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => attempt(`WRONG${String(n)}`)));
  expect(seen.compared).toBeLessThanOrEqual(triesAllowed);
  expect(answers.some(({ outcome }) => outcome === 'granted')).toBe(false);
  expect(await attempt(right)).toEqual({ outcome: 'locked' });
});
test('a reference number that nobody has is counted and locked alike', async () => {
  const { attempt } = world();
  const outcomes = [];
  for (let n = 0; n < 6; n++) outcomes.push((await attempt(right, '1950', '000000000000')).outcome);
  expect(outcomes).toEqual(['refused', 'refused', 'refused', 'refused', 'locked', 'locked']);
});
