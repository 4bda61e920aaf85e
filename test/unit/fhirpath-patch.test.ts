import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import { Failure } from '../../src/fhir/outcome.js';
import { applyFhirPathPatch } from '../../src/fhir/patch/fhirpath-patch.js';
import type { Resource } from '../../src/fhir/resource.js';
import { shapes } from '../helpers/shapes.js';

const operation = (parts: Readonly<Record<string, unknown>>): object => ({
  name: 'operation',
  part: Object.entries(parts).map(([name, value]) =>
    name === 'value'
      ? { name, ...(value as object) }
      : {
          name,
          ...(typeof value === 'number' ? { valueInteger: value } : name === 'type' ? { valueCode: value } : { valueString: value }),
        },
  ),
});
const patched = (resource: object, ...operations: readonly Readonly<Record<string, unknown>>[]): Resource =>
  applyFhirPathPatch(resource as Resource, { resourceType: 'Parameters', parameter: operations.map(operation) }, shapes);

const patient = { resourceType: 'Patient', id: 'p' };
const names = { ...patient, name: [{ family: 'A', given: ['x', 'y', 'z'], _given: [null, { id: 'g' }, null] }, { family: 'B' }] };

const cases: Readonly<Record<string, readonly [object, readonly Readonly<Record<string, unknown>>[], object]>> = {
  'add a single element': [
    patient,
    [{ type: 'add', path: 'Patient', name: 'birthDate', value: { valueDate: '1930-01-01' } }],
    { ...patient, birthDate: '1930-01-01' },
  ],
  'add to a list appends': [
    names,
    [{ type: 'add', path: 'Patient.name[1]', name: 'given', value: { valueString: 'q' } }],
    { ...names, name: [names.name[0], { family: 'B', given: ['q'] }] },
  ],
  'add a choice by its FHIRPath name': [
    patient,
    [{ type: 'add', path: 'Patient', name: 'deceased', value: { valueBoolean: true } }],
    { ...patient, deceasedBoolean: true },
  ],
  'add an element with children of its own, part by part': [
    patient,
    [
      {
        type: 'add',
        path: 'Patient',
        name: 'contact',
        value: {
          part: [
            { name: 'name', valueHumanName: { text: 'a name' } },
            { name: 'gender', valueCode: 'male' },
          ],
        },
      },
    ],
    { ...patient, contact: [{ name: { text: 'a name' }, gender: 'male' }] },
  ],
  'add an extension to a primitive': [
    { ...patient, birthDate: '1930-01-01' },
    [{ type: 'add', path: 'Patient.birthDate', name: 'extension', value: { valueExtension: { url: 'http://e', valueCode: 'x' } } }],
    { ...patient, birthDate: '1930-01-01', _birthDate: { extension: [{ url: 'http://e', valueCode: 'x' }] } },
  ],
  'insert into a list, ids staying with their items': [
    names,
    [{ type: 'insert', path: 'Patient.name[0].given', index: 0, value: { valueString: 'new' } }],
    { ...names, name: [{ family: 'A', given: ['new', 'x', 'y', 'z'], _given: [null, null, { id: 'g' }, null] }, { family: 'B' }] },
  ],
  'insert at the end': [
    names,
    [{ type: 'insert', path: 'Patient.name', index: 2, value: { valueHumanName: { family: 'C' } } }],
    { ...names, name: [...names.name, { family: 'C' }] },
  ],
  'delete an element': [
    { ...patient, birthDate: '1930', gender: 'male' },
    [{ type: 'delete', path: 'Patient.birthDate' }],
    { ...patient, gender: 'male' },
  ],
  'delete the item that where() finds': [
    names,
    [{ type: 'delete', path: "Patient.name.where(family = 'A')" }],
    { ...names, name: [{ family: 'B' }] },
  ],
  'delete of nothing is no error': [patient, [{ type: 'delete', path: 'Patient.birthDate' }], patient],
  'deleting the last item takes the list away': [
    { ...patient, name: [{ family: 'A' }] },
    [{ type: 'delete', path: 'Patient.name[0]' }],
    patient,
  ],
  'replace a value': [
    { ...patient, birthDate: '1930' },
    [{ type: 'replace', path: 'Patient.birthDate', value: { valueDate: '1931' } }],
    { ...patient, birthDate: '1931' },
  ],
  'replace a choice by another type': [
    { ...patient, deceasedBoolean: true },
    [{ type: 'replace', path: 'Patient.deceased', value: { valueDateTime: '2020-01-01' } }],
    { ...patient, deceasedDateTime: '2020-01-01' },
  ],
  'replace inside an item': [
    names,
    [{ type: 'replace', path: 'Patient.name[0].given[1]', value: { valueString: 'Y' } }],
    { ...names, name: [{ family: 'A', given: ['x', 'Y', 'z'] }, { family: 'B' }] },
  ],
  'move an item, ids with it': [
    names,
    [{ type: 'move', path: 'Patient.name[0].given', source: 1, destination: 2 }],
    { ...names, name: [{ family: 'A', given: ['x', 'z', 'y'], _given: [null, null, { id: 'g' }] }, { family: 'B' }] },
  ],
  'several operations, each on the result of the one before': [
    patient,
    [
      { type: 'add', path: 'Patient', name: 'name', value: { valueHumanName: { family: 'A' } } },
      { type: 'add', path: 'Patient.name[0]', name: 'given', value: { valueString: 'x' } },
      { type: 'delete', path: 'Patient.name.family' },
    ],
    { ...patient, name: [{ given: ['x'] }] },
  ],
  'patch a contained resource': [
    { ...patient, contained: [{ resourceType: 'Observation', id: 'o', valueString: 'a' }] },
    [{ type: 'replace', path: 'Patient.contained[0].value', value: { valueQuantity: { value: 1 } } }],
    { ...patient, contained: [{ resourceType: 'Observation', id: 'o', valueQuantity: { value: 1 } }] },
  ],
};
it.each(Object.entries(cases))('%s', (_title, [resource, operations, result]) => {
  const before = JSON.stringify(resource);
  expect(patched(resource, ...operations)).toEqual(result);
  expect(JSON.stringify(resource)).toBe(before);
});

const refusals: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, string]>> = {
  'an unknown type': [{ type: 'merge', path: 'Patient' }, 'invalid'],
  'a path that is not FHIRPath': [{ type: 'delete', path: 'Patient..name' }, 'invalid'],
  'a path that is no element': [{ type: 'delete', path: "'a'" }, 'invalid'],
  'a function that does not select': [{ type: 'delete', path: "Patient.name.where(family.matches('(a+)+$'))" }, 'invalid'],
  'a path to several elements': [{ type: 'replace', path: 'Patient.name', value: { valueHumanName: {} } }, 'business-rule'],
  'a path to nothing': [{ type: 'replace', path: 'Patient.photo', value: { valueAttachment: {} } }, 'business-rule'],
  'an unknown element': [{ type: 'add', path: 'Patient', name: 'colour', value: { valueString: 'blue' } }, 'invalid'],
  'a choice without that type': [{ type: 'add', path: 'Patient', name: 'deceased', value: { valueQuantity: {} } }, 'invalid'],
  'no value': [{ type: 'add', path: 'Patient', name: 'birthDate' }, 'invalid'],
  'an index beyond the list': [{ type: 'insert', path: 'Patient.name', index: 3, value: { valueHumanName: {} } }, 'business-rule'],
  'a move beyond the list': [{ type: 'move', path: 'Patient.name', source: 0, destination: 2 }, 'business-rule'],
  'deleting the resource': [{ type: 'delete', path: 'Patient' }, 'business-rule'],
};
it.each(Object.entries(refusals))('refuses %s, and says which operation', (_title, [parts, category]) => {
  try {
    patched(names, { type: 'delete', path: 'Patient.photo' }, parts);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).category).toBe(category);
    expect((error as Failure).issues[0]?.expression).toEqual(['Parameters.parameter[1]']);
    return;
  }
  throw new Error('not refused');
});

it('keeps decimals as they were written', () => {
  const observation = parseJson(
    '{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"valueQuantity":{"value":2.00}}]}',
  ) as Resource;
  const patch = parseJson(
    '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.component[0].value.value"},{"name":"value","valueDecimal":3.10}]}]}',
  ) as Resource;
  expect(stringifyJson(applyFhirPathPatch(observation, patch, shapes))).toBe(
    '{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"valueQuantity":{"value":3.10}}]}',
  );
});
