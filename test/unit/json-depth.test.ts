import { parseSentJson } from '../../src/fhir/json.js';

const categoryOf = (text: string): unknown => {
  try {
    return parseSentJson(text);
  } catch (error) {
    return (error as { readonly category?: string }).category ?? error;
  }
};

test.each([
  ['lists', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
  ['objects with a decimal', `${'{"a":'.repeat(50_000)}1.50${'}'.repeat(50_000)}`],
])('%s nested deeper than anything can follow are refused as that, not as a fault of the server', (_, text) => {
  expect(categoryOf(text)).toBe('too-costly');
});
