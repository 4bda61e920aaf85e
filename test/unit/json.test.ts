import { parseSentJson, stringifyJson } from '../../src/fhir/json.js';
import type { Failure } from '../../src/fhir/outcome.js';

const refusalOf = (text: string): string => {
  try {
    parseSentJson(text);
    return 'taken';
  } catch (error) {
    const { category, issues } = error as Failure;
    return `${category} ${String(issues[0]?.code)} ${String(issues[0]?.text)}`;
  }
};

describe('JSON that a client sends', () => {
  test.each([
    '{"resourceType":"Patient","gender":"male"}',
    '{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]}',
    String.raw`{"a":"\"x\":1","b":"\\","c":"x\\\":","d":": "}`,
    '{ "a" :\n\t"b" , "c":[ ":" , "d" ], "":{} }',
    '{"a":1.50,"b":{"a":1e3}}',
    '[]',
    '"a"',
  ])('%s is read as it is written', (text) => {
    expect(JSON.parse(stringifyJson(parseSentJson(text)))).toEqual(JSON.parse(text));
  });

  test.each([
    ['{"gender":"male","gender":"female"}', "two members 'gender' in"],
    ['{"gender":"male","gender":"male"}', 'a member twice in'],
    ['{"a":[{"b":{"c":1,"d":2,"c":2}}]}', "two members 'c' in"],
    ['{"a":1.50,"a":1.50}', 'a member twice in'],
    [String.raw`{"a\"":1,"a\"":2}`, `two members 'a"' in`],
    [String.raw`{"\u0061":1,"a":2}`, "two members 'a' in"],
  ])('%s: names are unique within an object', (text, what) => {
    expect(refusalOf(text)).toBe(`invalid structure The body has ${what} one object.`);
  });
});
