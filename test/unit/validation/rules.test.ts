import type { Finding } from '../../../src/validation/finding.js';
import { createValidator } from '../../../src/validation/validator.js';
import { r4Definitions } from '../../helpers/definitions.js';

const lenient = createValidator(r4Definitions());
const strict = createValidator(r4Definitions(), { unknownExtensions: 'error', unknownCodes: 'error' });
const told = (findings: readonly Finding[], severity = 'error'): readonly string[] =>
  findings.filter((finding) => finding.severity === severity).map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);
const faults = (resource: unknown): readonly string[] => told(lenient.validate(resource));
const patient = (more: object = {}) => ({ resourceType: 'Patient', active: true, ...more });

describe('the text of a reference', () => {
  const of = (reference: string, more: object = {}) => patient({ managingOrganization: { reference, ...more } });
  const place = 'Patient.managingOrganization';

  it.each([
    'Organization/1',
    'Organization/1/_history/2',
    'Organization/1#part',
    'http://example.org/fhir/Organization/1',
    'urn:uuid:00000000-0000-4000-8000-000000000001',
    'urn:oid:1.2.3.4.5',
    'Organization?identifier=a|b',
  ])('may be %s', (reference) => {
    expect(faults(of(reference))).toEqual([]);
  });

  it.each(['Organization/a b', 'Organization/http://example.org/1', 'Organization/', 'Organization/1/2', 'see the notes'])(
    'may not be %s',
    (reference) => {
      expect(faults(of(reference))).toEqual([`value ${place}`]);
    },
  );

  it('of a form that nothing here can follow is a warning', () => {
    expect(faults(of('organization-1'))).toEqual([]);
    expect(told(lenient.validate(of('organization-1')), 'warning')).toContain(`value ${place}`);
  });

  it('says the type that the target has', () => {
    expect(faults(of('Organization/1', { type: 'Organization' }))).toEqual([]);
    expect(faults(of('Organization/1', { type: 'Practitioner' }))).toEqual([`structure ${place}`]);
  });
});

describe('ids', () => {
  const named = (...ids: readonly string[]) => patient({ name: ids.map((id) => ({ id, family: 'A' })) });
  const held = (...ids: readonly (string | undefined)[]) =>
    patient({
      contained: ids.map((id) => ({ resourceType: 'Organization', name: 'A', ...(id === undefined ? {} : { id }) })),
      managingOrganization: { reference: '#a' },
    });

  it('of elements are their own', () => {
    expect(faults(named('a', 'b'))).toEqual([]);
    expect(faults(named('a', 'a'))).toEqual(['duplicate Patient.name[1].id']);
  });

  it('of contained resources are there, and their own', () => {
    expect(faults(held('a'))).toEqual([]);
    expect(faults(held('a', 'a'))).toEqual(['duplicate Patient.contained[1].id']);
    expect(faults(held('a', undefined))).toEqual(['required Patient.contained[1].id']);
  });

  it('have no extensions', () => {
    const extension = [{ url: 'http://example.org/e', valueBoolean: true }];
    expect(faults(patient({ id: 'a', _id: { extension } }))).toEqual(['extension Patient.id.extension[0]']);
  });

  it('security labels are a set', () => {
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' };
    expect(faults(patient({ meta: { security: [label] } }))).toEqual([]);
    expect(faults(patient({ meta: { security: [label, label] } }))).toEqual(['duplicate Patient.meta.security']);
  });
});

describe('links inside a narrative', () => {
  const narrative = (inner: string, more: object = {}) =>
    patient({ text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">x${inner}</div>` }, ...more });

  it.each([
    ['to an element', '<a href="#n">x</a>', { name: [{ id: 'n', family: 'A' }] }],
    ['to a part of itself', '<a href="#here">x</a><p id="here">y</p>', {}],
    ['to an anchor', '<a href="#here">x</a><a name="here">y</a>', {}],
    ['elsewhere', '<a href="http://example.org/#there">x</a>', {}],
    ['to a page whose name begins like a scheme', '<a href="datatypes.html#string">x</a>', {}],
    ['to a picture within', '<img src="data: image/png;base64,AAAA" alt="x"/>', {}],
  ])('%s', (_, inner, more) => {
    expect(faults(narrative(inner, more))).toEqual([]);
  });

  it.each(['javascript:x()', ' java\tscript:x()', 'data:text/html,x', 'VBScript:x'])('to a script: %s', (url) => {
    expect(faults(narrative(`<a href="${url}">x</a>`))).toEqual(['invariant Patient.text.div']);
  });

  it.each(['<a href="#nowhere">x</a>', '<img src="#nowhere" alt="x"/>'])('to nothing: %s', (inner) => {
    expect(told(lenient.validate(narrative(inner)), 'warning')).toEqual(['not-found Patient.text.div']);
    expect(faults(narrative(inner))).toEqual([]);
  });
});

describe('extensions by their URL', () => {
  const extended = (url: string) => patient({ extension: [{ url, valueString: 'x' }] });

  it('that is not absolute, or has a version', () => {
    expect(faults(extended('birthPlace'))).toEqual(['value Patient.extension[0]']);
    expect(faults(extended('http://hl7.org/fhir/StructureDefinition/patient-birthPlace|4.0.1'))).toEqual([
      'extension Patient.extension[0]',
    ]);
  });

  it('that nothing here knows is what the site says, and a warning where the publisher may know it', () => {
    expect(faults(extended('http://example.org/unknown'))).toEqual([]);
    expect(told(strict.validate(extended('http://example.org/unknown')))).toEqual(['extension Patient.extension[0]']);
    const published = extended('http://hl7.org/fhir/StructureDefinition/of-a-later-release');
    expect(told(strict.validate(published))).toEqual([]);
    expect(told(lenient.validate(published), 'warning')).toContain('extension Patient.extension[0]');
  });
});

describe('a system of codes by its URL', () => {
  const coded = (system: string, code: string, display?: string) => ({
    resourceType: 'Basic',
    code: { coding: [{ system, code, ...(display === undefined ? {} : { display }) }] },
  });

  it.each([
    'https://snomed.info/sct',
    'http://loinc.org/',
    'http://hl7.org/fhir/valueset-marital-status.html',
    'https://terminology.hl7.org/CodeSystem/v3-MaritalStatus',
  ])('%s is none', (system) => {
    expect(told(strict.validate(coded(system, '91302008')))).toContain('value Basic.code.coding[0].system');
    expect(faults(coded(system, '91302008'))).toEqual([]);
  });

  it('the display is the code’s own', () => {
    const marital = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus';
    expect(told(strict.validate(coded(marital, 'M', 'married')))).toEqual([]);
    expect(told(strict.validate(coded(marital, 'M', 'Divorced')))).toEqual(['invalid Basic.code.coding[0].display']);
    expect(told(strict.validate(coded('urn:iso:std:iso:3166', 'BD', 'Bangladesh')))).toEqual([]);
    expect(told(strict.validate(coded('urn:iso:std:iso:3166', 'GB', 'Great Britain')))).toEqual([]);
    expect(told(strict.validate(coded('urn:iso:std:iso:3166', 'BD', 'Australia')))).toEqual(['invalid Basic.code.coding[0].display']);
  });
});

describe('an identifier that is a URI', () => {
  const identified = (value: string) => patient({ identifier: [{ system: 'urn:ietf:rfc:3986', value }] });
  it('has its scheme', () => {
    expect(faults(identified('urn:uuid:00000000-0000-4000-8000-000000000001'))).toEqual([]);
    expect(faults(identified('00000000-0000-4000-8000-000000000001'))).toEqual(['value Patient.identifier[0].value']);
  });
});

describe('URIs', () => {
  it.each(['http://example.org/{id}', 'urn:oid:2.16.840.1', 'mailto:a@example.org'])('%s is one', (implicitRules) => {
    expect(faults(patient({ implicitRules }))).toEqual([]);
  });
  it.each(['oid:2.16.840.1', 'uuid:00000000-0000-4000-8000-000000000001', 'urn:oid:3.1', 'urn:uuid:1', 'http://example.org/ a'])(
    '%s is none',
    (implicitRules) => {
      expect(faults(patient({ implicitRules }))).toEqual(['value Patient.implicitRules']);
    },
  );
});
