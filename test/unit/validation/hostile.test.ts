import type { StructureDefinition } from 'fhir/r4.js';
import { parseJson } from '../../../src/fhir/json.js';
import { isError } from '../../../src/validation/finding.js';
import { createValidator, ukCoreByDefault } from '../../../src/validation/validator.js';
import { allDefinitions } from '../../helpers/definitions.js';

// Each of these is small work done well, and does not end within jest's limit when any part of it grows with the square of its size.
const definitions = allDefinitions();
const { validate } = createValidator(definitions, ukCoreByDefault(definitions));
const errorsOf = (resource: unknown, check = validate) =>
  check(resource)
    .filter(isError)
    .map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const nested = (depth: number, open: string, close: string, middle: string) => open.repeat(depth) + middle + close.repeat(depth);

describe('a body that nests 10,000 deep is refused where it gets too deep', () => {
  it.each([
    [
      'extensions',
      nested(10_000, '{"url":"http://example.org/e","extension":[', ']}', '{"url":"http://example.org/e","valueBoolean":true}'),
      (text: string) => `{"resourceType":"Patient","extension":[${text}]}`,
    ],
    [
      'items of a Questionnaire',
      nested(10_000, '{"linkId":"a","type":"group","item":[', ']}', '{"linkId":"b","type":"string"}'),
      (text: string) => `{"resourceType":"Questionnaire","status":"draft","item":[${text}]}`,
    ],
    [
      'parts of Parameters',
      nested(10_000, '{"name":"a","part":[', ']}', '{"name":"b","valueBoolean":true}'),
      (text: string) => `{"resourceType":"Parameters","parameter":[${text}]}`,
    ],
    [
      'Bundles',
      nested(
        10_000,
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":',
        '}]}',
        '{"resourceType":"Basic","code":{"text":"x"}}',
      ),
      (text: string) => text,
    ],
    ['unknown objects', nested(10_000, '{"a":', '}', '1'), (text: string) => `{"resourceType":"Patient","colour":${text}}`],
    ['arrays', nested(10_000, '[', ']', '1'), (text: string) => `{"resourceType":"Patient","name":${text}}`],
  ])('%s', (_, text, resource) => {
    let found: readonly string[];
    try {
      found = errorsOf(parseJson(resource(text)));
    } catch (error) {
      // the reader of JSON has a limit of its own
      found = [(error as Error).constructor.name];
    }
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^(too-costly|structure|Failure)/);
  });
});

describe('a body of very many parts is judged in time, and says a bounded number of things', () => {
  it('a million slices', () => {
    const identifier = times(1_000_000, () => ({ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9912003888' }));
    expect(errorsOf({ resourceType: 'Patient', identifier })).toEqual(['structure Patient.identifier']);
  });

  it('a million faults', () => {
    const found = validate({ resourceType: 'Patient', identifier: times(1_000_000, () => ({ value: 1 })) });
    expect(found.length).toBeGreaterThan(100);
    expect(found.length).toBeLessThanOrEqual(400);
  });

  it('200,000 extensions of one kind', () => {
    const extension = times(200_000, () => ({
      url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex',
      valueCodeableConcept: { text: 'x' },
    }));
    expect(errorsOf({ resourceType: 'Patient', extension }).length).toBeLessThanOrEqual(400);
  });

  it('20,000 contained resources, each referred to', () => {
    const contained = times(20_000, (index) => ({ resourceType: 'Organization', id: `o${String(index)}`, name: 'x' }));
    const generalPractitioner = times(20_000, (index) => ({ reference: `#o${String(index)}` }));
    expect(errorsOf({ resourceType: 'Patient', contained, generalPractitioner })).toEqual([]);
  });

  it('5,000 questions with an answer each, and 200,000 answers to one', () => {
    const response = (item: object[]) => ({
      resourceType: 'QuestionnaireResponse',
      status: 'completed',
      questionnaire: '#q',
      contained: [
        {
          resourceType: 'Questionnaire',
          id: 'q',
          status: 'active',
          item: times(5_000, (index) => ({ linkId: String(index), type: 'integer', repeats: true })),
        },
      ],
      item,
    });
    expect(errorsOf(response(times(5_000, (index) => ({ linkId: String(index), answer: [{ valueInteger: 1 }] }))))).toEqual([]);
    expect(errorsOf(response([{ linkId: '1', answer: times(200_000, () => ({ valueInteger: 1 })) }]))).toEqual([]);
  });

  it('30,000 entries that refer to each other', () => {
    const url = (index: number) => `urn:uuid:00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    const entry = times(30_000, (index) => ({
      fullUrl: url(index),
      resource: { resourceType: 'Organization', name: 'x', partOf: { reference: url((index + 1) % 30_000) } },
    }));
    expect(errorsOf({ resourceType: 'Bundle', type: 'collection', entry })).toEqual([]);
  });

  it('50 MB in one text, and in one narrative', () => {
    const text = 'x'.repeat(50 * 1024 * 1024);
    expect(errorsOf({ resourceType: 'Patient', name: [{ text }] })).toEqual(['value Patient.name[0].text']);
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${'<p>x</p>'.repeat(6 * 1024 * 1024)}</div>`;
    expect(errorsOf({ resourceType: 'Patient', text: { status: 'generated', div } })).toEqual([]);
  });

  it.each([
    ['unclosed tags', '<b'.repeat(500_000)],
    ['spaces in a tag', `<b${' '.repeat(500_000)}`],
    ['ampersands', '&a'.repeat(500_000)],
    ['open elements', '<b>'.repeat(500_000)],
    ['attributes', `<b ${'title="x" '.repeat(200_000)}`],
  ])('a narrative of %s', (_, inner) => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${inner}`;
    expect(errorsOf({ resourceType: 'Patient', text: { status: 'generated', div } })).toEqual(['invariant Patient.text.div']);
  });

  it.each([
    ['code', { resourceType: 'Patient', language: `${'a '.repeat(500_000)} ` }],
    ['uri', { resourceType: 'Patient', implicitRules: `urn:${'a:'.repeat(500_000)} ` }],
    ['instant', { resourceType: 'Patient', meta: { lastUpdated: `2020-01-01T00:00:00.${'0'.repeat(500_000)}` } }],
    ['base64Binary', { resourceType: 'Patient', photo: [{ contentType: 'image/png', data: 'AAAA'.repeat(500_000) + '!' }] }],
    ['Reference', { resourceType: 'Patient', managingOrganization: { reference: `${'A/'.repeat(500_000)} ` } }],
    [
      'language',
      { resourceType: 'Patient', communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'a-b'.repeat(200_000) }] } }] },
    ],
    ['media type', { resourceType: 'Patient', photo: [{ contentType: `a/b${';a=b'.repeat(200_000)};` }] }],
  ])('a value of half a million characters: %s', (_, resource) => {
    expect(errorsOf(resource).length).toBeLessThanOrEqual(2);
  });
});

describe('names that JavaScript takes for its own are elements that no type has', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])('%s', (name) => {
    expect(errorsOf(parseJson(`{"resourceType":"Patient","${name}":{"polluted":true}}`))).toEqual(['structure Patient']);
    expect(errorsOf(parseJson(`{"resourceType":"Patient","name":[{"${name}":{"polluted":true}}]}`))).toContain('structure Patient.name[0]');
    expect(errorsOf(parseJson(`{"resourceType":"${name}"}`))).toEqual(['structure ']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['__proto__', 'constructor'])('%s as a code, a system, a URL, an id', (name) => {
    const extension = [{ url: `http://example.org/${name}`, valueString: name }];
    const resource = {
      resourceType: 'Patient',
      extension,
      meta: { profile: [`urn:${name}`] },
      maritalStatus: { coding: [{ system: `urn:${name}`, code: name }] },
    };
    expect(errorsOf(resource)).toEqual([]);
    expect(errorsOf({ resourceType: 'Patient', gender: name })).toEqual(['code-invalid Patient.gender']);
  });
});

describe('references that lead round in a circle end', () => {
  it('between contained resources, each held to the profile that the reference asks for', () => {
    const diagnosis = times(8, (index) => ({ condition: { reference: `#c${String(index)}` } }));
    const contained = [
      ...times(8, (index) => ({
        resourceType: 'Encounter',
        id: `e${String(index)}`,
        status: 'planned',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        diagnosis,
      })),
      ...times(8, (index) => ({
        resourceType: 'Condition',
        id: `c${String(index)}`,
        subject: { display: 'x' },
        encounter: { reference: `#e${String(index)}` },
      })),
    ];
    const procedure = {
      resourceType: 'Procedure',
      status: 'unknown',
      subject: { display: 'x' },
      encounter: { reference: '#e0' },
      contained,
    };
    expect(errorsOf(procedure).filter((fault) => !fault.startsWith('invariant'))).toEqual([]);
  });

  it('to itself, and to what holds it', () => {
    const organization = { resourceType: 'Organization', id: 'o', name: 'x', partOf: { reference: '#o' }, endpoint: [{ reference: '#' }] };
    const errors = errorsOf({ resourceType: 'Patient', contained: [organization], managingOrganization: { reference: '#o' } });
    expect(errors).toEqual(['structure Patient.contained[0].endpoint[0]']);
  });
});

describe('regular expressions of others are stopped', () => {
  const url = 'https://example.org/StructureDefinition/slow';
  const profile = (expression: string): StructureDefinition =>
    ({
      resourceType: 'StructureDefinition',
      url,
      name: 'Slow',
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Patient',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
      derivation: 'constraint',
      differential: {
        element: [
          { id: 'Patient', path: 'Patient' },
          {
            id: 'Patient.name.family',
            path: 'Patient.name.family',
            constraint: [{ key: 'slow-1', severity: 'error', human: 'is simple', expression }],
          },
        ],
      },
    }) as unknown as StructureDefinition;
  const under = (expression: string, ...families: readonly string[]) => {
    const check = createValidator(definitions.with([profile(expression)])).validate;
    return errorsOf({ resourceType: 'Patient', meta: { profile: [url] }, name: families.map((family) => ({ family })) }, check);
  };

  it('of the profiles of packages, with a clear error', () => {
    expect(under("$this.matches('^(a+)+$')", 'aaaa')).toEqual([]);
    expect(under("$this.matches('^(a+)+$')", 'b')).toEqual(['invariant Patient.name[0].family']);
    expect(under("$this.matches('^(a+)+$')", `${'a'.repeat(60)}b`)).toEqual(['too-costly Patient.name[0].family']);
    expect(under("$this.matches('.*.*.*.*.*=')", 'x'.repeat(4000))).toEqual(['too-costly Patient.name[0].family']);
  });

  it('however many values ask for them', () => {
    const found = under("$this.matches('^(a+)+$')", ...times(10_000, (index) => `${'a'.repeat(60)}${String(index)}`));
    expect(new Set(found.map((fault) => fault.split(' ')[0]))).toEqual(new Set(['too-costly']));
  });
});
