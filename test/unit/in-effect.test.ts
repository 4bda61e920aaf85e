import { conceptIn, isInEffect } from '../../src/domain/reference-data/concept.js';

const of = (property: readonly object[]) => {
  const concept = conceptIn(
    { resourceType: 'CodeSystem', status: 'active', content: 'complete', concept: [{ code: 'A', property }] } as never,
    'A',
  );
  if (!concept) throw new Error('there is no A');
  return concept;
};
const from = (valueDateTime: string) => of([{ code: 'effectiveFrom', valueDateTime }]);
const to = (valueDateTime: string) => of([{ code: 'effectiveTo', valueDateTime }]);

// clocks go forward on 2027-03-28: the 29th begins at 23:00 UTC of the 28th, the 28th at midnight UTC
it.each([
  ['from a day of summer, an hour before midnight UTC', from('2027-03-29'), '2027-03-28T23:00:00Z', true],
  ['from a day of summer, before it begins', from('2027-03-29'), '2027-03-28T22:59:59Z', false],
  ['from the day of the change', from('2027-03-28'), '2027-03-28T00:00:00Z', true],
  ['until a day of summer, an hour before midnight UTC', to('2027-03-29'), '2027-03-28T23:00:00Z', false],
  ['until a day of summer, before it begins', to('2027-03-29'), '2027-03-28T22:59:59Z', true],
  ['from a day of winter', from('2026-12-25'), '2026-12-24T23:59:59Z', false],
  ['from a moment', from('2019-07-23T17:09:56Z'), '2019-07-23T17:09:55Z', false],
  ['from a moment that has come', from('2019-07-23T17:09:56Z'), '2019-07-23T17:09:56Z', true],
  ['without dates', of([]), '2027-03-28T23:00:00Z', true],
])('a code is in effect %s', (_, concept, now, inEffect) => {
  expect(isInEffect(concept, now)).toBe(inEffect);
});
