import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
beforeAll(async () => {
  const kept = await Promise.all(maps.map((map) => server.as('system', 'PUT', `ConceptMap/${map.id}`, map)));
  expect(kept.map(({ status }) => status)).toEqual(maps.map(() => 201));
}, 60_000);

const uses = 'http://hl7.org/fhir/address-use';
const v2 = 'http://terminology.hl7.org/CodeSystem/v2-0190';
const v2Map = 'http://hl7.org/fhir/ConceptMap/cm-address-use-v2';

const mapOf = (id: string, rest: object) => ({
  resourceType: 'ConceptMap',
  id,
  url: `https://example.org/ConceptMap/${id}`,
  status: 'active',
  ...rest,
});
const colour = 'https://example.org/colour';
const paint = 'https://example.org/paint';
const light = 'https://example.org/light';
const maps = [
  mapOf('paints', {
    version: '2',
    sourceUri: 'https://example.org/ValueSet/colours',
    targetUri: 'https://example.org/ValueSet/paints',
    group: [
      {
        source: colour,
        target: paint,
        element: [
          {
            code: 'red',
            target: [
              {
                code: 'cadmium',
                equivalence: 'narrower',
                comment: 'one of its reds',
                product: [{ property: 'https://example.org/hue', system: light, value: 'warm' }],
              },
              { code: 'blood', equivalence: 'equal', dependsOn: [{ property: 'https://example.org/medium', value: 'oil' }] },
            ],
          },
          { code: 'none', target: [{ equivalence: 'unmatched' }] },
        ],
        unmapped: { mode: 'other-map', url: 'https://example.org/ConceptMap/rest' },
      },
    ],
  }),
  mapOf('rest', { group: [{ source: colour, target: paint, element: [], unmapped: { mode: 'fixed', code: 'grey', display: 'Grey' } }] }),
  mapOf('lights', { group: [{ source: colour, target: light, element: [], unmapped: { mode: 'provided' } }] }),
  mapOf('round', {
    group: [
      {
        source: 'https://example.org/round',
        target: paint,
        element: [],
        unmapped: { mode: 'other-map', url: 'https://example.org/ConceptMap/round' },
      },
    ],
  }),
].map((map) => {
  // an element is needed in every group
  const group = (map as unknown as { group: { element: object[] }[] }).group;
  return { ...map, group: group.map((each) => (each.element.length > 0 ? each : { ...each, element: [{ code: 'never' }] })) };
});

type Part = { readonly name: string; readonly part?: readonly Part[]; readonly [value: string]: unknown };
const partsOf = (answer: Answer) => (answer.json['parameter'] ?? []) as readonly Part[];
const valueIn = (parts: readonly Part[], name: string, value: string) => parts.find((part) => part.name === name)?.[value];
const resultOf = (answer: Answer) => valueIn(partsOf(answer), 'result', 'valueBoolean');
/** each match as `equivalence code`, sorted */
const matchesOf = (answer: Answer) =>
  partsOf(answer)
    .filter(({ name }) => name === 'match')
    .map(({ part = [] }) => {
      const concept = valueIn(part, 'concept', 'valueCoding') as { code: string } | undefined;
      return `${String(valueIn(part, 'equivalence', 'valueCode'))} ${concept?.code ?? '-'}`;
    })
    .sort();
const ask = (query: Readonly<Record<string, string>>, at = 'ConceptMap') =>
  server.as('gp', 'GET', `${at}/$translate?${new URLSearchParams(query).toString()}`);
const post = (...parameter: readonly object[]) =>
  server.as('gp', 'POST', 'ConceptMap/$translate', { resourceType: 'Parameters', parameter });
const canonical = (id: string) => `https://example.org/ConceptMap/${id}`;

it('translates by HL7’s own maps, and says which one', async () => {
  const answer = await ask({ url: v2Map, system: uses, code: 'home' });
  expect([answer.status, resultOf(answer), matchesOf(answer)]).toEqual([200, true, ['equivalent H']]);
  expect(partsOf(answer).find(({ name }) => name === 'match')?.part).toEqual([
    { name: 'equivalence', valueCode: 'equivalent' },
    { name: 'concept', valueCoding: { system: v2, code: 'H' } },
    { name: 'source', valueUri: v2Map },
  ]);
  expect(matchesOf(await ask({ system: uses, code: 'home' }, 'ConceptMap/cm-address-use-v2'))).toEqual(['equivalent H']);
});

it.each([
  ['the maps known of the system, when none is named', { system: uses, code: 'home' }, ['equal H', 'equivalent H', 'equivalent H']],
  ['those into a code system', { system: uses, code: 'home', targetsystem: v2 }, ['equivalent H']],
  ['those into a value set', { system: uses, code: 'home', target: 'http://terminology.hl7.org/ValueSet/v2-0190' }, ['equivalent H']],
  ['those from a value set', { system: colour, code: 'red', source: 'https://example.org/ValueSet/colours' }, ['narrower cadmium']],
  ['the way back', { url: canonical('paints'), system: paint, code: 'cadmium', reverse: 'true' }, ['wider red']],
  ['a version of a map', { url: canonical('paints'), conceptMapVersion: '2', system: colour, code: 'red' }, ['narrower cadmium']],
  ['a code for all the rest', { url: canonical('rest'), system: colour, code: 'blue' }, ['relatedto grey']],
  ['the code itself, where a map says so', { url: canonical('lights'), system: colour, code: 'blue' }, ['equivalent blue']],
  ['what another map knows', { url: canonical('paints'), system: colour, code: 'blue' }, ['relatedto grey']],
])('finds %s', async (_, query, expected) => {
  const answer = await ask(query);
  expect([answer.status, resultOf(answer), matchesOf(answer)]).toEqual([200, true, expected]);
});

it.each([
  ['a code that the map does not have', { url: v2Map, system: uses, code: 'palace' }, []],
  ['a code that has no equivalent', { url: canonical('paints'), system: colour, code: 'none' }, ['unmatched -']],
  ['a code of another system', { url: v2Map, system: colour, code: 'home' }, []],
  ['another target', { url: v2Map, system: uses, code: 'home', target: 'https://example.org/ValueSet/none' }, []],
  ['a map that leads to itself', { url: canonical('round'), system: 'https://example.org/round', code: 'x' }, []],
])('result is false for %s', async (_, query, expected) => {
  const answer = await ask(query);
  expect([answer.status, resultOf(answer), matchesOf(answer)]).toEqual([200, false, expected]);
  expect(partsOf(answer)[1]?.name).toBe('message');
});

it('takes Coding, CodeableConcept, a map of the client’s own, and what the translation depends on', async () => {
  const url = { name: 'url', valueUri: canonical('paints') };
  const red = { system: colour, code: 'red' };
  expect(matchesOf(await post(url, { name: 'coding', valueCoding: red }))).toEqual(['narrower cadmium']);
  const concept = { name: 'codeableConcept', valueCodeableConcept: { coding: [{ system: light, code: 'x' }, red] } };
  const answer = await post(url, concept);
  expect(matchesOf(answer)).toEqual(['narrower cadmium']);
  expect(JSON.stringify(answer.json)).toContain('"product","part":[{"name":"element","valueUri":"https://example.org/hue"}');
  const inOil = {
    name: 'dependency',
    part: [
      { name: 'element', valueUri: 'https://example.org/medium' },
      { name: 'concept', valueCodeableConcept: { text: 'oil' } },
    ],
  };
  expect(matchesOf(await post(url, concept, inOil))).toEqual(['equal blood', 'narrower cadmium']);
  const own = {
    ...mapOf('own', {}),
    group: [{ source: colour, target: light, element: [{ code: 'red', target: [{ code: 'r', equivalence: 'equal' }] }] }],
  };
  expect(matchesOf(await post({ name: 'conceptMap', resource: own }, { name: 'coding', valueCoding: red }))).toEqual(['equal r']);
});

it.each<readonly [string, () => Promise<Answer>, number, string]>([
  ['an unknown map', () => ask({ url: canonical('none'), system: uses, code: 'home' }), 404, 'not-found'],
  [
    'a version that is not there',
    () => ask({ url: canonical('paints'), conceptMapVersion: '1', system: colour, code: 'red' }),
    404,
    'not-found',
  ],
  ['a map that is not stored', () => ask({ system: uses, code: 'home' }, 'ConceptMap/none'), 404, 'not-found'],
  ['no code', () => ask({ url: v2Map, system: uses }), 400, 'required'],
  ['a code without its system', () => ask({ url: v2Map, code: 'home' }), 400, 'required'],
  ['an input of another version of FHIR', () => ask({ url: v2Map, sourceCode: 'home' }), 400, 'not-supported'],
  ['reverse that is no boolean', () => ask({ url: v2Map, system: uses, code: 'home', reverse: 'yes' }), 400, 'value'],
  ['a Coding that is none', () => post({ name: 'coding', valueCoding: 5 }), 400, 'structure'],
  [
    'a map that is none',
    () =>
      post({ name: 'coding', valueCoding: { system: uses, code: 'home' } }, { name: 'conceptMap', resource: { resourceType: 'Patient' } }),
    400,
    'invalid',
  ],
  [
    'a map that is broken',
    () =>
      post(
        { name: 'coding', valueCoding: { system: uses, code: 'home' } },
        { name: 'conceptMap', resource: { resourceType: 'ConceptMap', group: 5 } },
      ),
    400,
    'structure',
  ],
  [
    'a list of no parameters',
    () => server.as('gp', 'POST', 'ConceptMap/$translate', { resourceType: 'Parameters', parameter: [null] }),
    400,
    'structure',
  ],
])('refuses %s', async (_, asked, status, code) => {
  const answer = await asked();
  expect([answer.status, (answer.json['issue'] as readonly { code: string }[])[0]?.code]).toEqual([status, code]);
});
