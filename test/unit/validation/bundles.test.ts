import { createValidator } from '../../../src/validation/validator.js';
import { r4Definitions } from '../../helpers/definitions.js';

const { validate } = createValidator(r4Definitions());
const faults = (resource: unknown): readonly string[] =>
  validate(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);

const base = 'http://example.org/fhir';
const entryOf = (resource: { readonly resourceType: string; readonly id?: string }, more: object = {}) => ({
  fullUrl: `${base}/${resource.resourceType}/${resource.id ?? ''}`,
  resource,
  ...more,
});
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, active: true, ...more });
const bundle = (type: string, entry: readonly object[], more: object = {}) => ({ resourceType: 'Bundle', type, entry, ...more });
const uuid = 'urn:uuid:00000000-0000-4000-8000-000000000001';

describe('the fullUrl of an entry', () => {
  it.each<readonly [string, object, readonly string[]]>([
    ['of the server that has it', bundle('collection', [entryOf(patient('a'))]), []],
    ['a UUID, whatever the id', bundle('collection', [{ fullUrl: uuid, resource: patient('a') }]), []],
    ['of no RESTful form', bundle('collection', [{ fullUrl: 'http://example.org/nothing', resource: patient('a') }]), []],
    ['none in a transaction', bundle('transaction', [{ resource: patient('a'), request: { method: 'PUT', url: 'Patient/a' } }]), []],
    ['none in a collection', bundle('collection', [{ resource: patient('a') }]), ['required Bundle.entry[0].fullUrl']],
    ['a relative one', bundle('collection', [{ fullUrl: 'Patient/a', resource: patient('a') }]), ['value Bundle.entry[0].fullUrl']],
    [
      'a UUID in capitals',
      bundle('collection', [{ fullUrl: uuid.replace('0001', '000A'), resource: patient('a') }]),
      ['value Bundle.entry[0].fullUrl'],
    ],
    ['another id', bundle('collection', [{ fullUrl: `${base}/Patient/b`, resource: patient('a') }]), ['invalid Bundle.entry[0].fullUrl']],
    ['another type', bundle('collection', [{ fullUrl: `${base}/Device/a`, resource: patient('a') }]), ['invalid Bundle.entry[0].fullUrl']],
    [
      'an id where the resource has none',
      bundle('collection', [{ fullUrl: `${base}/Patient/a`, resource: { resourceType: 'Patient', active: true } }]),
      ['invalid Bundle.entry[0].fullUrl'],
    ],
    [
      'a version',
      bundle('collection', [{ fullUrl: `${base}/Patient/a/_history/1`, resource: patient('a') }]),
      ['invariant Bundle.entry[0]'],
    ],
    ['the same twice', bundle('collection', [entryOf(patient('a')), entryOf(patient('a'))]), ['invariant Bundle']],
  ])('%s', (_, resource, expected) => {
    expect(faults(resource)).toEqual(expected);
  });
});

describe('what each kind of Bundle holds', () => {
  const match = { search: { mode: 'match' } };
  const self = { link: [{ relation: 'self', url: `${base}/Patient?name=a` }] };
  const request = { request: { method: 'GET', url: 'Patient' } };

  it.each<readonly [string, object, readonly string[]]>([
    ['a search result', bundle('searchset', [entryOf(patient('a'), match)], self), []],
    [
      'one of several types',
      bundle('searchset', [entryOf(patient('a'), match)], { link: [{ relation: 'self', url: `${base}?_type=Patient,Device` }] }),
      [],
    ],
    [
      'an outcome among the matches',
      bundle(
        'searchset',
        [
          entryOf(patient('a'), match),
          {
            fullUrl: uuid,
            resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational' }] },
            search: { mode: 'outcome' },
          },
        ],
        self,
      ),
      [],
    ],
    [
      'a match of another type',
      bundle('searchset', [entryOf({ resourceType: 'Basic', id: 'a', code: { text: 'x' } } as never, match)], self),
      ['invalid Bundle.entry[0].resource'],
    ],
    [
      'a match without an id',
      bundle('searchset', [{ fullUrl: uuid, resource: { resourceType: 'Patient', active: true }, ...match }], self),
      ['required Bundle.entry[0].resource'],
    ],
    [
      'an outcome that is none',
      bundle('searchset', [entryOf(patient('a'), { search: { mode: 'outcome' } })], self),
      ['invalid Bundle.entry[0].resource'],
    ],
    ['a search mode elsewhere', bundle('collection', [entryOf(patient('a'), match)]), ['invariant Bundle']],
    ['a total elsewhere', bundle('collection', [entryOf(patient('a'))], { total: 1 }), ['invariant Bundle']],
    ['a request in a collection', bundle('collection', [entryOf(patient('a'), request)]), ['invariant Bundle']],
    ['no request in a transaction', bundle('transaction', [entryOf(patient('a'))]), ['invariant Bundle']],
    ['no response in its answer', bundle('transaction-response', [entryOf(patient('a'))]), ['invariant Bundle']],
    ['an entry of nothing', bundle('collection', [{ fullUrl: uuid }]), ['invariant Bundle.entry[0]']],
    [
      'two next pages',
      bundle('searchset', [entryOf(patient('a'), match)], {
        link: [
          { relation: 'next', url: `${base}?a` },
          { relation: 'next', url: `${base}?b` },
        ],
      }),
      ['invalid Bundle.link[1].relation'],
    ],
    [
      'pages of a collection',
      bundle('collection', [entryOf(patient('a'))], { link: [{ relation: 'next', url: `${base}?a` }] }),
      ['invalid Bundle.link[0].relation'],
    ],
  ])('%s', (_, resource, expected) => {
    expect(faults(resource)).toEqual(expected);
  });
});

describe('a document', () => {
  const composition = (more: object = {}) => ({
    resourceType: 'Composition',
    id: 'c',
    status: 'final',
    type: { text: 'x' },
    date: '2026-01-01',
    title: 'x',
    author: [{ reference: 'Practitioner/d' }],
    subject: { reference: 'Patient/p' },
    section: [{ title: 'x', entry: [{ reference: 'Basic/b' }] }],
    ...more,
  });
  const basic = { resourceType: 'Basic', id: 'b', code: { text: 'x' } };
  const practitioner = { resourceType: 'Practitioner', id: 'd', active: true };
  const document = (...resources: readonly { readonly resourceType: string; readonly id: string }[]) =>
    bundle(
      'document',
      resources.map((resource) => entryOf(resource)),
      { identifier: { system: 'urn:ietf:rfc:3986', value: uuid }, timestamp: '2026-01-01T00:00:00Z' },
    );

  it.each<readonly [string, object, readonly string[]]>([
    ['holds all that it refers to', document(composition(), practitioner, patient('p'), basic), []],
    [
      'holds what refers to it',
      document(composition(), practitioner, patient('p'), basic, {
        resourceType: 'Provenance',
        id: 'v',
        target: [{ reference: 'Composition/c' }],
        recorded: '2026-01-01T00:00:00Z',
        agent: [{ who: { reference: 'Practitioner/d' } }],
      } as never),
      [],
    ],
    ['lacks its author', document(composition(), patient('p'), basic), ['not-found Bundle.entry[0].resource.author[0]']],
    [
      'lacks an entry of a section',
      document(composition(), practitioner, patient('p')),
      ['not-found Bundle.entry[0].resource.section[0].entry[0]'],
    ],
    [
      'holds what nothing leads to',
      document(composition(), practitioner, patient('p'), basic, { resourceType: 'Device', id: 'x', status: 'active' } as never),
      ['invalid Bundle.entry[4]'],
    ],
    ['does not begin with a Composition', document(practitioner, composition(), patient('p'), basic), ['invariant Bundle']],
    ['is empty', document(), ['structure Bundle.entry']],
    [
      'refers by type and id to what has another base',
      {
        ...document(composition(), practitioner, patient('p')),
        entry: [composition(), practitioner, patient('p'), basic].map((each, index) =>
          index === 3 ? { fullUrl: uuid, resource: each } : entryOf(each),
        ),
      },
      ['invalid Bundle.entry[0].resource.section[0].entry[0]', 'invalid Bundle.entry[3]'],
    ],
  ])('%s', (_, resource, expected) => {
    expect(faults(resource)).toEqual(expected);
  });
});

describe('a message', () => {
  const header = (reference: string) => ({
    resourceType: 'MessageHeader',
    id: 'h',
    eventUri: 'http://example.org/event',
    source: { endpoint: 'http://example.org' },
    focus: [{ reference }],
  });
  it('holds what its header is about', () => {
    expect(faults(bundle('message', [entryOf(header('Patient/p')), entryOf(patient('p'))]))).toEqual([]);
    expect(faults(bundle('message', [entryOf(header('Patient/q')), entryOf(patient('p'))]))).toEqual([
      'not-found Bundle.entry[0].resource.focus[0]',
    ]);
    expect(faults(bundle('message', [entryOf(patient('p')), entryOf(header('Patient/p'))]))).toEqual(['invariant Bundle']);
  });
});
