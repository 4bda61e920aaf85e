import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { isLosslessNumber } from 'lossless-json';
import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import { Failure } from '../../src/fhir/outcome.js';
import type { Resource } from '../../src/fhir/resource.js';
import { isPrimitive } from '../../src/fhir/shapes.js';
import { readXml } from '../../src/fhir/xml/read.js';
import { writeXml } from '../../src/fhir/xml/write.js';
import { shapes } from '../helpers/shapes.js';
import { examples, sharedData } from '../helpers/shared-data.js';

/** The same text for the same content: members in alphabetical order. */
const canonical = (value: unknown): string => {
  const sorted = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(sorted);
    if (typeof inner !== 'object' || inner === null || 'isLosslessNumber' in inner) return inner;
    return Object.fromEntries(
      Object.entries(inner)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, item]) => [name, sorted(item)]),
    );
  };
  return stringifyJson(sorted(value));
};
const roundTripped = (resource: Resource, indent?: number): Resource => readXml(writeXml(resource, shapes, indent), shapes);

const json = (text: string): Resource => parseJson(text) as Resource;

it('writes elements in the order of the definition, ids and extensions of primitives, what is inside', () => {
  const resource = json(
    `{"resourceType":"Patient","birthDate":"1980-01-01","_birthDate":{"id":"b","extension":[{"url":"http://e","valueDecimal":1.50}]},
      "name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"http://x","valueCode":"y"}]}],"family":"B & <C>"}],"active":false,"id":"p",
      "contained":[{"resourceType":"Organization","id":"o","name":"O"}],"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a<br/>b</div>"}}`,
  );
  expect(writeXml(resource, shapes)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="p"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a<br/>b</div></text>' +
      '<contained><Organization><id value="o"/><name value="O"/></Organization></contained><active value="false"/>' +
      '<name><family value="B &amp; &lt;C&gt;"/><given value="A"/><given><extension url="http://x"><valueCode value="y"/></extension></given></name>' +
      '<birthDate value="1980-01-01" id="b"><extension url="http://e"><valueDecimal value="1.50"/></extension></birthDate></Patient>',
  );
  for (const indent of [undefined, 2]) expect(canonical(roundTripped(resource, indent))).toBe(canonical(resource));
});

const read = (text: string) => readXml(text, shapes);
const patient = (inner: string) => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;

it('reads what other writers write: prefixes, comments, CDATA in a narrative, a byte order mark', () => {
  expect(
    read(
      '\uFEFF<?xml version="1.0"?><!-- c --><f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><f:status value="generated"/>' +
        '<h:div class="x"><h:p>1 &lt; <![CDATA[2 & 3]]></h:p><h:hr/></h:div></f:text><!-- d --><f:gender value="male"/></f:Patient>',
    ),
  ).toEqual({
    resourceType: 'Patient',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml" class="x"><p>1 &lt; 2 &amp; 3</p><hr/></div>' },
    gender: 'male',
  });
});

it('gives numbers and booleans their JSON types, decimals their text', () => {
  expect(
    stringifyJson(read('<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1.50"/></valueQuantity></Observation>')),
  ).toBe('{"resourceType":"Observation","valueQuantity":{"value":1.50}}');
  expect(read(patient('<active value="true"/><multipleBirthInteger value="2"/>'))).toEqual({
    resourceType: 'Patient',
    active: true,
    multipleBirthInteger: 2,
  });
});

const refused: Readonly<Record<string, string>> = {
  'an external entity': `<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>${patient('<gender value="&x;"/>')}`,
  'entities that grow': '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
  'an undeclared entity': patient('<gender value="&nbsp;"/>'),
  'a processing instruction': `<?xml-stylesheet href="x"?>${patient('')}`,
  'what is not well-formed': '<Patient xmlns="http://hl7.org/fhir"><gender></Patient>',
  'an empty body': '',
  'no namespace': '<Patient/>',
  'another namespace': '<Patient xmlns="urn:hl7-org:v3"/>',
  'an unknown type': '<Unicorn xmlns="http://hl7.org/fhir"/>',
  'a data type as the root': '<HumanName xmlns="http://hl7.org/fhir"/>',
  'an unknown element': patient('<colour value="blue"/>'),
  'an unknown attribute': patient('<gender value="male" colour="blue"/>'),
  'text where none belongs': patient('male'),
  'a single element twice': patient('<gender value="male"/><gender value="male"/>'),
  'two resources in one place': patient('<contained><Patient/><Patient/></contained>'),
  'a number that is none': patient('<multipleBirthInteger value="two"/>'),
  'a boolean that is none': patient('<active value="yes"/>'),
  'nesting without end': `<QuestionnaireResponse xmlns="http://hl7.org/fhir">${'<item>'.repeat(5000)}${'</item>'.repeat(5000)}</QuestionnaireResponse>`,
};
it.each(Object.entries(refused))('refuses %s', (_title, text) => {
  expect(() => read(text)).toThrow(Failure);
});

it.each([
  ['created', '<Appointment xmlns="http://hl7.org/fhir"><created/></Appointment>', 'Appointment.created'],
  ['gender', patient('<gender></gender>'), 'Patient.gender'],
  ['given', patient('<name><given value="A"/><given/></name>'), 'Patient.name[0].given[1]'],
  ['name', patient('<name/>'), 'Patient.name[0]'],
  ['extension', patient('<birthDate><extension/></birthDate>'), 'Patient.birthDate.extension[0]'],
  ['contained', patient('<contained/>'), 'Patient.contained[0]'],
])('refuses an element %s with nothing in it (R4 xml.html)', (name, text, expression) => {
  let failed: unknown;
  try {
    read(text);
  } catch (error) {
    failed = error;
  }
  expect(failed).toBeInstanceOf(Failure);
  expect((failed as Failure).issues).toMatchObject([{ code: 'structure', expression: [expression] }]);
  if (name !== 'contained') expect((failed as Failure).issues[0]?.text).toContain(name);
});

it('takes a primitive of an id or an extension alone, and what is empty in a narrative', () => {
  const div = '<div xmlns="http://www.w3.org/1999/xhtml">a<br/><p></p></div>';
  expect(
    read(
      patient(
        `<text><status value="generated"/>${div}</text><gender id="g"/><name id="n"/><birthDate><extension url="http://e"><valueCode value="y"/></extension></birthDate>`,
      ),
    ),
  ).toEqual({
    resourceType: 'Patient',
    text: { status: 'generated', div },
    _gender: { id: 'g' },
    name: [{ id: 'n' }],
    _birthDate: { extension: [{ url: 'http://e', valueCode: 'y' }] },
  });
  expect(read(patient(''))).toEqual({ resourceType: 'Patient' });
});

it('any text gives a resource or a Failure', () => {
  const piece = fc.constantFrom(
    '<Patient xmlns="http://hl7.org/fhir">',
    '</Patient>',
    '<name>',
    '</name>',
    '<family value="x"/>',
    '&amp;',
    '&x;',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<div xmlns="http://www.w3.org/1999/xhtml">',
    '</div>',
    '"',
    '\u0000',
    'text',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          expect(read(text)['resourceType']).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      },
    ),
  );
});

it('any string comes back from XML as it went, but for what XML cannot say', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const back = roundTripped({ resourceType: 'Patient', name: [{ text }] });
      // eslint-disable-next-line no-control-regex
      const sayable = text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD');
      expect(back['name']).toEqual([{ text: sayable }]);
    }),
  );
});

it('a narrative that is not XML does not break the document', () => {
  const back = roundTripped(json('{"resourceType":"Patient","text":{"status":"generated","div":"<div>a<br>b &nbsp; c</div>"}}'));
  expect((back['text'] as { div: string }).div).toContain('b');
});

/** True for what R4 knows: several examples are of other versions, or wrong on purpose. */
const fits = (value: unknown, type: string): boolean => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const tree = value as Readonly<Record<string, unknown>>;
  const shape = shapes(type === 'Resource' ? String(tree['resourceType']) : type);
  if (!shape || (type === 'Resource' && shape.kind !== 'resource')) return false;
  return Object.entries(tree).every(([name, inner]) => {
    if (name === 'resourceType') return shape.kind === 'resource';
    const row = shape.byName.get(name.replace(/^_/, ''));
    if (!row || row.list !== Array.isArray(inner)) return false;
    const items = (row.list ? inner : [inner]) as readonly unknown[];
    if (items.length === 0) return false;
    if (name.startsWith('_')) return items.every((item) => item === null || fits(item, 'Element'));
    if (!isPrimitive(shapes, row.type)) return items.every((item) => fits(item, row.type));
    const besides = Array.isArray(tree[`_${name}`]);
    return items.every((item) => (item === null ? besides : typeof item === kindOf(row.type) || isLosslessNumber(item)));
  });
};
const kindOf = (type: string): string =>
  type === 'boolean' ? 'boolean' : ['decimal', 'integer', 'positiveInt', 'unsignedInt'].includes(type) ? 'number' : 'string';

describe.each(['uk-core-examples', 'ers', 'bars', 'hl7-validator-cases'])('every example of %s', (folder) => {
  const known = examples(folder, '.json').flatMap(({ name, text }) => {
    let resource: unknown;
    try {
      resource = parseJson(text);
    } catch {
      return [];
    }
    return fits(resource, 'Resource') ? [[name, resource as Resource] as const] : [];
  });
  it('comes back from XML as it went', () => {
    const differing = known.filter(([, resource]) => canonical(roundTripped(resource, 2)) !== canonical(resource)).map(([name]) => name);
    expect(differing).toEqual([]);
    expect(known.length).toBeGreaterThan(existsSync(sharedData) ? 15 : -1);
  });
});
