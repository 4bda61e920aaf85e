import { aProfile, knowing, told } from '../../helpers/profiles.js';

const observation = (more: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...more });
const patient = (more: object = {}) => ({ resourceType: 'Patient', active: true, ...more });
const under = (type: string, ...elements: Parameters<typeof aProfile>[2]) => knowing([aProfile('p', type, elements)]).errors;
const sct = 'http://snomed.info/sct';

describe('cardinality', () => {
  const errors = under(
    'Patient',
    { id: 'Patient.name', min: 1, max: '2' },
    { id: 'Patient.name.given', min: 1 },
    { id: 'Patient.photo', max: '0' },
    { id: 'Patient.deceased[x]', min: 1 },
  );
  const name = { given: ['A'] };
  const dead = { deceasedBoolean: false };

  it.each([
    ['all that is asked for', patient({ name: [name], ...dead }), []],
    ['too few', patient(dead), ['required Patient.name']],
    ['too many', patient({ name: [name, name, name], ...dead }), ['structure Patient.name']],
    ['a child missing in one of them', patient({ name: [name, { family: 'B' }], ...dead }), ['required Patient.name[1].given']],
    ['one that is not allowed', patient({ name: [name], photo: [{ url: 'http://example.org/a' }], ...dead }), ['structure Patient.photo']],
    ['no type of a choice', patient({ name: [name] }), ['required Patient.deceased']],
  ])('%s', (_, resource, expected) => {
    expect(errors(resource)).toEqual(expected);
  });

  it('a primitive that has an extension alone is there', () => {
    const absent = under('Patient', { id: 'Patient.birthDate', min: 1 });
    const extension = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }];
    expect(absent(patient({ _birthDate: { extension } }))).toEqual([]);
    expect(absent(patient())).toEqual(['required Patient.birthDate']);
  });
});

describe('fixed values and patterns', () => {
  const coding = { system: sct, code: '91302008' };

  it.each([
    ['a fixed code', { id: 'Observation.status', fixedCode: 'final' }, {}, { status: 'amended' }, 'Observation.status'],
    [
      'a fixed CodeableConcept is the whole of it',
      { id: 'Observation.code', fixedCodeableConcept: { text: 'x' } },
      {},
      { code: { text: 'x', coding: [coding] } },
      'Observation.code',
    ],
    [
      'a pattern CodeableConcept is part of it',
      { id: 'Observation.code', patternCodeableConcept: { coding: [coding] } },
      {
        code: {
          text: 'y',
          coding: [
            { system: 'urn:x', code: '1' },
            { ...coding, display: 'd' },
          ],
        },
      },
      { code: { coding: [{ system: sct, code: '73211009' }] } },
      'Observation.code',
    ],
    [
      'a pattern Quantity',
      { id: 'Observation.value[x]', patternQuantity: { system: 'http://unitsofmeasure.org', code: 'kg' } },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'kg' } },
      { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'g' } },
      'Observation.value',
    ],
    [
      'a fixed Identifier',
      { id: 'Observation.identifier', fixedIdentifier: { system: 'urn:a', value: '1' } },
      { identifier: [{ value: '1', system: 'urn:a' }] },
      { identifier: [{ system: 'urn:a', value: '1', use: 'old' }] },
      'Observation.identifier[0]',
    ],
    [
      'a fixed decimal is a number',
      { id: 'Observation.value[x]', fixedInteger: 5 },
      { valueInteger: 5 },
      { valueInteger: 6 },
      'Observation.value',
    ],
    [
      'a pattern Reference',
      { id: 'Observation.subject', patternReference: { type: 'Patient' } },
      { subject: { type: 'Patient', display: 'A' } },
      { subject: { display: 'A' } },
      'Observation.subject',
    ],
    [
      'a pattern Period',
      { id: 'Observation.effective[x]', patternPeriod: { start: '2020' } },
      { effectivePeriod: { start: '2020', end: '2021' } },
      { effectivePeriod: { start: '2020-01' } },
      'Observation.effective',
    ],
  ] as const)('%s', (_, element, right, wrong, at) => {
    const errors = under('Observation', element as never);
    expect(errors(observation(right))).toEqual([]);
    expect(errors(observation(wrong))).toEqual([`value ${at}`]);
  });

  it('of a part, where the whole is there', () => {
    const errors = under('Observation', { id: 'Observation.code.coding.system', fixedUri: sct });
    expect(errors(observation())).toEqual([]);
    expect(errors(observation({ code: { coding: [coding, { system: 'urn:x', code: '1' }] } }))).toEqual([
      'value Observation.code.coding[1].system',
    ]);
  });
});

describe('limits', () => {
  it.each([
    [
      'integer',
      { id: 'Observation.value[x]', minValueInteger: 1, maxValueInteger: 9 },
      [{ valueInteger: 1 }, { valueInteger: 9 }],
      [{ valueInteger: 0 }, { valueInteger: 10 }],
      'Observation.value',
    ],
    [
      'date and time',
      { id: 'Observation.effective[x]', minValueDateTime: '2020-01-01' },
      [{ effectiveDateTime: '2020-01-01' }, { effectiveDateTime: '2021' }],
      [{ effectiveDateTime: '2019-12-31' }],
      'Observation.effective',
    ],
    [
      'quantity, in canonical units',
      { id: 'Observation.value[x]', maxValueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'kg' } },
      [{ valueQuantity: { value: 900, system: 'http://unitsofmeasure.org', code: 'g' } }],
      [
        { valueQuantity: { value: 1100, system: 'http://unitsofmeasure.org', code: 'g' } },
        { valueQuantity: { value: 2, system: 'http://unitsofmeasure.org', code: 'kg' } },
      ],
      'Observation.value',
    ],
    ['length', { id: 'Observation.value[x]', maxLength: 3 }, [{ valueString: 'abc' }], [{ valueString: 'abcd' }], 'Observation.value'],
  ] as const)('%s', (_, element, right, wrong, at) => {
    const errors = under('Observation', element);
    for (const each of right) expect(errors(observation(each))).toEqual([]);
    for (const each of wrong) expect(errors(observation(each))).toEqual([`value ${at}`]);
  });
});

describe('types', () => {
  it('of a choice', () => {
    const errors = under('Observation', { id: 'Observation.value[x]', type: [{ code: 'Quantity' }, { code: 'string' }] });
    expect(errors(observation({ valueString: 'x' }))).toEqual([]);
    expect(errors(observation({ valueBoolean: true }))).toEqual(['structure Observation.value']);
  });

  it('with a profile of their own', () => {
    const described = aProfile('named', 'HumanName', [{ id: 'HumanName.family', min: 1 }]);
    const { errors } = knowing([
      aProfile('p', 'Patient', [{ id: 'Patient.name', type: [{ code: 'HumanName', profile: [described.url] }] }]),
      described,
    ]);
    expect(errors(patient({ name: [{ family: 'A' }] }))).toEqual([]);
    expect(errors(patient({ name: [{ family: 'A' }, { text: 'B' }] }))).toEqual(['required Patient.name[1].family']);
  });
});

describe('references', () => {
  const to = (...urls: readonly string[]) => [
    { code: 'Reference', targetProfile: urls.map((url) => (url.includes(':') ? url : `http://hl7.org/fhir/StructureDefinition/${url}`)) },
  ];
  const errors = under('Observation', { id: 'Observation.subject', type: to('Patient') });

  it.each([
    ['the type in the reference', { reference: 'Patient/1' }, []],
    ['a version of it', { reference: 'Patient/1/_history/2' }, []],
    ['an absolute one', { reference: 'http://example.org/fhir/Patient/1' }, []],
    ['an identifier', { identifier: { value: '1' } }, []],
    ['a type that is said', { type: 'Patient', identifier: { value: '1' } }, []],
    ['an unknown kind of URL', { reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' }, []],
    ['another type', { reference: 'Device/1' }, ['structure Observation.subject']],
    ['an absolute one of another type', { reference: 'http://example.org/fhir/Device/1' }, ['structure Observation.subject']],
    ['another type that is said', { type: 'Device', display: 'x' }, ['structure Observation.subject']],
  ])('to %s', (_, subject, expected) => {
    expect(errors(observation({ subject }))).toEqual(expected);
  });

  it('to what is contained are held to its type and profile', () => {
    const named = aProfile('named', 'Patient', [{ id: 'Patient.name', min: 1 }]);
    const profiled = knowing([aProfile('p', 'Observation', [{ id: 'Observation.subject', type: to(named.url) }]), named]).errors;
    const about = (contained: object) => observation({ contained: [{ id: 'c', ...contained }], subject: { reference: '#c' } });
    expect(profiled(about({ resourceType: 'Patient', name: [{ family: 'A' }] }))).toEqual([]);
    expect(profiled(about({ resourceType: 'Patient', active: true }))).toEqual(['structure Observation.subject']);
    expect(profiled(about({ resourceType: 'Device', status: 'active' }))).toEqual(['structure Observation.subject']);
  });

  it('to an entry of the same Bundle, by fullUrl and relative to it', () => {
    const named = aProfile('named', 'Patient', [{ id: 'Patient.name', min: 1 }]);
    const p = aProfile('p', 'Observation', [{ id: 'Observation.subject', type: to(named.url) }]);
    const { errors: inBundle } = knowing([p, named]);
    const bundle = (more: object, reference: string, base: string) => ({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { fullUrl: `${base}Observation/o`, resource: { ...observation({ id: 'o', subject: { reference } }), meta: { profile: [p.url] } } },
        { fullUrl: `${base}Patient/p`, resource: { resourceType: 'Patient', id: 'p', ...more } },
      ],
    });
    for (const reference of ['Patient/p', 'http://example.org/Patient/p']) {
      const base = 'http://example.org/';
      const at = 'structure Bundle.entry[0].resource.subject';
      expect(inBundle(bundle({ name: [{ family: 'A' }] }, reference, base), 'http://hl7.org/fhir/StructureDefinition/Bundle')).toEqual([]);
      expect(inBundle(bundle({ active: true }, reference, base), 'http://hl7.org/fhir/StructureDefinition/Bundle')).toEqual([at]);
    }
  });

  it.each([
    ['contained', '#c', 'Patient/1'],
    ['referenced', 'Patient/1', '#c'],
  ])('that must be %s', (aggregation, right, wrong) => {
    const held = under('Observation', { id: 'Observation.subject', type: [{ ...to('Patient')[0]!, aggregation: [aggregation] as never }] });
    const about = (reference: string) =>
      observation({
        contained: [{ resourceType: 'Patient', id: 'c', active: true }],
        subject: { reference },
        focus: [{ reference: '#c' }],
      });
    expect(held(about(right))).toEqual([]);
    expect(held(about(wrong))).toEqual(['structure Observation.subject']);
  });

  it('with or without a version', () => {
    const of = (versioning: string) =>
      under('Observation', { id: 'Observation.subject', type: [{ ...to('Patient')[0]!, versioning: versioning as never }] });
    expect(of('specific')(observation({ subject: { reference: 'Patient/1' } }))).toEqual(['structure Observation.subject']);
    expect(of('specific')(observation({ subject: { reference: 'Patient/1/_history/1' } }))).toEqual([]);
    expect(of('independent')(observation({ subject: { reference: 'Patient/1/_history/1' } }))).toEqual(['structure Observation.subject']);
  });
});

describe('bindings', () => {
  const set = (id: string, ...codes: readonly string[]) => ({
    resourceType: 'ValueSet',
    url: `https://example.org/ValueSet/${id}`,
    status: 'active',
    compose: { include: [{ system: 'https://example.org/codes', concept: codes.map((code) => ({ code })) }] },
  });
  const coded = (...codes: readonly string[]) =>
    observation({ code: { coding: codes.map((code) => ({ system: 'https://example.org/codes', code })) } });
  const bound = (strength: string, more: object = {}) =>
    knowing([
      aProfile('p', 'Observation', [
        { id: 'Observation.code', binding: { strength: strength as never, valueSet: 'https://example.org/ValueSet/a', ...more } },
      ]),
      set('a', 'a', 'b'),
      set('max', 'a', 'b', 'c'),
    ]);

  it('required: one of the codings is in the value set, known-false is an error', () => {
    const { errors } = bound('required');
    expect(errors(coded('a', 'z'))).toEqual([]);
    expect(errors(coded('z'))).toEqual(['code-invalid Observation.code']);
    expect(errors(observation())).toEqual(['code-invalid Observation.code']);
  });

  it('extensible: a warning; preferred: nothing', () => {
    const findings = (strength: string) =>
      told(
        bound(strength)
          .validate(coded('z'), { profiles: ['https://example.org/StructureDefinition/p'] })
          .filter(({ code }) => code === 'code-invalid'),
      );
    expect(findings('extensible')).toEqual(['code-invalid Observation.code']);
    expect(bound('extensible').errors(coded('z'))).toEqual([]);
    expect(findings('preferred')).toEqual([]);
  });

  it('the maximum value set of an extensible binding is required', () => {
    const { errors } = bound('extensible', {
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet',
          valueCanonical: 'https://example.org/ValueSet/max',
        },
      ],
    });
    expect(errors(coded('c'))).toEqual([]);
    expect(errors(coded('z'))).toEqual(['code-invalid Observation.code']);
  });

  it('a value set that nothing here knows is a warning, or an error when the site says so', () => {
    const unknown = aProfile('p', 'Observation', [
      { id: 'Observation.code', binding: { strength: 'required', valueSet: 'https://example.org/ValueSet/none' } },
    ]);
    const findings = knowing([unknown]).validate(coded('a'), { profiles: [unknown.url] });
    expect(findings.filter(({ code }) => code === 'not-found').map(({ severity }) => severity)).toEqual(['warning']);
    expect(knowing([unknown], { undecidedCodes: 'error' }).errors(coded('a'))).toEqual(['code-invalid Observation.code']);
  });

  it('what a terminology server said decides', () => {
    const unknown = aProfile('p', 'Observation', [
      { id: 'Observation.code', binding: { strength: 'required', valueSet: 'https://example.org/ValueSet/none' } },
    ]);
    const { validate } = knowing([unknown]);
    const judged = (answer: 'in' | 'out') =>
      told(
        validate(coded('a'), { profiles: [unknown.url], answers: { find: () => answer } }).filter(
          ({ code }) => code === 'code-invalid' || code === 'not-found',
        ),
      );
    expect(judged('in')).toEqual([]);
    expect(judged('out')).toEqual(['code-invalid Observation.code']);
  });
});

describe('invariants of a profile', () => {
  const rule = (expression: string, severity = 'error') => ({ key: 'x-1', severity: severity as never, human: 'the rule', expression });

  it.each([
    [
      'on the resource',
      { id: 'Observation', constraint: [rule('note.exists()')] },
      observation({ note: [{ text: 'x' }] }),
      observation(),
      'Observation',
    ],
    [
      'on an element',
      { id: 'Observation.note', constraint: [rule("text.startsWith('a')")] },
      observation({ note: [{ text: 'a' }] }),
      observation({ note: [{ text: 'a' }, { text: 'b' }] }),
      'Observation.note[1]',
    ],
    [
      'on a choice',
      { id: 'Observation.value[x]', constraint: [rule('$this.length() > 1')] },
      observation({ valueString: 'xx' }),
      observation({ valueString: 'x' }),
      'Observation.value',
    ],
    [
      'with resolve()',
      { id: 'Observation.subject', constraint: [rule('resolve() is Patient')] },
      observation({ subject: { reference: '#p' }, contained: [{ resourceType: 'Patient', id: 'p', active: true }] }),
      observation({ subject: { reference: '#p' }, contained: [{ resourceType: 'Device', id: 'p', status: 'active' }] }),
      'Observation.subject',
    ],
    [
      'with memberOf()',
      { id: 'Observation.code.coding', constraint: [rule("code.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')")] },
      observation({ code: { coding: [{ code: 'male' }] } }),
      observation({ code: { coding: [{ code: 'x' }] } }),
      'Observation.code.coding[0]',
    ],
    [
      'with %resource',
      { id: 'Observation.note', constraint: [rule("%resource.status = 'final'")] },
      observation({ note: [{ text: 'x' }] }),
      observation({ note: [{ text: 'x' }], status: 'amended' }),
      'Observation.note[0]',
    ],
  ] as const)('%s', (_, element, right, wrong, at) => {
    const { differential } = aProfile('p', 'Observation', element.id === 'Observation' ? [] : [element as never]);
    const elements = element.id === 'Observation' ? [{ ...differential!.element[0]!, ...element }] : differential!.element;
    const { errors } = knowing([{ ...aProfile('p', 'Observation', []), differential: { element: elements } }]);
    expect(errors(right)).toEqual([]);
    expect(errors(wrong)).toEqual([`invariant ${at}`]);
  });

  it('that are warnings warn; that cannot be evaluated inform', () => {
    const findings = (expression: string, severity?: string) =>
      knowing([aProfile('p', 'Observation', [{ id: 'Observation.code', constraint: [rule(expression, severity)] }])])
        .validate(observation(), { profiles: ['https://example.org/StructureDefinition/p'] })
        .filter(({ diagnostics }) => diagnostics?.includes('x-1') === true)
        .map(({ severity: level }) => level);
    expect(findings('false', 'warning')).toEqual(['warning']);
    expect(findings('nothing.like(this')).toEqual(['information']);
    expect(findings('{}')).toEqual([]);
  });
});
