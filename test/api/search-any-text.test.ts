/** Whatever is asked is answered: any text after `?` gives a result or a 4xx, through the whole server. */
import fc from 'fast-check';
import { Failure } from '../../src/fhir/outcome.js';
import { search } from '../../src/interactions/search.js';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer();

const types = ['Patient', 'Observation', 'Slot', 'ServiceRequest', 'Location', 'ValueSet', ''];
const names = [
  ...[
    '_id',
    '_lastUpdated',
    '_tag',
    '_profile',
    '_content',
    '_text',
    '_list',
    '_filter',
    '_sort',
    '_count',
    '_total',
    '_summary',
    '_elements',
  ],
  ...['_include', '_revinclude', '_include:iterate', '_contained', '_containedType', '_cursor', '_type', '_format', '_pretty', 'page'],
  ...[
    'family',
    'birthdate',
    'identifier',
    'gender',
    'value-quantity',
    'code-value-quantity',
    'component-code-value-quantity',
    'subject',
    'near',
    'url',
  ],
  ...[
    'patient.family',
    'subject:Patient.birthdate',
    'schedule.actor:HealthcareService',
    '_has:Observation:patient:code',
    'general-practitioner',
  ],
  ...[
    '_has:Observation:patient:_has:Observation:derived-from:code',
    'status',
    'start',
    'date',
    'identifier:of-type',
    'code:in',
    'code:below',
  ],
];
const modifiers = [
  ':missing',
  ':exact',
  ':contains',
  ':text',
  ':not',
  ':in',
  ':not-in',
  ':above',
  ':below',
  ':of-type',
  ':identifier',
  ':Patient',
  ':',
];
const values = [
  ...[
    '',
    'a',
    'true',
    '0',
    '-1',
    '1e400',
    '1980',
    '1980-02-30',
    'ge1980',
    'ap2020',
    'sa',
    '|',
    '||',
    'a|b',
    'a|b|c|d',
    '$',
    'a$b',
    ',',
    ',,',
    '\\',
    '\\,',
  ],
  ...[
    'Patient/1',
    'Patient/1/_history/1',
    'http://a/Patient/1',
    'urn:uuid:1',
    '#a',
    '*',
    'Patient:*',
    '53|-1|5|km',
    '91|0',
    'NaN|0',
    '\u0000',
    '\ud800',
  ],
  ...[
    '9999-12-31T23:59:60Z',
    '0000',
    '1|http://unitsofmeasure.org|kg',
    'gt1||m',
    'family eq "a"',
    '((((',
    'not',
    'family',
    '-family,_id',
    '%',
    '+',
    '☃',
  ],
];
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...values) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...names) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...names), fc.constantFrom(...modifiers)).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
);
// a lone surrogate has no form in a URL
const encoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString('utf8'));
const query = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.tuple(name, fc.array(piece, { minLength: 1, maxLength: 2 })), { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant([]) },
);
const text = fc.oneof(
  query.map((pairs) => pairs.map(([left, right]) => `${encoded(left)}=${encoded(right.join(''))}`).join('&')),
  // what no client would encode
  fc.string({
    unit: fc.constantFrom(...['a', 'b', '_', '&', '=', '%', '?', '#', '+', ':', '|', ',', '.', '$', '\\', '"', '(', '[', ']']),
    maxLength: 40,
  }),
);

it('any query gives a result or a 4xx', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types), text, fc.boolean(), async (type, asked, lenient) => {
      const headers: Record<string, string> = lenient ? { prefer: 'handling=lenient' } : {};
      const answer = await server.as('system', 'GET', `${type}?${asked}`, undefined, headers);
      expect([answer.status >= 200 && answer.status < 500, answer.status < 500 ? '' : answer.text]).toEqual([true, '']);
    }),
    { numRuns: 400 },
  );
}, 240_000);

it('any value of any parameter with any modifier gives a result or a refusal, for every type', async () => {
  const house = await server.house();
  const call = { caller: { kind: 'system', clientId: 'any', scopes: ['system/*.cruds'], organisations: [] }, lenient: false } as const;
  const given = fc.sample(piece, { numRuns: 20_000, seed: 1 });
  let at = 0;
  const answered = { results: 0, refusals: 0 };
  for (const type of house.registry.keys())
    for (const { code } of house.searchParameters.of(type).values())
      for (const modifier of ['', ...modifiers]) {
        const asked = [`${code}${modifier}`, given[at++ % given.length] ?? ''] as const;
        try {
          await search(house, call, type, [asked]);
          answered.results++;
        } catch (error) {
          // what is no refusal is a fault, which would be a 500
          expect([type, ...asked, error instanceof Failure ? 'refused' : String(error)]).toEqual([type, ...asked, 'refused']);
          answered.refusals++;
        }
      }
  expect(Math.min(answered.results, answered.refusals)).toBeGreaterThan(1000);
}, 240_000);
