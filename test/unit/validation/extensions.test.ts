import { aProfile, knowing } from '../../helpers/profiles.js';

const url = (name: string) => `https://example.org/StructureDefinition/${name}`;
const simple = (name: string, context: readonly object[], more: object = {}, elements: Parameters<typeof aProfile>[2] = []) =>
  aProfile(
    name,
    'Extension',
    [
      { id: 'Extension.url', fixedUri: url(name) },
      { id: 'Extension.extension', max: '0' },
      { id: 'Extension.value[x]', min: 1, type: [{ code: 'string' }] },
      ...elements,
    ],
    { context, ...more },
  );
const on = (expression: string, type = 'element') => [{ type, expression }];
const extension = (name: string, value: object = { valueString: 'x' }) => [{ url: url(name), ...value }];
const none = 'http://hl7.org/fhir/StructureDefinition/Patient';

describe('where an extension may stand', () => {
  it.each([
    [
      'a resource',
      on('Patient'),
      { extension: extension('e') },
      { name: [{ extension: extension('e'), text: 'x' }] },
      'Patient.name[0].extension[0]',
    ],
    [
      'an element of a resource',
      on('Patient.contact'),
      { contact: [{ extension: extension('e'), name: { text: 'x' } }] },
      { extension: extension('e') },
      'Patient.extension[0]',
    ],
    [
      'a data type',
      on('HumanName'),
      { name: [{ extension: extension('e'), text: 'x' }] },
      { address: [{ extension: extension('e'), text: 'x' }] },
      'Patient.address[0].extension[0]',
    ],
    [
      'an element of a data type',
      on('HumanName.family'),
      { name: [{ family: 'x', _family: { extension: extension('e') } }] },
      { name: [{ text: 'x', _text: { extension: extension('e') } }] },
      'Patient.name[0].text.extension[0]',
    ],
    [
      'a primitive type',
      on('date'),
      { _birthDate: { extension: extension('e') } },
      { name: [{ text: 'x', _text: { extension: extension('e') } }] },
      'Patient.name[0].text.extension[0]',
    ],
    ['any element', on('Element'), { _birthDate: { extension: extension('e') } }, undefined, ''],
    [
      'any resource',
      on('Resource'),
      { extension: extension('e') },
      { name: [{ extension: extension('e'), text: 'x' }] },
      'Patient.name[0].extension[0]',
    ],
    [
      'any domain resource',
      on('DomainResource'),
      { extension: extension('e') },
      { name: [{ extension: extension('e'), text: 'x' }] },
      'Patient.name[0].extension[0]',
    ],
    [
      'a choice',
      on('Patient.deceased[x]'),
      { deceasedBoolean: true, _deceasedBoolean: { extension: extension('e') } },
      { active: true, _active: { extension: extension('e') } },
      'Patient.active.extension[0]',
    ],
    [
      'what a path selects',
      on("Patient.name.where(use = 'official')", 'fhirpath'),
      { name: [{ use: 'official', extension: extension('e'), text: 'x' }] },
      { name: [{ use: 'old', extension: extension('e'), text: 'x' }] },
      'Patient.name[0].extension[0]',
    ],
    [
      'another extension',
      on(url('outer'), 'extension'),
      { extension: [{ url: url('outer'), extension: extension('e') }] },
      { extension: extension('e') },
      'Patient.extension[0]',
    ],
  ] as const)('%s', (_, context, right, wrong, at) => {
    const outer = aProfile(
      'outer',
      'Extension',
      [
        { id: 'Extension.url', fixedUri: url('outer') },
        { id: 'Extension.extension:e', type: [{ code: 'Extension', profile: [url('e')] }] },
      ],
      { context: on('Patient') },
    );
    const { errors } = knowing([simple('e', context), outer]);
    expect(errors({ resourceType: 'Patient', ...right }, none)).toEqual([]);
    if (wrong !== undefined) expect(errors({ resourceType: 'Patient', ...wrong }, none)).toEqual([`extension ${at}`]);
  });

  it('a context invariant holds for what it extends', () => {
    const { errors } = knowing([simple('e', on('Patient'), { contextInvariant: ['birthDate.exists()'] })]);
    expect(errors({ resourceType: 'Patient', birthDate: '2000', extension: extension('e') }, none)).toEqual([]);
    expect(errors({ resourceType: 'Patient', extension: extension('e') }, none)).toEqual(['extension Patient.extension[0]']);
  });

  it('an item of an item is an item', () => {
    const { errors } = knowing([simple('e', on('Questionnaire.item'))]);
    const item = (inner: object) => ({
      resourceType: 'Questionnaire',
      status: 'draft',
      item: [{ linkId: '1', type: 'group', item: [{ linkId: '2', type: 'string', ...inner }] }],
    });
    expect(errors(item({ extension: extension('e') }), 'http://hl7.org/fhir/StructureDefinition/Questionnaire')).toEqual([]);
  });
});

describe('what an extension holds', () => {
  const { errors } = knowing([simple('e', on('Patient'))]);
  const faults = (...given: object[]) => errors({ resourceType: 'Patient', extension: given }, none);

  it.each([
    ['its value', extension('e')[0]!, []],
    ['no value', { url: url('e'), extension: [{ url: 'x', valueString: 'y' }] }, 1],
    ['a value of another type', extension('e', { valueInteger: 1 })[0]!, ['structure Patient.extension[0].value']],
    ['a value and parts', { url: url('e'), valueString: 'x', extension: [{ url: 'http://example.org/x', valueString: 'y' }] }, 1],
    ['a relative URL of nobody', { url: 'part', valueString: 'x' }, ['value Patient.extension[0]']],
  ])('%s', (_, given, expected) => {
    if (typeof expected === 'number') expect(faults(given).length).toBeGreaterThanOrEqual(expected);
    else expect(faults(given)).toEqual(expected);
  });

  it('as often as its definition allows', () => {
    const once = simple('e', on('Patient'));
    const limited = {
      ...once,
      differential: { element: [{ ...once.differential!.element[0]!, max: '1' }, ...once.differential!.element.slice(1)] },
    };
    const check = knowing([limited]).errors;
    expect(check({ resourceType: 'Patient', extension: [...extension('e'), ...extension('e')] }, none)).toEqual([
      'structure Patient.extension[1]',
    ]);
  });

  it('parts that its definition lists, as often as it says', () => {
    const part = (name: string, more: object = {}) => [
      { id: `Extension.extension:${name}`, ...more },
      { id: `Extension.extension:${name}.url`, fixedUri: name },
      { id: `Extension.extension:${name}.value[x]`, type: [{ code: 'code' }] },
    ];
    const complex = aProfile(
      'c',
      'Extension',
      [
        { id: 'Extension.url', fixedUri: url('c') },
        ...part('a', { min: 1, max: '1' }),
        ...part('b'),
        { id: 'Extension.value[x]', max: '0' },
      ],
      { context: on('Patient') },
    );
    const check = knowing([complex]).errors;
    const parts = (...names: readonly string[]) =>
      check(
        { resourceType: 'Patient', extension: [{ url: url('c'), extension: names.map((name) => ({ url: name, valueCode: 'x' })) }] },
        none,
      );
    expect(parts('a', 'b', 'b')).toEqual([]);
    expect(parts('b')).toEqual(['required Patient.extension[0].extension']);
    expect(parts('a', 'a')).toEqual(['structure Patient.extension[0].extension']);
    expect(parts('a', 'z')).toEqual(['structure Patient.extension[0].extension[1]']);
  });
});

describe('modifiers', () => {
  const modifying = simple('m', on('Patient'));
  const marked = {
    ...modifying,
    differential: { element: [{ ...modifying.differential!.element[0]!, isModifier: true }, ...modifying.differential!.element.slice(1)] },
  };
  const { errors } = knowing([marked, simple('e', on('Patient'))]);

  it.each([
    ['a modifier in modifierExtension', { modifierExtension: extension('m') }, []],
    ['a modifier in extension', { extension: extension('m') }, ['structure Patient.extension[0]']],
    ['no modifier in modifierExtension', { modifierExtension: extension('e') }, ['structure Patient.modifierExtension[0]']],
    ['an unknown one in modifierExtension', { modifierExtension: extension('z') }, ['extension Patient.modifierExtension[0]']],
  ])('%s', (_, more, expected) => {
    expect(errors({ resourceType: 'Patient', ...more }, none)).toEqual(expected);
  });

  it('have no place on a data type', () => {
    const name = [{ text: 'x', modifierExtension: extension('m') }];
    expect(errors({ resourceType: 'Patient', name }, none)).toEqual(['structure Patient.name[0]']);
  });
});

describe('an extension that nothing here knows', () => {
  const resource = { resourceType: 'Patient', extension: extension('unknown') };

  it('passes, or is an error where the site says so', () => {
    expect(knowing([simple('e', on('Patient'))]).errors(resource, none)).toEqual([]);
    expect(knowing([simple('e', on('Patient'))], { unknownExtensions: 'error' }).errors(resource, none)).toEqual([
      'extension Patient.extension[0]',
    ]);
  });
});
