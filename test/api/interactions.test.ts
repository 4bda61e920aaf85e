import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import http from 'node:http';
import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 120_000);
afterAll(async () => {
  await server.stop();
});
jest.setTimeout(60_000);

const issue = (answer: Answer) =>
  (answer.json['issue'] as readonly { code: string; expression?: readonly string[]; details: { text: string } }[] | undefined)?.[0];
const made = async (resource: object): Promise<{ readonly url: string; readonly id: string; readonly json: Answer['json'] }> => {
  const answer = await server.as('system', 'POST', (resource as { resourceType: string }).resourceType, resource);
  expect(answer.status).toBe(201);
  const id = String(answer.json['id']);
  return { url: `${String(answer.json['resourceType'])}/${id}`, id, json: answer.json };
};
let counter = 0;
const own = () => ({ system: 'https://example.org/id', value: `v${String(Date.now())}-${String(counter++)}` });
const token = ({ system, value }: { system: string; value: string }) => `identifier=${system}|${value}`;
const patchBody = (...operations: readonly object[]) => JSON.stringify(operations);
const jsonPatch = { 'content-type': 'application/json-patch+json' };

describe('conditional interactions', () => {
  it('create only when nothing matches; of 12 at once one is made', async () => {
    const identifier = own();
    const create = () =>
      server.as(
        'system',
        'POST',
        'Organization',
        { resourceType: 'Organization', name: 'A', identifier: [identifier] },
        { 'if-none-exist': token(identifier) },
      );
    const answers = await Promise.all(Array.from({ length: 12 }, create));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(11).fill(200), 201]);
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(1);
    expect(answers.map(({ headers }) => headers.get('location'))).not.toContain(null);
    await made({ resourceType: 'Organization', name: 'B', identifier: [identifier] });
    const several = await create();
    expect([several.status, issue(several)?.code]).toEqual([412, 'multiple-matches']);
  });

  it('update: none creates, one is updated, a foreign id is refused', async () => {
    const identifier = own();
    const url = `Organization?${token(identifier)}`;
    const body = { resourceType: 'Organization', name: 'A', identifier: [identifier] };
    const first = await server.as('system', 'PUT', url, body);
    expect(first.status).toBe(201);
    const second = await server.as('system', 'PUT', url, { ...body, name: 'B' });
    expect([second.status, second.json['id'], second.headers.get('etag')]).toEqual([200, first.json['id'], 'W/"2"']);
    expect((await server.as('system', 'PUT', url, { ...body, id: 'another' })).status).toBe(400);
    expect((await server.as('system', 'PUT', url, { ...body, name: 'C' }, { 'if-match': 'W/"1"' })).status).toBe(412);
    const named = await server.as('system', 'PUT', `Organization?${token(own())}`, { ...body, id: `named-${identifier.value}` });
    expect([named.status, named.json['id']]).toEqual([201, `named-${identifier.value}`]);
  });

  it('patch and delete: the one match, 404 for none', async () => {
    const identifier = own();
    const url = `Organization?${token(identifier)}`;
    const patch = patchBody({ op: 'replace', path: '/name', value: 'Z' });
    expect((await server.as('system', 'PATCH', url, patch, jsonPatch)).status).toBe(404);
    expect((await server.as('system', 'DELETE', url)).status).toBe(404);
    const { id } = await made({ resourceType: 'Organization', name: 'A', identifier: [identifier] });
    expect((await server.as('system', 'PATCH', url, patch, jsonPatch)).json['name']).toBe('Z');
    expect((await server.as('system', 'DELETE', url)).status).toBe(204);
    expect((await server.as('system', 'GET', `Organization/${id}`)).status).toBe(410);
    expect((await server.as('system', 'DELETE', 'Organization')).status).toBe(405);
  });

  it('update as create only when it is new', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: 'A' });
    expect((await server.as('system', 'PUT', url, json, { 'if-none-match': '*' })).status).toBe(412);
  });
});

describe('reads', () => {
  it('answer 304 for the version or the time that the client has', async () => {
    const { url } = await made({ resourceType: 'Organization', name: 'A' });
    const read = await server.as('system', 'GET', url);
    const since = read.headers.get('last-modified') ?? '';
    expect((await server.as('system', 'GET', url, undefined, { 'if-modified-since': since })).status).toBe(304);
    expect((await server.as('system', 'GET', url, undefined, { 'if-none-match': '"7", W/"1"' })).status).toBe(304);
    expect((await server.as('system', 'GET', url, undefined, { 'if-none-match': 'W/"2"', 'if-modified-since': since })).status).toBe(200);
    const old = new Date(Date.parse(since) - 5000).toUTCString();
    expect((await server.as('system', 'GET', url, undefined, { 'if-modified-since': old })).status).toBe(200);
  });

  it('give the parts that are asked for, tagged SUBSETTED', async () => {
    const { url } = await made({
      resourceType: 'Patient',
      gender: 'male',
      birthDate: '1980-01-01',
      multipleBirthBoolean: true,
    });
    const summary = await server.as('system', 'GET', `${url}?_summary=true`);
    expect(summary.json['gender']).toBe('male');
    expect(summary.json['multipleBirthBoolean']).toBeUndefined();
    expect(summary.text).toContain('SUBSETTED');
    const elements = await server.as('system', 'GET', `${url}?_elements=birthDate`);
    expect([elements.json['birthDate'], elements.json['gender']]).toEqual(['1980-01-01', undefined]);
    expect((await server.as('system', 'GET', `${url}?_summary=most`)).status).toBe(400);
    expect((await server.as('system', 'GET', `${url}?colour=blue`)).status).toBe(400);
    expect((await server.as('system', 'GET', `${url}?colour=blue`, undefined, { prefer: 'handling=lenient' })).status).toBe(200);
  });

  it('HEAD wherever GET is, and trailing slashes', async () => {
    const { url } = await made({ resourceType: 'Organization', name: 'A' });
    for (const path of [
      url,
      `${url}/`,
      `${url}/_history`,
      `${url}/_history/1`,
      'Organization?_count=1',
      'metadata',
      'metadata/',
      '_history',
      '$versions',
    ]) {
      const head = await server.as('system', 'HEAD', path);
      expect([path, head.status, head.text]).toEqual([path, 200, '']);
    }
  });
});

describe('writes', () => {
  it('that change nothing keep the version, in whatever order the members come', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: 'A', alias: ['B'] });
    const { alias, name, ...rest } = json;
    const same = await server.as('system', 'PUT', url, { ...rest, alias, name });
    expect([same.status, same.headers.get('etag')]).toEqual([200, 'W/"1"']);
    expect(
      (await server.as('system', 'PATCH', url, patchBody({ op: 'replace', path: '/name', value: 'A' }), jsonPatch)).headers.get('etag'),
    ).toBe('W/"1"');
    expect((await server.as('system', 'PUT', url, { ...json, name: 'C' })).headers.get('etag')).toBe('W/"2"');
  });

  it('1.50 and 1.5 are two things', async () => {
    const body = (value: string) =>
      `{"resourceType":"Observation","id":"dec-${String(process.pid)}","status":"final","code":{"text":"w"},"valueQuantity":{"value":${value}}}`;
    const url = `Observation/dec-${String(process.pid)}`;
    await server.as('system', 'PUT', url, body('1.50'));
    const first = await server.as('system', 'PUT', url, body('1.50'));
    const second = await server.as('system', 'PUT', url, body('1.5'));
    expect([Number(second.headers.get('etag')?.match(/\d+/)?.[0])]).toEqual([Number(first.headers.get('etag')?.match(/\d+/)?.[0]) + 1]);
  });

  it('patch both ways, and say what a patch is', async () => {
    const { url } = await made({ resourceType: 'Patient', gender: 'male' });
    const patched = await server.as('system', 'PATCH', url, patchBody({ op: 'add', path: '/birthDate', value: '1980-01-01' }), {
      ...jsonPatch,
      'if-match': 'W/"1"',
    });
    expect([patched.status, patched.json['birthDate'], patched.headers.get('etag')]).toEqual([200, '1980-01-01', 'W/"2"']);
    expect(
      (await server.as('system', 'PATCH', url, patchBody({ op: 'remove', path: '/gender' }), { ...jsonPatch, 'if-match': 'W/"1"' })).status,
    ).toBe(412);
    const parameters = {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'operation',
          part: [
            { name: 'type', valueCode: 'delete' },
            { name: 'path', valueString: 'Patient.gender' },
          ],
        },
      ],
    };
    expect((await server.as('system', 'PATCH', url, parameters)).json['gender']).toBeUndefined();
    const bare = await server.as('system', 'PATCH', url, { resourceType: 'Patient' });
    expect([bare.status, issue(bare)?.details.text]).toEqual([400, expect.stringContaining('JSON Patch')]);
    expect((await server.as('system', 'PATCH', url, '{}', { 'content-type': 'application/merge-patch+json' })).status).toBe(415);
    const broken = await server.as('system', 'PATCH', url, patchBody({ op: 'add', path: '/colour', value: 'blue' }), jsonPatch);
    expect(broken.status).toBe(400);
    expect((await server.as('system', 'PATCH', url, patchBody({ op: 'replace', path: '/id', value: 'other' }), jsonPatch)).status).toBe(
      400,
    );
  });

  it('answer as Prefer asks, deletes too', async () => {
    const { url } = await made({ resourceType: 'Organization', name: 'A' });
    const removed = await server.as('system', 'DELETE', url, undefined, { prefer: 'return=OperationOutcome' });
    expect([removed.status, removed.json['resourceType']]).toEqual([200, 'OperationOutcome']);
  });

  it('keep references whole', async () => {
    const { url, id } = await made({ resourceType: 'Organization', name: 'A' });
    const location = (reference: string) => ({ resourceType: 'Location', managingOrganization: { reference } });
    const none = await server.as('system', 'POST', 'Location', location('Organization/none'));
    expect([none.status, issue(none)?.expression]).toEqual([422, ['Location.managingOrganization.reference']]);
    expect((await server.as('system', 'POST', 'Location', location('nonsense'))).status).toBe(422);
    expect((await server.as('system', 'POST', 'Location', location('https://elsewhere.example/fhir/Organization/1'))).status).toBe(201);
    expect((await server.as('system', 'POST', 'Location', location(`${url}/_history/1`))).status).toBe(201);
    expect((await server.as('system', 'POST', 'Location', location(`${url}/_history/2`))).status).toBe(409);
    const absolute = await server.as('system', 'POST', 'Location', location(`${server.base}/${url}`));
    expect((absolute.json['managingOrganization'] as { reference: string }).reference).toBe(`Organization/${id}`);
  });

  it('a Subscription stays requested: none looks active, however it comes', async () => {
    const body = (status: string) => ({
      resourceType: 'Subscription',
      status,
      reason: 'r',
      criteria: 'Patient?',
      channel: { type: 'rest-hook', endpoint: 'https://example.org/hook' },
    });
    const { url, json } = await made(body('active'));
    expect(json['status']).toBe('requested');
    const again = await server.as('system', 'PUT', url, { ...json, status: 'active' });
    expect([again.status, again.headers.get('etag')]).toEqual([200, 'W/"1"']);
    const activate = [{ op: 'replace', path: '/status', value: 'active' }];
    const patched = await server.as('system', 'PATCH', url, activate, { 'content-type': 'application/json-patch+json' });
    expect([patched.status, patched.json['status']]).toEqual([200, 'requested']);
    const kept = await Promise.all(['requested', 'off', 'error'].map(async (status) => (await made(body(status))).json['status']));
    expect(kept).toEqual(['requested', 'off', 'error']);
    expect((await server.as('system', 'POST', 'Subscription', body('paused'))).status).toBe(400);
    expect(resourcesOf((await server.as('system', 'GET', 'Subscription?status=active')).json)).toEqual([]);
  });
});

describe('history', () => {
  it('of an instance: pages, order, since and at', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: '1' });
    for (const name of ['2', '3', '4']) await server.as('system', 'PUT', url, { ...json, name });
    const names = (answer: Answer) => resourcesOf(answer.json).map((resource) => resource['name']);
    expect(names(await server.as('system', 'GET', `${url}/_history`))).toEqual(['4', '3', '2', '1']);
    expect(names(await server.as('system', 'GET', `${url}/_history?_sort=_lastUpdated`))).toEqual(['1', '2', '3', '4']);
    const first = await server.as('system', 'GET', `${url}/_history?_count=3`);
    const next =
      (first.json['link'] as readonly { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url ?? '';
    expect([...names(first), ...names(await server.as('system', 'GET', next))]).toEqual(['4', '3', '2', '1']);
    const at = new Date(Date.now() + 1000).toISOString();
    expect(names(await server.as('system', 'GET', `${url}/_history?_at=${at}`))).toEqual(['4']);
    expect(names(await server.as('system', 'GET', `${url}/_history?_since=${at}`))).toEqual([]);
    expect((await server.as('system', 'GET', `${url}/_history?_count=5000`)).status).toBe(422);
    expect((await server.as('system', 'GET', `${url}/_history?_since=soon`)).status).toBe(400);
    const [entry] = first.json['entry'] as readonly {
      request: { method: string; url: string };
      response: { status: string; etag: string };
    }[];
    expect([entry?.request, entry?.response.status, entry?.response.etag]).toEqual([{ method: 'PUT', url }, '200', 'W/"4"']);
  });

  it('of the system: for system clients, without AuditEvents', async () => {
    const { id } = await made({ resourceType: 'Organization', name: 'newest' });
    const all = await server.as('system', 'GET', '_history?_count=5');
    expect(all.status).toBe(200);
    expect(resourcesOf(all.json)[0]?.['id']).toBe(id);
    expect(resourcesOf((await server.as('system', 'GET', '_history?_count=500')).json, 'AuditEvent')).toEqual([]);
    expect((await server.as('gp', 'GET', '_history')).status).toBe(403);
  });
});

describe('transactions', () => {
  const post = (entry: readonly object[], headers = {}) =>
    server.as('system', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry }, headers);
  const entry = (method: string, url: string, resource?: object, more: object = {}, fullUrl?: string) => ({
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resource === undefined ? {} : { resource }),
    request: { method, url, ...more },
  });
  const organisation = (name: string, more: object = {}) => ({ resourceType: 'Organization', name, ...more });
  const statuses = (answer: Answer) =>
    (answer.json['entry'] as readonly { response: { status: string } }[]).map(({ response }) => response.status);

  it('resolve every form of reference, in a circle too', async () => {
    const identifier = own();
    const known = await made(organisation('known', { identifier: [identifier] }));
    const [a, b] = ['urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7', 'urn:oid:1.2.3.4'];
    const answer = await post([
      entry('POST', 'Organization', organisation('a', { partOf: { reference: b } }), {}, a),
      entry('POST', 'Organization', organisation('b', { partOf: { reference: a } }), {}, b),
      entry('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: `Organization?${token(identifier)}` } }),
      entry(
        'POST',
        'Location',
        { resourceType: 'Location', managingOrganization: { reference: 'Organization/x' } },
        {},
        'http://other.example/fhir/Location/y',
      ),
      entry(
        'POST',
        'Organization',
        organisation('x', { identifier: [{ system: 'urn:ietf:rfc:3986', value: a }] }),
        {},
        'http://other.example/fhir/Organization/x',
      ),
    ]);
    expect(statuses(answer)).toEqual(['201', '201', '201', '201', '201']);
    const [first, second, third, fourth, fifth] = resourcesOf(answer.json) as readonly {
      id: string;
      partOf: { reference: string };
      managingOrganization: { reference: string };
      identifier: readonly { value: string }[];
    }[];
    expect(first?.partOf.reference).toBe(`Organization/${second?.id ?? ''}`);
    expect(second?.partOf.reference).toBe(`Organization/${first?.id ?? ''}`);
    expect(third?.managingOrganization.reference).toBe(known.url);
    expect(fourth?.managingOrganization.reference).toBe(`Organization/${fifth?.id ?? ''}`);
    // a string that looks like a link is none
    expect(fifth?.identifier[0]?.value).toBe(a);
  });

  it('go by verb, and reads see the writes', async () => {
    const { url, json } = await made(organisation('old'));
    const answer = await post([
      entry('GET', url),
      entry('PUT', url, { ...json, name: 'new' }, { ifMatch: 'W/"1"' }),
      entry('DELETE', (await made(organisation('gone'))).url),
    ]);
    expect(statuses(answer)).toEqual(['200', '200', '204']);
    expect(resourcesOf(answer.json)[0]?.['name']).toBe('new');
  });

  it('patch by Binary and by Parameters', async () => {
    const { url } = await made(organisation('a'));
    const other = await made(organisation('b'));
    const data = Buffer.from(patchBody({ op: 'replace', path: '/name', value: 'A' })).toString('base64');
    const operation = [
      { name: 'type', valueCode: 'replace' },
      { name: 'path', valueString: 'Organization.name' },
      { name: 'value', valueString: 'B' },
    ];
    const answer = await post([
      entry('PATCH', url, { resourceType: 'Binary', contentType: 'application/json-patch+json', data }),
      entry('PATCH', other.url, { resourceType: 'Parameters', parameter: [{ name: 'operation', part: operation }] }),
    ]);
    expect(resourcesOf(answer.json).map((resource) => resource['name'])).toEqual(['A', 'B']);
  });

  it('undo all for a stale ifMatch', async () => {
    const { url, json } = await made(organisation('a'));
    const identifier = own();
    const refused = await post([
      entry('POST', 'Organization', organisation('b', { identifier: [identifier] })),
      entry('PUT', url, { ...json, name: 'c' }, { ifMatch: 'W/"9"' }),
    ]);
    expect([refused.status, issue(refused)?.expression?.[0]]).toEqual([412, 'Bundle.entry[1]']);
    expect((await server.as('system', 'GET', `Organization?${token(identifier)}`)).json['total']).toBe(0);
  });

  it('refuse what stands twice, references to nothing, and operations, and say which entry', async () => {
    const { url, json } = await made(organisation('a'));
    const twice = await post([entry('PUT', url, { ...json, name: 'x' }), entry('PUT', url, { ...json, name: 'y' })]);
    expect([twice.status, issue(twice)?.expression?.[0]]).toEqual([400, 'Bundle.entry[1]']);
    const nothing = await post([
      entry('POST', 'Organization', organisation('b')),
      entry('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: 'Organization/none' } }),
    ]);
    expect([nothing.status, issue(nothing)?.expression?.[0]]).toEqual([422, 'Bundle.entry[1].resource.managingOrganization.reference']);
    expect((await post([entry('POST', 'Patient/1/$everything')])).status).toBe(400);
    expect((await post([entry('FETCH', 'Patient')])).status).toBe(400);
    expect(
      (
        await post([
          entry('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: `Organization?${token(own())}` } }),
        ])
      ).status,
    ).toBe(422);
  });

  it('a read that cannot be made stops it, and one that fails afterwards fails alone', async () => {
    const create = entry('POST', 'Organization', organisation('a'));
    const count = async () => (await server.as('system', 'GET', 'Organization?_summary=count')).json['total'];
    const before = await count();
    for (const [url, status, at] of [
      ['Organization/none', 404, 'Bundle.entry[1]'],
      ['Unicorn/1', 404, 'Bundle.entry[1]'],
      ['Organization?shoe=44', 400, 'Bundle.entry[1].shoe'],
    ] as const) {
      const refused = await post([create, entry('GET', url)]);
      expect([refused.status, issue(refused)?.expression]).toEqual([status, [at]]);
    }
    expect(await count()).toBe(before);
    const { url } = await made(organisation('gone'));
    const answer = await post([create, entry('DELETE', url), entry('GET', url)]);
    expect([answer.status, statuses(answer)]).toEqual([200, ['201', '204', '410']]);
  });

  it('does not make two of one identity, by criteria that nothing matches yet', async () => {
    const identifier = own();
    const create = { ...entry('POST', 'Organization', { ...organisation('a'), identifier: [identifier] }) };
    const conditional = { ...create, request: { ...create.request, ifNoneExist: token(identifier) } };
    const refused = await post([conditional, conditional]);
    expect([refused.status, issue(refused)?.code]).toEqual([400, 'duplicate']);
    expect((await post([conditional])).status).toBe(200);
    expect(statuses(await post([conditional, conditional]))).toEqual(['200', '200']);
  });

  it('refuse what is no element of a Bundle, and what is not text', async () => {
    const create = entry('POST', 'Organization', organisation('a'));
    const sent = (bundle: object) => server.as('system', 'POST', '', { resourceType: 'Bundle', type: 'batch', ...bundle });
    for (const [bundle, code, at] of [
      [{ colour: 'red', entry: [create] }, 'structure', 'Bundle'],
      [{ entry: [{ ...create, colour: 'red' }] }, 'structure', 'Bundle.entry[0]'],
      [{ entry: [{ ...create, request: { ...create.request, ifmatch: 'W/"1"' } }] }, 'structure', 'Bundle.entry[0].request'],
      [{ entry: [{ ...create, request: { ...create.request, ifMatch: 1 } }] }, 'value', 'Bundle.entry[0].request.ifMatch'],
      [{ entry: [{ ...create, fullUrl: 1 }] }, 'value', 'Bundle.entry[0].fullUrl'],
    ] as const) {
      const answer = await sent(bundle);
      expect([answer.status, issue(answer)?.code, issue(answer)?.expression]).toEqual([400, code, [at]]);
    }
  });

  it('refuse a placeholder that is no entry', async () => {
    const lost = { resourceType: 'Location', managingOrganization: { reference: 'urn:uuid:4b1f3c5e-7a53-4d0f-8b8e-0d6c2f1f0a99' } };
    const refused = await post([entry('POST', 'Location', lost)]);
    expect([refused.status, issue(refused)?.expression]).toEqual([422, ['Bundle.entry[0].resource.managingOrganization.reference']]);
  });

  it('conditional creates: the match stands for the entry', async () => {
    const identifier = own();
    const known = await made(organisation('known', { identifier: [identifier] }));
    const answer = await post([
      entry(
        'POST',
        'Organization',
        organisation('again', { identifier: [identifier] }),
        { ifNoneExist: token(identifier) },
        'urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e',
      ),
      entry('POST', 'Location', {
        resourceType: 'Location',
        managingOrganization: { reference: 'urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e' },
      }),
    ]);
    expect(statuses(answer)).toEqual(['200', '201']);
    expect((resourcesOf(answer.json, 'Location')[0]?.['managingOrganization'] as { reference: string }).reference).toBe(known.url);
  });

  it('hold what binds a single request: another organisation’s diary, two entries or one', async () => {
    const slots = resourcesOf((await server.as('system', 'GET', 'Slot?status=free&_count=50&_include=Slot:schedule')).json, 'Slot');
    const free = slots.slice(0, 2).map(({ id: _id, meta: _meta, ...slot }) => slot);
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: free.map((slot) => entry('POST', 'Slot', slot)) };
    const single = await server.as('gp', 'POST', 'Slot', free[0]);
    const both = await server.as('gp', 'POST', '', bundle);
    expect([single.status, both.status]).toEqual([403, 403]);
  });

  it('answer as Prefer asks', async () => {
    const minimal = await post([entry('POST', 'Organization', organisation('a'))], { prefer: 'return=minimal' });
    expect(resourcesOf(minimal.json)).toEqual([]);
    const outcome = await post([entry('POST', 'Organization', organisation('a'))], { prefer: 'return=OperationOutcome' });
    expect(outcome.text).toContain('"outcome":{"resourceType":"OperationOutcome"');
  });
});

describe('formats', () => {
  it('XML in and out, on every answer', async () => {
    const xml = '<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Ünïcode"/></name></Patient>';
    const answer = await server.as('system', 'POST', 'Patient', xml, {
      'content-type': 'application/fhir+xml',
      accept: 'application/fhir+xml',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/fhir+xml; charset=utf-8']);
    expect(answer.text).toContain('<family value="Ünïcode"/>');
    const id = /<id value="([^"]+)"/.exec(answer.text)?.[1] ?? '';
    expect((await server.as('system', 'GET', `Patient/${id}?_format=xml`)).text).toContain('<active value="true"/>');
    expect((await server.as('system', 'GET', `Patient/${id}`)).json['active']).toBe(true);
    expect((await server.as('system', 'GET', 'Patient/none?_format=xml')).text).toContain('<OperationOutcome');
    expect((await server.as('system', 'GET', 'Patient?_count=1&_format=application/fhir%2Bxml')).text).toContain('<Bundle');
    expect((await server.as('system', 'GET', `Patient/${id}?_pretty=true`)).text).toContain('\n  "active": true');
    const evil =
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><language value="&e;"/></Patient>';
    expect((await server.as('system', 'POST', 'Patient', evil, { 'content-type': 'application/fhir+xml' })).status).toBe(400);
  });

  it.each([
    ['application/json', 200],
    ['application/fhir+json; fhirVersion=4.0', 200],
    ['application/fhir+json; fhirVersion=5.0', 406],
    ['application/fhir+json; version=1.2.0', 200],
    ['application/fhir+json; version=9.0', 406],
    ['text/html', 406],
    ['text/html, */*;q=0.1', 200],
    ['application/fhir+json;q=0', 406],
  ])('Accept: %s is %i', async (accept, status) => {
    expect((await server.as('system', 'GET', 'Organization?_count=1', undefined, { accept })).status).toBe(status);
  });

  it.each(['gzip', 'br'])('compress with %s', async (encoding) => {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      http
        .get(`${server.base}/metadata`, { headers: { 'accept-encoding': encoding } }, (response) => {
          expect(response.headers['content-encoding']).toBe(encoding);
          const chunks: Buffer[] = [];
          response
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => {
              resolve(Buffer.concat(chunks));
            });
        })
        .on('error', reject);
    });
    const text = (encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes)).toString('utf8');
    expect((JSON.parse(text) as { resourceType: string }).resourceType).toBe('CapabilityStatement');
  });

  it('answer a preflight', async () => {
    const response = await fetch(`${server.base}/Patient`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,if-match,prefer',
      },
    });
    expect(response.ok).toBe(true);
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(response.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('if-match');
  });
});

describe('operations', () => {
  it('$everything: the compartment, page by page', async () => {
    const patient = await made({ resourceType: 'Patient' });
    const condition = await made({ resourceType: 'Condition', subject: { reference: patient.url } });
    const observation = (status: string) => ({
      resourceType: 'Observation',
      status,
      code: { text: 'x' },
      subject: { reference: patient.url },
      performer: [{ reference: patient.url }],
    });
    await made(observation('final'));
    await made(observation('amended'));
    await made({ resourceType: 'Condition', subject: { reference: (await made({ resourceType: 'Patient' })).url } });
    const whole = await server.as('system', 'GET', `${patient.url}/$everything`);
    expect(
      resourcesOf(whole.json)
        .map(({ resourceType }) => resourceType)
        .sort(),
    ).toEqual(['Condition', 'Observation', 'Observation', 'Patient']);
    const seen: unknown[] = [];
    let url = `${patient.url}/$everything?_count=2`;
    for (let pages = 0; url !== '' && pages < 10; pages++) {
      const page = await server.as('system', 'GET', url);
      expect(page.status).toBe(200);
      seen.push(...resourcesOf(page.json).map(({ id }) => id));
      url = (page.json['link'] as readonly { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url ?? '';
    }
    expect(seen).toHaveLength(4);
    const one = await server.as('system', 'GET', `${patient.url}/$everything?_type=Condition`);
    expect(resourcesOf(one.json).map(({ id }) => id)).toEqual([condition.id]);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(resourcesOf((await server.as('system', 'GET', `${patient.url}/$everything?_since=${later}`)).json)).toEqual([]);
    expect((await server.as('system', 'GET', 'Patient/none/$everything')).status).toBe(404);
  });

  it('$meta, $meta-add and $meta-delete', async () => {
    const { url } = await made({ resourceType: 'Organization', name: 'A' });
    const tag = { system: 'https://example.org/tags', code: 't' };
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [tag] } }] };
    const added = await server.as('system', 'POST', `${url}/$meta-add`, parameters);
    expect([added.status, added.text]).toEqual([200, expect.stringContaining('"code":"t"')]);
    expect((await server.as('system', 'GET', `${url}/$meta`)).text).toContain('"code":"t"');
    expect((await server.as('system', 'POST', `${url}/$meta-delete`, parameters)).text).not.toContain('"code":"t"');
    expect((await server.as('gp', 'POST', `${url}/$meta-add`, parameters)).status).toBe(403);
    expect((await server.as('system', 'GET', `${url}/$meta-add`)).status).toBe(405);
  });

  it('$versions, and no other', async () => {
    expect((await server.as('system', 'GET', '$versions')).text).toContain('"valueCode":"4.0"');
    expect((await server.as('system', 'GET', 'CapabilityStatement/$versions')).status).toBe(200);
    const none = await server.as('system', 'POST', 'Patient/$fly', { resourceType: 'Parameters' });
    expect([none.status, issue(none)?.code]).toEqual([404, 'not-supported']);
  });
});
