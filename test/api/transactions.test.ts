/** Transactions (R4 http.html#transaction). */
import { issue, maker, own, patchBody, token } from '../helpers/rest.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);
const made = maker(() => server);

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
    expect([refused.status, issue(refused)?.expression?.[0]]).toEqual([412, 'Bundle.entry[1].request.ifMatch']);
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

  it.each(['transaction', 'batch'])('refuse a %s that is no sound Bundle', async (type) => {
    const entry = { request: { method: 'GET', url: 'Organization?_count=1' } };
    const post = (bundle: object) => server.as('system', 'POST', '', { resourceType: 'Bundle', type, entry: [entry], ...bundle });
    expect((await post({})).status).toBe(200);
    const wrong: readonly (readonly [string, object])[] = [
      ['Bundle', { total: 5 }],
      ['Bundle.timestamp', { timestamp: 'yesterday' }],
      ['Bundle.link[0].relation', { link: [{ relation: 5, url: 'https://example.org/' }] }],
      ['Bundle.entry[0].search', { entry: [{ ...entry, search: { mode: 'match' } }] }],
      ['Bundle.entry[0].response', { entry: [{ ...entry, response: { status: '200' } }] }],
      ['Bundle.entry[0].request.ifModifiedSince', { entry: [{ request: { ...entry.request, ifModifiedSince: 'xx' } }] }],
    ];
    for (const [expression, bundle] of wrong) {
      const answer = await post(bundle);
      expect([answer.status, issue(answer)?.expression]).toEqual([400, [expression]]);
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

  describe('conditional references are about what is there once all entries are carried out', () => {
    const location = (criteria: string) => ({ resourceType: 'Location', managingOrganization: { reference: `Organization?${criteria}` } });
    const named = (name: string, identifier: object) => organisation(name, { identifier: [identifier] });
    const managing = (answer: Answer): string | undefined =>
      (resourcesOf(answer.json, 'Location')[0] as { managingOrganization?: { reference: string } } | undefined)?.managingOrganization
        ?.reference;

    it('what another entry makes, changes or makes by the same criteria is found', async () => {
      const [created, changed] = [own(), own()];
      const one = await post([entry('POST', 'Location', location(token(created))), entry('POST', 'Organization', named('a', created))]);
      expect([one.status, managing(one)]).toEqual([200, `Organization/${String(resourcesOf(one.json, 'Organization')[0]?.['id'])}`]);
      const { url, json } = await made(organisation('b'));
      const two = await post([entry('POST', 'Location', location(token(changed))), entry('PUT', url, { ...json, identifier: [changed] })]);
      expect([two.status, managing(two)]).toEqual([200, url]);
      const name = `Made by its name ${own().value}`;
      const byName = [
        entry('POST', 'Location', location(`name:exact=${name}`)),
        entry('PUT', `Organization?name:exact=${name}`, organisation(name)),
      ];
      const three = await post(byName);
      expect([statuses(three), managing(three)]).toEqual([
        ['201', '201'],
        `Organization/${String(resourcesOf(three.json, 'Organization')[0]?.['id'])}`,
      ]);
      const again = await post(byName);
      expect([statuses(again), managing(again)]).toEqual([['201', '200'], managing(three)]);
    });

    it('what another entry deletes, or takes the identifier from, is not found; a second match is one too many', async () => {
      const identifier = own();
      const { url, json } = await made(named('a', identifier));
      const reference = entry('POST', 'Location', location(token(identifier)));
      const gone = await post([reference, entry('DELETE', url)]);
      expect([gone.status, issue(gone)]).toMatchObject([422, { code: 'not-found', expression: ['Bundle.entry[0]'] }]);
      const without = await post([reference, entry('PUT', url, { ...json, identifier: [own()] })]);
      expect([without.status, issue(without)?.code]).toEqual([422, 'not-found']);
      const twice = await post([reference, entry('POST', 'Organization', named('b', identifier))]);
      expect([twice.status, issue(twice)?.code]).toEqual([412, 'multiple-matches']);
      const kept = await post([reference, entry('PUT', url, { ...json, name: 'c' })]);
      expect([kept.status, managing(kept)]).toEqual([200, url]);
    });

    it('what only an index can tell is refused where an entry may be meant, and asked of the store where none is', async () => {
      const identifier = own();
      const { url } = await made(named('Only by name', identifier));
      const both = `${token(identifier)}&name=only`;
      const other = await post([entry('POST', 'Location', location(both)), entry('POST', 'Organization', named('Only', own()))]);
      expect([other.status, managing(other)]).toEqual([200, url]);
      const meant = await post([entry('POST', 'Location', location('name=only')), entry('POST', 'Organization', named('Only', own()))]);
      expect([meant.status, issue(meant)?.code]).toEqual([400, 'not-supported']);
      const broken = await post([
        entry('POST', 'Location', location(token(identifier))),
        entry('POST', 'Organization', organisation('x', { identifier: 'none' })),
      ]);
      expect([broken.status, issue(broken)?.expression]).toEqual([400, ['Bundle.entry[1].resource.identifier']]);
    });

    it('a conditional create does not answer with what the transaction deletes', async () => {
      const identifier = own();
      const { url } = await made(named('a', identifier));
      const refused = await post([
        entry('DELETE', url),
        entry('POST', 'Organization', named('b', identifier), { ifNoneExist: token(identifier) }),
      ]);
      expect([refused.status, issue(refused)?.code]).toEqual([400, 'duplicate']);
    });
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
