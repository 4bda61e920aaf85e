import { failure } from '../../src/fhir/outcome.js';
import { Once } from '../../src/http/once.js';
import type { Claim } from '../../src/store/port.js';
import { memoryStore } from '../helpers/memory-store.js';

const pair = { client: 'c', requestId: 'r', correlationId: 'x' };
let now = 1_000_000;
const clock = () => now;
const gate = () => {
  const made = { open: (): void => undefined, passed: Promise.resolve() };
  made.passed = new Promise((resolve) => (made.open = resolve));
  return made;
};
const world = () => {
  const store = memoryStore(clock);
  const written: string[] = [];
  const write = async (claim: Claim): Promise<string> => {
    await store.commit({ claims: [{ ...claim, key: `${claim.key}/0` }] });
    written.push(claim.key);
    return 'written';
  };
  return { store, written, write, processes: [1, 2].map(() => new Once(store, clock, true)) as [Once, Once] };
};

beforeEach(() => {
  now = 1_000_000;
});

test('while one process carries a request out, another answers 425 and says when to ask again', async () => {
  const { processes, write, written } = world();
  const [one, two] = processes;
  const held = gate();
  const first = one.run(pair, false, async (claim) => {
    await held.passed;
    return write(claim);
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (const each of [one, two])
    await expect(each.run(pair, false, write)).rejects.toMatchObject({ category: 'too-early', headers: { 'retry-after': '1' } });
  held.open();
  expect(await first).toBe('written');
  for (const each of [one, two])
    await expect(each.run(pair, false, write)).rejects.toMatchObject({ category: 'conflict', issues: [{ code: 'duplicate' }] });
  expect(written).toHaveLength(1);
});
test('a process that was killed holds the request for ten seconds, then another carries it out', async () => {
  const { store, processes, write } = world();
  const killed = new Once({ ...store, commit: (unit) => (unit.releases ? new Promise(() => undefined) : store.commit(unit)) }, clock, true);
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask'] });
  void killed.run(pair, false, () => Promise.reject(failure('exception', 'exception', 'killed'))).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 10));
  jest.useRealTimers();
  await expect(processes[0].run(pair, false, write)).rejects.toMatchObject({ category: 'too-early' });
  now += 10_001;
  expect(await processes[0].run(pair, false, write)).toBe('written');
});
/** The first process is in the middle of the write when its lease runs out, as when the machine or the store is slow. */
const overtaken = () => {
  const parts = world();
  const held = gate();
  const slow = new Once(
    { ...parts.store, commit: (unit) => (unit.claims?.[0]?.kind === 'lease' ? Promise.resolve() : parts.store.commit(unit)) },
    clock,
    true,
  );
  const first = slow.run(pair, false, async (claim) => {
    await held.passed;
    return parts.write(claim);
  });
  return { ...parts, held, first, second: parts.processes[1] };
};
const no = () => failure('business-rule', 'business-rule', 'no');

test('what was carried out while its repetition was looked at is not told as refused', async () => {
  const { held, first, second, written } = overtaken();
  const repeated = second.run(pair, false, async () => {
    held.open();
    await first;
    // the referral is booked, by the first attempt itself
    throw no();
  });
  await expect(repeated).rejects.toMatchObject({ category: 'conflict', issues: [{ code: 'duplicate' }] });
  expect(written).toHaveLength(1);
});
test('what was refused is not carried out by who was slow', async () => {
  const { held, first, second, written, write } = overtaken();
  await expect(second.run(pair, false, () => Promise.reject(no()))).rejects.toThrow('no');
  held.open();
  await expect(first).rejects.toThrow();
  expect(written).toEqual([]);
  await expect(second.run(pair, false, write)).rejects.toThrow('no');
});
test('of many at once, over two processes, one is carried out', async () => {
  const { processes, write, written } = world();
  const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => processes[n % 2 === 0 ? 0 : 1].run(pair, false, write)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(written).toHaveLength(1);
});
test('a failure that would come again is given again by every process; one that may pass is tried again', async () => {
  const { processes, write } = world();
  const [one, two] = processes;
  const refuse = () => Promise.reject(failure('business-rule', 'business-rule', 'no'));
  await expect(one.run(pair, false, refuse)).rejects.toThrow('no');
  await expect(two.run(pair, false, write)).rejects.toThrow('no');
  const other = { ...pair, requestId: 'r2' };
  await expect(one.run(other, false, () => Promise.reject(failure('transient', 'transient', 'busy')))).rejects.toThrow('busy');
  expect(await two.run(other, false, write)).toBe('written');
});
