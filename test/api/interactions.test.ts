/** Reads, writes and conditional interactions (R4 http.html). */
import { issue, jsonPatch, maker, own, patchBody, token } from '../helpers/rest.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);
const made = maker(() => server);

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
