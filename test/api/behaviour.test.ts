/** R4 http.html, line by line, where no other test has it: each row is a request, its status, and what the answer must hold. */
import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
let url: string;
let versions: readonly Answer[];
beforeAll(async () => {
  const first = await server.as('system', 'POST', 'Organization', { resourceType: 'Organization', name: 'one', active: false });
  url = `Organization/${String(first.json['id'])}`;
  const second = await server.as('system', 'PUT', url, { ...first.json, name: 'two' });
  versions = [first, second];
}, 60_000);

type Check = (answer: Answer) => void;
type Row = readonly [
  title: string,
  request: readonly [method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>],
  status: number,
  check?: Check,
];

const header =
  (name: string, value: string | null): Check =>
  (answer) => {
    expect(answer.headers.get(name)).toBe(value);
  };
const holds =
  (...texts: readonly string[]): Check =>
  (answer) => {
    for (const text of texts) expect(answer.text).toContain(text);
  };
const lacks =
  (...texts: readonly string[]): Check =>
  (answer) => {
    for (const text of texts) expect(answer.text).not.toContain(text);
  };
const both =
  (...checks: readonly Check[]): Check =>
  (answer) => {
    for (const check of checks) check(answer);
  };
const body = (more: object = {}) => ({ resourceType: 'Organization', name: 'x', ...more });
const instance = '{instance}';

const rows: readonly Row[] = [
  ['read: ETag', ['GET', instance], 200, header('etag', 'W/"2"')],
  [
    'HEAD: the headers of GET without its body',
    ['HEAD', instance],
    200,
    both(header('etag', 'W/"2"'), (answer) => {
      expect(answer.text).toBe('');
    }),
  ],
  ['HEAD of a search', ['HEAD', 'Organization?_count=1'], 200],
  ['HEAD of nothing', ['HEAD', 'Organization/none'], 404],
  ['conditional HEAD', ['HEAD', instance, undefined, { 'if-none-match': 'W/"2"' }], 304],
  ['If-None-Match with several', ['GET', instance, undefined, { 'if-none-match': 'W/"1", W/"2"' }], 304, header('etag', 'W/"2"')],
  ['If-None-Match of an old version', ['GET', instance, undefined, { 'if-none-match': 'W/"1"' }], 200],
  [
    'If-None-Match goes before If-Modified-Since',
    ['GET', instance, undefined, { 'if-none-match': 'W/"1"', 'if-modified-since': 'Tue, 01 Jan 2199 00:00:00 GMT' }],
    200,
  ],
  ['If-Modified-Since that is no date counts for nothing', ['GET', instance, undefined, { 'if-modified-since': 'soon' }], 200],
  ['vread', ['GET', `${instance}/_history/1`], 200, both(header('etag', 'W/"1"'), holds('"name":"one"'))],
  ['vread of a version to come', ['GET', `${instance}/_history/3`], 404],
  ['vread of what is no version', ['GET', `${instance}/_history/one`], 404],
  [
    '_elements gives what is mandatory too',
    ['GET', `${instance}?_elements=id`],
    200,
    both(holds('SUBSETTED', '"active":false'), lacks('"name"')),
  ],
  ['_summary=text', ['GET', `${instance}?_summary=text`], 200, both(holds('SUBSETTED'), lacks('"name"'))],
  ['_summary=count is for searches', ['GET', `${instance}?_summary=count`], 400],
  ['a read knows its parameters', ['GET', `${instance}?name=x`], 400],
  ['and passes over others when asked to be lenient', ['GET', `${instance}?name=x`, undefined, { prefer: 'handling=lenient' }], 200],
  [
    '_format wins over Accept',
    ['GET', `${instance}?_format=json`, undefined, { accept: 'application/fhir+xml' }],
    200,
    holds('{"resourceType"'),
  ],
  ['_format of another server', ['GET', `${instance}?_format=text/turtle`], 406, holds('OperationOutcome')],
  ['_pretty that is none', ['GET', `${instance}?_pretty=yes`], 400],
  ['a browser’s Accept', ['GET', instance, undefined, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }], 200],
  [
    'create: the id and version of the client are not kept',
    ['POST', 'Organization', body({ id: 'mine', meta: { versionId: '7' } })],
    201,
    both(lacks('"mine"'), header('etag', 'W/"1"')),
  ],
  [
    'create: a body of another character set',
    ['POST', 'Organization', body(), { 'content-type': 'application/fhir+json; charset=utf-16' }],
    415,
  ],
  ['create: a body of another FHIR', ['POST', 'Organization', body(), { 'content-type': 'application/fhir+json; fhirVersion=5.0' }], 415],
  ['create without a media type', ['POST', 'Organization', body(), { 'content-type': '' }], 415],
  ['create: a compressed body', ['POST', 'Organization', body(), { 'content-encoding': 'gzip' }], 415],
  ['create with criteria in the URL', ['POST', 'Organization?name=x', body()], 400, holds('If-None-Exist')],
  ['create takes _format', ['POST', 'Organization?_format=xml', body()], 201, holds('<Organization')],
  ['create on an instance', ['POST', instance, body()], 405, header('allow', 'GET, HEAD, PUT, PATCH, DELETE')],
  ['If-None-Exist without a filter', ['POST', 'Organization', body(), { 'if-none-exist': '_sort=name' }], 400],
  ['If-None-Exist with an unknown parameter', ['POST', 'Organization', body(), { 'if-none-exist': 'shoe=44' }], 400],
  ['update without an id in the body', ['PUT', instance, body()], 400, holds('Organization.id')],
  ['update with another id in the body', ['PUT', instance, body({ id: 'other' })], 400, holds('Organization.id')],
  ['update of a parameter', ['PUT', 'Organization/a?name=x', body({ id: 'a' })], 400],
  ['update with an ETag that is none', ['PUT', instance, body({ id: '{id}' }), { 'if-match': 'two' }], 400],
  ['update of what must not be there', ['PUT', instance, body({ id: '{id}' }), { 'if-none-match': '*' }], 412],
  ['update as create, and not as another version', ['PUT', 'Organization/new-1', body({ id: 'new-1' }), { 'if-match': 'W/"1"' }], 412],
  ['update as create under an id of 65 characters', ['PUT', `Organization/${'a'.repeat(65)}`, body({ id: 'a'.repeat(65) })], 400],
  ['update without criteria', ['PUT', 'Organization', body()], 405, header('allow', 'GET, HEAD, POST')],
  ['delete without criteria', ['DELETE', 'Organization'], 405],
  ['delete by criteria that filter nothing', ['DELETE', 'Organization?_format=json'], 400],
  ['delete of another version', ['DELETE', instance, undefined, { 'if-match': 'W/"1"' }], 412],
  ['delete with a parameter of another server', ['DELETE', `${instance}?_cascade=delete`], 400],
  ['delete of what never was', ['DELETE', 'Organization/none'], 404],
  ['delete of a history', ['DELETE', `${instance}/_history`], 405, header('allow', 'GET, HEAD')],
  [
    'patch of another version',
    [
      'PATCH',
      instance,
      [{ op: 'replace', path: '/name', value: 'z' }],
      { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' },
    ],
    412,
  ],
  ['patch as XML Patch', ['PATCH', instance, '<diff/>', { 'content-type': 'application/xml-patch+xml' }], 415],
  [
    'patch of a test that fails',
    ['PATCH', instance, [{ op: 'test', path: '/name', value: 'z' }], { 'content-type': 'application/json-patch+json' }],
    422,
  ],
  [
    'history: newest first, with what was asked and answered',
    ['GET', `${instance}/_history`],
    200,
    holds('"total":2', '"method":"PUT"', '"method":"POST"'),
  ],
  ['history as XML', ['GET', `${instance}/_history?_format=xml`], 200, holds('<Bundle', '<type value="history"/>')],
  ['history since a day to come', ['GET', `${instance}/_history?_since=2199-01-01`], 200, lacks('"entry"')],
  ['history of a time before', ['GET', `${instance}/_history?_at=2001`], 200, lacks('"entry"')],
  ['history since when', ['GET', `${instance}/_history?_since=yesterday`], 400],
  ['history of nothing', ['GET', 'Organization/none/_history'], 404],
  ['history of a type, counted', ['GET', 'Organization/_history?_summary=count'], 200, lacks('"entry"')],
  ['history with a parameter of a search', ['GET', 'Organization/_history?name=x'], 400],
  ['history of a type, a page', ['GET', 'Organization/_history?_count=1'], 200, holds('"relation":"next"')],
  ['capabilities', ['GET', 'metadata'], 200, holds('"resourceType":"CapabilityStatement"')],
  ['capabilities, of no mode', ['GET', 'metadata?mode=other'], 400],
  ['capabilities, in no form', ['GET', 'metadata', undefined, { accept: 'text/turtle' }], 406],
  ['capabilities, in part', ['GET', 'metadata?_elements=software'], 200, both(holds('SUBSETTED', '"software"'), lacks('"rest"'))],
  ['capabilities by POST', ['POST', 'metadata', {}], 405, header('allow', 'GET, HEAD')],
  ['the base by GET', ['GET', ''], 405, header('allow', 'POST')],
  ['a verb that FHIR does not know', ['PROPFIND', instance], 405, holds('OperationOutcome')],
  ['OPTIONS without a preflight', ['OPTIONS', instance], 405, holds('OperationOutcome')],
  ['a type in small letters', ['GET', 'organization/1'], 404],
  ['a path that cannot be decoded', ['GET', 'Organization/%ff'], 400],
  ['a type that is an encoded path', ['GET', 'Organization%2F1'], 404],
  [
    'Prefer that is not known is passed over',
    ['POST', 'Organization', body(), { prefer: 'return=everything, wait=5' }],
    201,
    holds('"name":"x"'),
  ],
  [
    'Prefer with several',
    ['POST', 'Organization?a=b', body(), { prefer: 'handling=lenient, return=minimal' }],
    201,
    (answer) => {
      expect(answer.text).toBe('');
    },
  ],
  ['Prefer does not touch a read', ['GET', instance, undefined, { prefer: 'return=minimal' }], 200, holds('"name":"two"')],
  ['a Bundle of another type', ['POST', '', { resourceType: 'Bundle', type: 'collection' }], 400, holds('Bundle.type')],
  ['a resource at the base', ['POST', '', body()], 400],
  ['an empty transaction', ['POST', '', { resourceType: 'Bundle', type: 'transaction' }], 200, holds('transaction-response')],
  ['an empty batch', ['POST', '', { resourceType: 'Bundle', type: 'batch', entry: [] }], 200, holds('batch-response')],
];

for (const [title, [method, path, sent, headers], status, check] of rows)
  it(title, async () => {
    const put = (text: string): string => text.replaceAll(instance, url).replaceAll('{id}', url.split('/')[1] ?? '');
    const filled = sent === undefined ? undefined : put(typeof sent === 'string' ? sent : JSON.stringify(sent));
    const answer = await server.as('system', method, put(path), filled, headers);
    expect([answer.status, answer.text.slice(0, status === answer.status ? 0 : 300)]).toEqual([status, '']);
    if (status >= 400 && method !== 'HEAD') expect(answer.json['resourceType']).toBe('OperationOutcome');
    check?.(answer);
  });

it('Last-Modified and Location say which version it is', () => {
  const [first, second] = versions;
  const updated = (answer: Answer | undefined) => (answer?.json['meta'] as { lastUpdated: string }).lastUpdated;
  for (const [index, answer] of versions.entries()) {
    expect(answer.headers.get('location')).toBe(`${server.base}/${url}/_history/${String(index + 1)}`);
    const modified = new Date(answer.headers.get('last-modified') ?? '').getTime();
    expect(modified).toBe(Math.floor(new Date(updated(answer)).getTime() / 1000) * 1000);
  }
  expect([first?.status, second?.status]).toEqual([201, 200]);
});

it('a batch entry is answered as the request alone would be', async () => {
  const entries = [
    { request: { method: 'GET', url: `${server.base}/${url}` } },
    { request: { method: 'GET', url: `/${url}`, ifNoneMatch: 'W/"2"' } },
    { request: { method: 'GET', url, ifModifiedSince: '2199-01-01T00:00:00Z' } },
    { request: { method: 'HEAD', url } },
    { request: { method: 'GET', url: `${url}?_elements=name` } },
    { request: { method: 'POST', url: 'Organization/_search?_count=1' } },
    { request: { method: 'GET', url: 'metadata/x' } },
    { request: { method: 'POST', url: 'Organization', ifNoneExist: `_id=${url.split('/')[1] ?? ''}` }, resource: body() },
    { request: { method: 'PUT', url, ifMatch: 'W/"1"' }, resource: body({ id: url.split('/')[1] }) },
    { request: { method: 'DELETE', url: 'Organization?name=no-such-name' } },
    { request: { method: 'POST', url: 'Organization/$validate' }, resource: body() },
    { request: { method: 'POST', url: '' }, resource: { resourceType: 'Bundle', type: 'batch' } },
    { request: { method: 'GET', url: 'metadata?mode=terminology' } },
    { request: { method: 'PUT', url: 'metadata' }, resource: body() },
  ];
  const answer = await server.as('system', 'POST', '', { resourceType: 'Bundle', type: 'batch', entry: entries });
  const parts = answer.json['entry'] as readonly {
    readonly response: { readonly status: string; readonly etag?: string };
    readonly resource?: { readonly resourceType: string };
  }[];
  const responses = parts.map(({ response }) => response);
  expect(responses.map(({ status }) => status)).toEqual([
    '200',
    '304',
    '304',
    '200',
    '200',
    '200',
    '404',
    '200',
    '412',
    '404',
    '200',
    '405',
    '200',
    '405',
  ]);
  expect([3, 12].map((index) => parts[index]?.resource?.resourceType)).toEqual([undefined, 'TerminologyCapabilities']);
  expect(responses.slice(0, 4).map(({ etag }) => etag)).toEqual(['W/"2"', 'W/"2"', 'W/"2"', 'W/"2"']);
});
