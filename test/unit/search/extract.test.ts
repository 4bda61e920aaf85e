import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { Resource } from '../../../src/fhir/resource.js';
import { compileExpression } from '../../../src/fhir/search/expression.js';
import type { Context } from '../../../src/fhir/search/extract.js';
import { registry } from '../../../src/resources/registry.js';
import { r4Definitions } from '../../helpers/definitions.js';
import { indexing } from '../../helpers/extractor.js';
import { examples } from '../../helpers/shared-data.js';

const definitions = r4Definitions();
const { model, parameters, extract } = indexing(definitions);
const context: Context = { resolve: () => undefined, baseUrl: 'http://here/FHIR/R4', timeZone: 'Europe/London' };
const valuesOf = (resource: object, param: string) => extract(resource as Resource, context, param).map(({ param: _, ...value }) => value);

it('compiles the expression of every parameter of every served type', () => {
  for (const type of registry.keys())
    for (const { expression } of parameters.of(type).values())
      if (expression !== '') expect(() => compileExpression(expression, [type], model)).not.toThrow();
});

it('finds what the general FHIRPath engine finds, in every public example', () => {
  const around = { typeOf: (value: unknown) => /([A-Z][A-Za-z]+)\/[^/]+$/.exec(String((value as { reference?: unknown }).reference))?.[1] };
  let compared = 0;
  for (const { text } of examples('uk-core-examples', '.json')) {
    const resource = JSON.parse(text) as Resource;
    for (const { expression } of parameters.of(resource.resourceType).values()) {
      // the general engine reads what resolve() names; here the reference alone decides
      if (expression === '' || expression.includes('resolve()')) continue;
      // FHIRPath allows `as` on one value alone; R4's parameters mean every value of the type
      const strict = expression.replace(/\(([\w.]+) as (\w+)\)/g, '$1.ofType($2)').replaceAll('.as(', '.ofType(');
      const general: unknown = fhirpath.evaluate(resource, strict, undefined, r4, { async: false });
      const compiled = compileExpression(expression, [resource.resourceType], model);
      const own = compiled.evaluate({ value: resource, type: resource.resourceType }, around).map(({ value }) => value);
      expect({ expression, found: own }).toEqual({ expression, found: general });
      compared++;
    }
  }
  expect(compared === 0 || compared > 1000).toBe(true);
});

describe('index values', () => {
  it('of names and addresses fold case and accents, and keep the original', () => {
    expect(valuesOf({ resourceType: 'Patient', name: [{ family: 'Ångström', given: ['zoe'] }] }, 'name')).toEqual([
      { kind: 'text', value: 'angstrom\u001fÅngström' },
      { kind: 'text', value: 'zoe' },
    ]);
  });
  it('of codes are exact where the system is case-sensitive, folded elsewhere', () => {
    const coding = (system: string, code: string) => ({ resourceType: 'Observation', code: { coding: [{ system, code }] } });
    const sensitive = 'http://terminology.hl7.org/CodeSystem/observation-category';
    expect(valuesOf(coding(sensitive, 'Survey'), 'code')).toEqual([{ kind: 'token', system: sensitive, code: 'Survey' }]);
    expect(valuesOf(coding('http://elsewhere', 'Ab'), 'code')).toEqual([{ kind: 'token', system: 'http://elsewhere', code: 'ab\u001f' }]);
  });
  it('of identifiers are exact, and known by their type', () => {
    const identifier = [{ type: { coding: [{ system: 't', code: 'MR' }], text: 'Record' }, system: 's', value: 'aB' }];
    expect(valuesOf({ resourceType: 'Patient', identifier }, 'identifier')).toEqual([
      { kind: 'token', system: 's', code: 'aB' },
      { kind: 'text', value: 'record\u001fRecord' },
      { kind: 'token', system: 't|MR', code: 'aB' },
    ]);
  });
  it('of references: literal, logical, elsewhere, and none for what is contained', () => {
    const reference = (subject: object) => valuesOf({ resourceType: 'Observation', subject }, 'subject');
    expect(reference({ reference: 'Patient/1/_history/2' })).toEqual([{ kind: 'reference', target: { type: 'Patient', id: '1' } }]);
    expect(reference({ reference: 'http://there/Patient/1' })).toEqual([{ kind: 'text', value: 'http://there/Patient/1' }]);
    expect(reference({ reference: '#p' })).toEqual([]);
    const resolve = () => ({ type: 'Patient', id: '9' });
    const logical = { resourceType: 'Observation', subject: { identifier: { system: 's', value: '1' } } };
    expect(extract(logical as Resource, { ...context, resolve }, 'patient')).toEqual([
      { kind: 'token', param: 'patient', system: 's', code: '1' },
      { kind: 'reference', param: 'patient', target: { type: 'Patient', id: '9' } },
    ]);
  });
  it('of a choice follow the type that is there', () => {
    const condition = { resourceType: 'Condition', onsetPeriod: { start: '2026-01-01' } };
    expect(valuesOf(condition, 'onset-date')).toEqual([{ kind: 'range', low: Date.UTC(2026, 0, 1), high: 8.64e15 }]);
    expect(valuesOf({ resourceType: 'Patient', deceasedDateTime: '2026' }, 'deceased')).toEqual([
      { kind: 'token', system: '', code: 'true' },
    ]);
    expect(valuesOf({ resourceType: 'Patient', deceasedBoolean: false }, 'deceased')).toEqual([
      { kind: 'token', system: '', code: 'false' },
    ]);
  });
  it('of a composite stand under the name of its other part', () => {
    const observation = {
      resourceType: 'Observation',
      code: { coding: [{ system: 's', code: '1' }] },
      valueQuantity: { value: 2, system: 'http://unitsofmeasure.org', code: 'kg' },
    };
    const params = extract(observation as unknown as Resource, context, 'code-value-quantity').map(({ param }) => param);
    expect(params).toEqual([
      'code-value-quantity$s|1',
      'code-value-quantity$s|1||kg',
      'code-value-quantity$s|1|ucum|0,0,1,0,0,0,0',
      'code-value-quantity$*|1',
      'code-value-quantity$*|1||kg',
      'code-value-quantity$*|1|ucum|0,0,1,0,0,0,0',
      'code-value-quantity',
    ]);
  });
  it('of words: the narrative, and all other text', () => {
    const resource = { resourceType: 'Observation', text: { div: '<div>Heart &amp; lung</div>' }, note: [{ text: 'The heart was quiet' }] };
    const found = extract(resource as unknown as Resource, context).flatMap((value) =>
      value.kind === 'word' ? [`${value.param} ${value.word}`] : [],
    );
    expect(found).toEqual(['_text heart', '_text lung', '_content the', '_content was', '_content quiet']);
  });
});
