/** Whatever is sent, the answer is FHIR and no fault of the server's: random requests, Bundles and inputs of operations. */
import http from 'node:http';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer({ MAX_ENTRIES: '20' });
jest.setTimeout(120_000);

const isFhir = (text: string, contentType: string | null): boolean =>
  contentType?.startsWith('application/fhir+xml') === true
    ? /^<\?xml[^>]*><[A-Z][A-Za-z]+ xmlns="http:\/\/hl7\.org\/fhir"/.test(text)
    : typeof (JSON.parse(text) as { resourceType?: unknown }).resourceType === 'string';

/** Throws with the whole answer, so that a failing run tells what was found. */
const expectSound = ({ status, text, headers }: Answer, method: string): void => {
  const empty = method === 'HEAD' || status === 204 || status === 304 || (status === 202 && text === '');
  const said = headers.get('content-type');
  if (status >= 500 || !(empty || (text !== '' && isFhir(text, said))))
    throw new Error(`${String(status)} ${String(said)} ${text.slice(0, 300)}`);
};

const word = fc.oneof(
  fc.constantFrom(
    ...['Patient', 'ServiceRequest', 'Slot', 'Binary', 'AuditEvent', 'Unicorn', '_history', '_search', '_job', '*', '$meta', '$everything'],
  ),
  fc.constantFrom(
    ...[
      '$export',
      '$import',
      '$validate',
      '$expand',
      '$ers.fetchworklist',
      '$translate',
      'metadata',
      '.',
      '..',
      '1',
      'r.1',
      '',
      '%00',
      '%2F',
      '__proto__',
    ],
  ),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
const name = fc.oneof(
  fc.constantFrom(
    ...[
      '_id',
      '_sort',
      '_count',
      '_include',
      '_revinclude',
      '_has:Observation:patient:code',
      '_filter',
      '_elements',
      '_summary',
      '_format',
    ],
  ),
  fc.constantFrom(
    ...[
      '_since',
      '_at',
      '_cursor',
      '_type',
      '_typeFilter',
      '_list',
      '_total',
      '_pretty',
      'mode',
      'url',
      'code',
      'system',
      'patient.name',
      'identifier:of-type',
    ],
  ),
  fc.constantFrom(...['birthdate', 'name:exact', 'near', 'subject:Patient.birthdate', 'status:not', 'constructor', '__proto__']),
  fc.string({ maxLength: 10 }),
);
const value = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      '0',
      '-1',
      '1e999',
      '2026-02-30',
      'ge2026',
      '|',
      'a|b|c',
      '$',
      ',',
      '\\',
      '\\,',
      'Patient/1',
      'Patient:x',
      '*',
      'xml',
      'true',
      'x eq 1',
      '((',
    ],
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const pair = fc.tuple(name, value).map(([key, text]) => new URLSearchParams([[key, text]]).toString());
const path = fc
  .tuple(fc.array(word, { maxLength: 4 }), fc.array(pair, { maxLength: 3 }))
  .map(([words, pairs]) => `${words.join('/')}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`);

const headerText = fc.oneof(
  fc.constantFrom('W/"1"', '*', '"', 'W/"', 'name=x', '?', 'respond-async', 'return=minimal', 'Thu, 99', 'x;q=2'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 15 }),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'if-match',
    'if-none-match',
    'if-none-exist',
    'if-modified-since',
    'prefer',
    'x-correlation-id',
    'accept',
    'content-type',
    'accept-encoding',
  ),
  headerText,
  { maxKeys: 3 },
);

const json = fc.jsonValue({ maxDepth: 3 });
const resource = fc.oneof(
  json,
  fc.record({
    resourceType: fc.constantFrom('Patient', 'Parameters', 'Bundle', 'Binary', 'ServiceRequest', 'Appointment', 'Unicorn', 'Subscription'),
  }),
  fc
    .tuple(
      fc.constantFrom('Patient', 'ServiceRequest', 'DocumentReference', 'Slot', 'ConceptMap'),
      fc.dictionary(
        fc.constantFrom('id', 'meta', 'identifier', 'name', 'subject', 'status', 'content', 'contained', 'extension', 'text', 'group'),
        json,
      ),
    )
    .map(([resourceType, rest]) => ({ resourceType, ...rest })),
);

type Sent = { readonly method: string; readonly path: string; readonly body?: string; readonly headers: Readonly<Record<string, string>> };

/** On a slow database the newest accesses may not be readable as AuditEvents yet: the answer says when to ask again. */
const patienceMs = process.env['MSSQL_URL'] === undefined ? 0 : 60_000;

const send = async (asked: Sent): Promise<Answer> => {
  for (const until = Date.now() + patienceMs; ;) {
    const answer = await sendOnce(asked);
    if (answer.status !== 503 || answer.headers.get('retry-after') === null || Date.now() >= until) return answer;
    await setTimeout(1000);
  }
};

/** By node:http, which sends paths as they are: fetch would tidy them up. */
const sendOnce = async ({ method, path: asked, body, headers: own }: Sent): Promise<Answer> => {
  const token = await tokenOf();
  const { hostname, port } = new URL(server.base);
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        hostname,
        port,
        method,
        path: `/FHIR/R4/${asked}`,
        headers: {
          'content-type': 'application/fhir+json',
          ...own,
          'content-length': String(Buffer.byteLength(body ?? '')),
          'accept-encoding': 'identity',
          authorization: token,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const { 'content-type': type = '', 'retry-after': later } = response.headers;
          const said = new Headers({ 'content-type': type, ...(later === undefined ? {} : { 'retry-after': later }) });
          resolve({ status: response.statusCode ?? 0, headers: said, text, json: {} });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
};

let bearer: string | undefined;
const tokenOf = async (): Promise<string> => (bearer ??= await server.bearer('system'));

it('random paths, parameters, headers and bodies', async () => {
  const method = fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'LOCK');
  const body = fc.option(
    fc.oneof(
      resource.map((tree) => JSON.stringify(tree)),
      fc.string({ maxLength: 30 }),
    ),
    { nil: undefined },
  );
  await fc.assert(
    fc.asyncProperty(fc.record({ method, path, headers }), body, async (asked, text) => {
      // a path that no HTTP parser takes is not this server's matter
      fc.pre(!/[^\x21-\x7e]/.test(asked.path));
      const bytes = asked.method === 'GET' || asked.method === 'HEAD' || text === undefined ? {} : { body: text };
      expectSound(await send({ ...asked, ...bytes }), asked.method);
    }),
    { numRuns: 400 },
  );
});

const urns = ['urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90a01', 'urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90a02', 'urn:oid:1.2.3'];
const link = fc.oneof(
  fc.constantFrom(...urns, 'Patient/1', 'Patient?identifier=x|y', 'Patient?name=', '#a', '', 'urn:uuid:none', 'Organization/none'),
  fc.string({ maxLength: 10 }),
);
const referring = fc
  .tuple(fc.constantFrom('Organization', 'Patient'), link)
  .map(([type, reference]) =>
    type === 'Organization'
      ? { resourceType: type, name: 'x', partOf: { reference } }
      : { resourceType: type, managingOrganization: { reference } },
  );
const request = fc.record(
  {
    method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'BREW'),
    url: fc.oneof(
      fc.constantFrom(
        'Organization',
        'Patient',
        'Organization/a',
        'Organization/b',
        'Patient?identifier=x|y',
        'Patient/$meta',
        '',
        '/',
        '_history',
        'metadata',
      ),
      path,
    ),
    ifMatch: fc.oneof(headerText, json),
    ifNoneExist: fc.oneof(fc.constantFrom('identifier=x|y', 'name=x', '', '?'), json),
    ifNoneMatch: headerText,
    ifModifiedSince: fc.string({ maxLength: 8 }),
  },
  { requiredKeys: ['method', 'url'] },
);
const entry = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      { fullUrl: fc.constantFrom(...urns, 'x', ''), resource: fc.oneof(referring, resource), request },
      { requiredKeys: ['request'] },
    ),
  },
  { weight: 1, arbitrary: json },
);

it('random batches and transactions: odd verbs and URLs, circles of placeholders, entries that stand twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('batch', 'transaction'),
      fc.array(entry, { maxLength: 5 }),
      fc.boolean(),
      async (type, entries, twice) => {
        const all = twice ? [...entries, ...entries] : entries;
        const bundle = JSON.stringify({ resourceType: 'Bundle', type, entry: all });
        const answer = await send({ method: 'POST', path: '', body: bundle, headers: {} });
        expectSound(answer, 'POST');
        if (answer.status !== 200) return;
        const { entry: parts = [] } = JSON.parse(answer.text) as {
          readonly entry?: readonly { readonly response: { readonly status: string } }[];
        };
        expect(parts).toHaveLength(all.length);
        for (const { response } of parts) expect(response.status).toMatch(/^[234]\d\d$/);
      },
    ),
    { numRuns: 300 },
  );
});

const operations = [
  'Patient/$validate',
  'ValueSet/$expand',
  'ValueSet/$validate-code',
  'CodeSystem/$lookup',
  'ConceptMap/$translate',
  'Organization/a/$meta-add',
  'Organization/a/$meta-delete',
  '$import',
  'Patient/$export',
  'ServiceRequest/$ers.fetchworklist',
  'ServiceRequest/$ers.createReferral',
  'HealthcareService/$ers.searchHealthcareServicesForPatient',
  'Slot/1/$hold',
];
const parameter = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        name: fc.oneof(
          fc.constantFrom(
            'resource',
            'meta',
            'url',
            'code',
            'system',
            'coding',
            'codeableConcept',
            'valueSet',
            'conceptMap',
            'dependency',
            'input',
            'mode',
            'profile',
            'serviceRequest',
            'listType',
            'patient',
          ),
          json,
        ),
        valueUri: json,
        valueCode: json,
        valueString: json,
        valueCoding: json,
        valueCodeableConcept: json,
        valueMeta: json,
        valueReference: json,
        resource,
        part: json,
      },
      { requiredKeys: ['name'] },
    ),
  },
  { weight: 1, arbitrary: json },
);

it('random inputs of every kind of operation', async () => {
  await server.as('system', 'PUT', 'Organization/a', { resourceType: 'Organization', id: 'a', name: 'x' });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.oneof({ weight: 5, arbitrary: fc.array(parameter, { maxLength: 3 }) }, { weight: 1, arbitrary: json }),
      async (url, list) => {
        const body = JSON.stringify({ resourceType: 'Parameters', parameter: list });
        expectSound(await send({ method: 'POST', path: url, body, headers: {} }), 'POST');
      },
    ),
    { numRuns: 400 },
  );
});

it.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', 400],
  ['a header without a name', 'GET /FHIR/R4/Patient HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n', 400],
  ['headers without end', `GET /FHIR/R4/Patient HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST /FHIR/R4/Patient HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}', 400],
])('%s is answered in FHIR', async (_, text, status) => {
  const { hostname, port } = new URL(server.base);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text));
    let read = '';
    socket.on('data', (chunk) => (read += chunk.toString('utf8')));
    socket.on('close', () => {
      resolve(read);
    });
    socket.on('error', reject);
  });
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toContain(`HTTP/1.1 ${String(status)} `);
  expect((JSON.parse(body) as { resourceType: string }).resourceType).toBe('OperationOutcome');
});
