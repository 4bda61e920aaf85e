/** Terminology operations on code systems and value sets that are kept here as resources, with every parameter of R4. */
import { issue } from '../helpers/rest.js';
import { type Answer, suiteServer } from '../helpers/running-server.js';

const system = 'https://example.org/CodeSystem/animals';
const set = 'https://example.org/ValueSet/animals';
const codeSystem = {
  resourceType: 'CodeSystem',
  id: 'animals',
  url: system,
  version: '1.2',
  name: 'Animals',
  status: 'active',
  caseSensitive: true,
  language: 'en',
  date: '2020',
  content: 'complete',
  concept: [
    {
      code: 'animal',
      display: 'Animal',
      definition: 'What moves.',
      designation: [{ language: 'cy', value: 'Anifail' }],
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'bear',
          display: 'Bear',
          property: [{ code: 'colour', valueString: 'brown' }],
          concept: [{ code: 'panda', display: 'Panda', property: [{ code: 'colour', valueString: 'black' }] }],
        },
      ],
    },
    { code: 'dodo', display: 'Dodo', property: [{ code: 'inactive', valueBoolean: true }] },
  ],
};
const valueSet = {
  resourceType: 'ValueSet',
  id: 'animals',
  url: set,
  version: '2',
  name: 'AnimalSet',
  status: 'active',
  date: '2020-02',
  compose: { include: [{ system }] },
};

const server = suiteServer();
beforeAll(async () => {
  for (const resource of [codeSystem, valueSet])
    expect((await server.as('system', 'PUT', `${resource.resourceType}/${resource.id}`, resource)).status).toBe(201);
}, 120_000);

type Named = { readonly name: string; readonly part?: readonly Named[]; readonly [value: string]: unknown };
const out = (answer: Answer, name: string): unknown => {
  const found = (answer.json['parameter'] as readonly Named[]).find((one) => one.name === name);
  return found && Object.entries(found).find(([key]) => key.startsWith('value'))?.[1];
};
const get = (url: string): Promise<Answer> => server.as('system', 'GET', url);
const post = (url: string, ...parameter: readonly object[]): Promise<Answer> =>
  server.as('system', 'POST', url, { resourceType: 'Parameters', parameter });
type Contained = { readonly code: string; readonly display?: string; readonly designation?: readonly { readonly value: string }[] };
const containedIn = (answer: Answer): readonly Contained[] =>
  ((answer.json['expansion'] as { readonly contains?: readonly Contained[] }).contains ?? []).map((one) => one);
const codesIn = (answer: Answer): readonly string[] => containedIn(answer).map(({ code }) => code);
const all = ['animal', 'bear', 'panda', 'dodo'];

describe('$expand', () => {
  it.each([
    [`ValueSet/$expand?url=${set}`, all],
    [`ValueSet/$expand?url=${set}|2`, all],
    [`ValueSet/$expand?url=${set}&valueSetVersion=2`, all],
    ['ValueSet/animals/$expand', all],
    [`ValueSet/$expand?url=${set}&filter=PAN`, ['panda']],
    [`ValueSet/$expand?url=${set}&count=2&offset=1`, ['bear', 'panda']],
    [`ValueSet/$expand?url=${set}&count=0`, []],
    [`ValueSet/$expand?url=${set}&date=2020`, all],
    [`ValueSet/$expand?url=${set}&date=2026-01-01`, all],
    [`ValueSet/$expand?url=${set}&activeOnly=true`, ['animal', 'bear', 'panda']],
    [`ValueSet/$expand?url=${set}&excludeNotForUI=true`, ['bear', 'panda', 'dodo']],
    [`ValueSet/$expand?url=${set}&exclude-system=${system}`, []],
    [`ValueSet/$expand?url=${set}&excludeNested=true&excludePostCoordinated=true&system-version=${system}|1.2`, all],
  ])('%s', async (url, codes) => {
    const answer = await get(url);
    expect([answer.status, codesIn(answer)]).toEqual([200, codes]);
  });

  it.each([
    [`ValueSet/$expand?url=${set}&valueSetVersion=3`, 404],
    [`ValueSet/$expand?url=${set}&system-version=${system}|7`, 422],
    [`ValueSet/$expand?url=${set}&activeOnly=maybe`, 400],
    [`ValueSet/$expand?url=${set}&date=2020-01-31`, 422],
    [`ValueSet/$expand?url=${set}&date=yesterday`, 400],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear&date=2019`, 422],
    [`CodeSystem/$lookup?system=${system}&code=bear&date=2019-12-31`, 422],
    [`CodeSystem/$validate-code?url=${system}&code=bear&date=2019-12-31`, 422],
    [`ValueSet/$expand?url=${set}&colour=brown`, 400],
    ['ValueSet/$expand', 400],
    ['ValueSet/none/$expand', 404],
    ['ValueSet/$expand?context=http://hl7.org/fhir/StructureDefinition/Patient%23Patient.name', 404],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear&colour=brown`, 400],
    [`CodeSystem/$lookup?system=${system}&code=fish`, 404],
    [`CodeSystem/$lookup?system=${system}&code=bear&version=9`, 404],
    [`CodeSystem/$subsumes?system=${system}&codeA=bear`, 400],
    [`CodeSystem/$subsumes?system=${system}&codeA=bear&codeB=fish`, 404],
  ])('%s is %i', async (url, status) => {
    const answer = await get(url);
    expect([answer.status, answer.json['resourceType']]).toEqual([status, 'OperationOutcome']);
  });

  it('tells by what it was made, and names and definitions where they are wanted', async () => {
    const answer = await get(
      `ValueSet/$expand?url=${set}&filter=anifail&displayLanguage=cy&includeDesignations=true&includeDefinition=true`,
    );
    expect(containedIn(answer)).toEqual([
      { system, abstract: true, code: 'animal', display: 'Anifail', designation: [{ language: 'cy', value: 'Anifail' }] },
    ]);
    expect((answer.json['expansion'] as { parameter: unknown }).parameter).toEqual([
      { name: 'filter', valueString: 'anifail' },
      { name: 'includeDesignations', valueBoolean: true },
      { name: 'displayLanguage', valueCode: 'cy' },
      { name: 'version', valueUri: `${system}|1.2` },
    ]);
    expect(answer.json['compose']).toEqual(valueSet.compose);
  });

  it.each([
    ['is-a', 'concept', 'bear', ['bear', 'panda']],
    ['descendent-of', 'concept', 'bear', ['panda']],
    ['is-not-a', 'concept', 'animal', ['dodo']],
    ['generalizes', 'concept', 'panda', ['animal', 'bear', 'panda']],
    ['in', 'concept', 'bear,dodo', ['bear', 'dodo']],
    ['not-in', 'concept', 'bear,dodo', ['animal', 'panda']],
    ['regex', 'code', '[bp].*a.*', ['bear', 'panda']],
    ['regex', 'display', 'D.*', ['dodo']],
    ['=', 'colour', 'brown', ['bear']],
    ['in', 'colour', 'brown,black', ['bear', 'panda']],
    ['not-in', 'colour', 'brown', ['animal', 'panda', 'dodo']],
    ['exists', 'colour', 'true', ['bear', 'panda']],
    ['exists', 'colour', 'false', ['animal', 'dodo']],
  ])('a filter %s of %s %s', async (op, property, value, codes) => {
    const resource = { ...valueSet, id: undefined, url: undefined, compose: { include: [{ system, filter: [{ op, property, value }] }] } };
    expect(codesIn(await post('ValueSet/$expand', { name: 'valueSet', resource }))).toEqual(codes);
    // the one resource among the parameters may be the body
    expect(codesIn(await server.as('system', 'POST', 'ValueSet/$expand', resource))).toEqual(codes);
  });

  it.each(['$expand', '$validate-code'])('%s refuses a filter by a property that the code system does not have', async (operation) => {
    const filter = [
      { property: 'colour', op: '=', value: 'brown' },
      { property: 'weight', op: '=', value: 'heavy' },
    ];
    const asked = (part: 'include' | 'exclude', parts: readonly object[]) =>
      post(
        `ValueSet/${operation}`,
        { name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'draft', compose: { include: [{ system }], [part]: parts } } },
        ...(operation === '$expand'
          ? []
          : [
              { name: 'code', valueCode: 'bear' },
              { name: 'system', valueUri: system },
            ]),
      );
    for (const part of ['include', 'exclude'] as const) {
      const refused = await asked(part, [{ system }, { system, filter }]);
      expect([refused.status, issue(refused)?.code, issue(refused)?.expression]).toEqual([
        422,
        'not-supported',
        [`ValueSet.compose.${part}[1].filter[1]`],
      ]);
      expect(issue(refused)?.details.text).toContain('weight');
    }
    const kept = { ...valueSet, id: 'heavy', url: `${set}-heavy`, compose: { include: [{ system, filter }] } };
    expect((await server.as('system', 'PUT', 'ValueSet/heavy', kept)).status).toBeLessThan(300);
    expect(
      (await get(`ValueSet/${operation}?url=${set}-heavy${operation === '$expand' ? '' : `&code=bear&system=${system}`}`)).status,
    ).toBe(422);
    // R4's own are known of every system
    for (const property of ['inactive', 'notSelectable', 'deprecated'])
      expect((await asked('include', [{ system, filter: [{ property, op: '=', value: 'true' }] }])).status).toBe(200);
  });

  it('of other value sets that are kept here, less what is excluded', async () => {
    const compose = { include: [{ valueSet: [set] }], exclude: [{ system, concept: [{ code: 'dodo' }] }] };
    const answer = await server.as('system', 'POST', 'ValueSet/$expand', { resourceType: 'ValueSet', status: 'draft', compose });
    expect(codesIn(answer)).toEqual(['animal', 'bear', 'panda']);
  });
});

describe('$validate-code', () => {
  it.each([
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear`, true, 'Bear'],
    [`ValueSet/animals/$validate-code?system=${system}&code=bear`, true, 'Bear'],
    [`ValueSet/$validate-code?url=${set}&code=bear`, true, 'Bear'],
    ['ValueSet/$validate-code?context=http://hl7.org/fhir/StructureDefinition/Patient%23Patient.gender&code=male', true, 'Male'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=fish`, false, undefined],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear&display=Fish`, false, 'Bear'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=animal&display=anifail`, true, 'Animal'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=animal&abstract=false`, false, 'Animal'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=animal&abstract=true`, true, 'Animal'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=animal&displayLanguage=cy`, true, 'Anifail'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear&systemVersion=1.2`, true, 'Bear'],
    [`ValueSet/$validate-code?url=${set}&system=${system}&code=bear&systemVersion=9`, false, 'Bear'],
    [`CodeSystem/$validate-code?url=${system}&code=bear`, true, 'Bear'],
    [`CodeSystem/$validate-code?url=${system}&code=bear&version=9`, false, 'Bear'],
    ['CodeSystem/animals/$validate-code?code=bear', true, 'Bear'],
    ['CodeSystem/animals/$validate-code?code=fish', false, undefined],
  ])('%s', async (url, result, display) => {
    const answer = await get(url);
    expect([answer.status, out(answer, 'result'), out(answer, 'display')]).toEqual([200, result, display]);
    if (!result) expect(out(answer, 'message')).toEqual(expect.any(String));
  });

  it('of codings, concepts and code systems that come along', async () => {
    const coding = [
      { system, code: 'fish' },
      { system, code: 'panda' },
    ];
    const url = { name: 'url', valueUri: set };
    expect(out(await post('ValueSet/$validate-code', url, { name: 'codeableConcept', valueCodeableConcept: { coding } }), 'result')).toBe(
      true,
    );
    expect(out(await post('ValueSet/$validate-code', url, { name: 'coding', valueCoding: coding[0] }), 'result')).toBe(false);
    const resource = { ...codeSystem, id: undefined, url: undefined, concept: [{ code: 'fish' }] };
    const asked = [
      { name: 'codeSystem', resource },
      { name: 'code', valueCode: 'fish' },
    ];
    expect(out(await post('CodeSystem/$validate-code', ...asked), 'result')).toBe(true);
  });
});

describe('$lookup and $subsumes', () => {
  const propertiesOf = (answer: Answer): readonly unknown[] =>
    (answer.json['parameter'] as readonly Named[])
      .filter(({ name }) => name === 'property')
      .map(({ part = [] }) => part.map((one) => Object.entries(one).find(([key]) => key.startsWith('value'))?.[1]));

  it('all of a code', async () => {
    const answer = await get(`CodeSystem/$lookup?system=${system}&code=bear&version=1.2&date=2026-01-01`);
    expect([out(answer, 'name'), out(answer, 'version'), out(answer, 'display')]).toEqual(['Animals', '1.2', 'Bear']);
    expect(propertiesOf(answer)).toEqual([
      ['parent', 'animal'],
      ['child', 'panda'],
      ['colour', 'brown'],
    ]);
    expect(answer.text).not.toContain('designation');
  });

  it('the properties that are asked for, in a language', async () => {
    const coding = { name: 'coding', valueCoding: { system, code: 'animal' } };
    const answer = await post(
      'CodeSystem/$lookup',
      coding,
      { name: 'displayLanguage', valueCode: 'cy' },
      { name: 'property', valueCode: 'definition' },
    );
    expect([out(answer, 'display'), propertiesOf(answer)]).toEqual(['Anifail', [['definition', 'What moves.']]]);
    expect((await post('CodeSystem/$lookup', coding)).text).toContain('"name":"designation","part":[{"name":"language","valueCode":"cy"}');
  });

  it.each([
    ['animal', 'panda', 'subsumes'],
    ['panda', 'animal', 'subsumed-by'],
    ['panda', 'panda', 'equivalent'],
    ['panda', 'dodo', 'not-subsumed'],
  ])('%s and %s: %s', async (a, b, outcome) => {
    expect(out(await get(`CodeSystem/$subsumes?system=${system}&codeA=${a}&codeB=${b}`), 'outcome')).toBe(outcome);
    const codings = [
      { name: 'codingA', valueCoding: { system, code: a } },
      { name: 'codingB', valueCoding: { system, code: b } },
    ];
    expect(out(await post('CodeSystem/animals/$subsumes', ...codings), 'outcome')).toBe(outcome);
  });
});

it(':in takes a value set whose code system is kept here', async () => {
  const code = { coding: [{ system, code: 'panda' }] };
  const made = await server.as('system', 'POST', 'Basic', { resourceType: 'Basic', code });
  const found = await get(`Basic?code:in=${set}`);
  expect([found.json['total'], found.text.includes(String(made.json['id']))]).toEqual([1, true]);
});
