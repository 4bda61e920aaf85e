import { KeptText } from '../../src/fhir/kept-text.js';
import { isSame, LastMade } from '../../src/fhir/last-made.js';

it('a text that is shown once is never made bytes; from the second time on it is the same bytes', () => {
  const kept = new KeptText('"Ynys Môn"');
  expect(kept.bytes()).toBeUndefined();
  const bytes = kept.bytes();
  expect(bytes?.toString()).toBe('"Ynys Môn"');
  expect(kept.bytes()).toBe(bytes);
});

it('two lists are the same when they hold the same things in the same order', () => {
  const [a, b] = [{}, {}];
  expect([isSame([a, b], [a, b]), isSame([a, b], [b, a]), isSame([a], [a, b]), isSame([a], [{}]), isSame([], [])]).toEqual([
    true,
    false,
    false,
    false,
    true,
  ]);
});

it('what was made last is given again while it holds, and so many keys are remembered', () => {
  const last = new LastMade<string, number>(2);
  let made = 0;
  const ask = (key: string, holds = true): number =>
    last.get(
      key,
      () => holds,
      () => ++made,
    );
  expect([ask('a'), ask('b'), ask('a')]).toEqual([1, 2, 1]);
  expect(ask('a', false)).toBe(3);
  // b was asked for longest ago
  expect([ask('c'), ask('a'), ask('b')]).toEqual([4, 3, 5]);
});
