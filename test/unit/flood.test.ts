import { eventOf } from '../../src/audit/audit-line.js';
import { Flood } from '../../src/audit/flood.js';
import { createWitness, type Witness } from '../../src/audit/witness.js';
import { failure } from '../../src/fhir/outcome.js';
import type { Store } from '../../src/store/port.js';

let now = 0;
const clock = () => now;
beforeEach(() => {
  now = 1_000_000;
});

const witnessOver = (lines: string[]): Witness =>
  createWitness({
    trail: {
      note: (line) => lines.push(line),
      flush: () => Promise.resolve(),
      count: () => undefined,
      pace: () => 0,
      close: () => Promise.resolve(),
    },
    store: {} as Store,
    catchUp: () => Promise.resolve(),
    clock,
    newId: () => 'id',
  });
const about = { requestId: 'r' };
const throttled = failure('throttled', 'throttled', 'x');

test('50 refusals of a kind a second are told, the rest as a number', () => {
  const flood = new Flood(clock);
  const told = (kind: string, times: number) => Array.from({ length: times }, () => flood.admit(kind)).filter((each) => each.told).length;
  expect(told('a', 1000)).toBe(50);
  expect(told('b', 10)).toBe(10);
  now += 1000;
  expect(flood.admit('a')).toEqual({ told: true, untold: 950 });
  expect(flood.admit('b')).toEqual({ told: true, untold: 0 });
});
test('100,000 requests over the limit of one client leave some lines, and the refusal of another is among them', () => {
  const lines: string[] = [];
  const witness = witnessOver(lines);
  for (let n = 0; n < 100_000; n++) witness.refused({ about, clientId: 'noisy' }, throttled);
  witness.refused({ about, clientId: 'other' }, throttled);
  now += 1000;
  witness.refused({ about, clientId: 'noisy' }, throttled);
  expect(lines).toHaveLength(53);
  expect(lines.at(50)).toContain('"other"');
  expect(lines.at(51)).toContain('99950 more refusals');
});
test('a refusal for another reason than the limit is always told', () => {
  const lines: string[] = [];
  const witness = witnessOver(lines);
  for (let n = 0; n < 200; n++) witness.refused({ about, clientId: 'a' }, failure('forbidden', 'forbidden', 'x'));
  expect(lines).toHaveLength(200);
});
test('a token that was issued is told with who and whom for, a refused one with the reason; a flood of refusals is bounded', () => {
  const lines: string[] = [];
  const witness = witnessOver(lines);
  const caller = { kind: 'user', clientId: 'gp', user: '021600556514', scopes: [], organisations: [] } as const;
  for (let n = 0; n < 100; n++) witness.login(about, { caller });
  expect(lines).toHaveLength(100);
  expect(JSON.parse(eventOf(lines[0] ?? '') ?? '')).toMatchObject({
    type: { code: '110114' },
    subtype: [{ code: '110122' }],
    outcome: '0',
    agent: [{ who: { identifier: { value: 'gp' } } }, { who: { identifier: { value: '021600556514' } } }],
  });
  for (let n = 0; n < 100; n++) witness.login(about, { clientId: 'gp', reason: 'invalid_client: jti was used before' });
  for (let n = 0; n < 100; n++) witness.login(about, { reason: 'invalid_request' });
  expect(lines).toHaveLength(200);
  expect(JSON.parse(eventOf(lines[100] ?? '') ?? '')).toMatchObject({ outcome: '4', outcomeDesc: 'invalid_client: jti was used before' });
});
