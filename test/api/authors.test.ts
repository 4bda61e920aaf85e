import { codeIn, ersOf } from '../helpers/ers.js';
import { patchBody, jsonPatch } from '../helpers/rest.js';
import { startServer, type Answer, type Role, type Running } from '../helpers/running-server.js';

// Who wrote a record that belongs to no referral sees it, whoever changes it afterwards.
let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

type Json = Readonly<Record<string, unknown>>;
const letter = (description: string): Json => ({
  resourceType: 'DocumentReference',
  status: 'current',
  description,
  content: [{ attachment: { contentType: 'text/plain', url: 'https://elsewhere.example/letter' } }],
});
const made = async (role: Role, resource: Json): Promise<string> => {
  const answer = await server.as(role, 'POST', String(resource['resourceType']), resource);
  expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
  return `${String(resource['resourceType'])}/${String(answer.json['id'])}`;
};
const idIn = (url: string): string => url.split('/')[1] ?? '';
const seenBy = async (url: string): Promise<readonly Role[]> => {
  const roles = ['gp', 'provider', 'patient', 'app', 'system'] as const;
  const seen = await Promise.all(roles.map(async (role) => ((await server.as(role, 'GET', url)).status === 200 ? [role] : [])));
  return seen.flat();
};
const change: readonly (readonly [string, (url: string, resource: Json) => Promise<Answer>])[] = [
  ['an update', (url, resource) => server.as('system', 'PUT', url, { ...resource, id: idIn(url) })],
  ['a patch', (url) => server.as('system', 'PATCH', url, patchBody({ op: 'replace', path: '/description', value: 'changed' }), jsonPatch)],
  [
    'a label',
    (url) =>
      server.as('system', 'POST', `${url}/$meta-add`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'https://example.org/tag', code: 'x' }] } }],
      }),
  ],
  [
    'a transaction',
    (url, resource) =>
      server.as('system', 'POST', '', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ resource: { ...resource, id: idIn(url) }, request: { method: 'PUT', url } }],
      }),
  ],
  [
    'a deletion and another write',
    async (url, resource) => {
      expect((await server.as('system', 'DELETE', url)).status).toBe(204);
      return server.as('system', 'PUT', url, { ...resource, id: idIn(url) });
    },
  ],
];

/** What a role is answered that changes the description, and nothing else. */
const describedBy = async (role: Role, url: string): Promise<number> => {
  const { json } = await server.as('system', 'GET', url);
  const { versionId } = json['meta'] as { readonly versionId: string };
  return (await server.as(role, 'PUT', url, { ...json, description: `of ${role}` }, { 'if-match': `W/"${versionId}"` })).status;
};

it.each(change)('a document of a practice is the practice’s to change after %s by a system client', async (_, act) => {
  const ers = ersOf(server);
  const referral = String((await ers.refer([(await ers.withSlots()).service]))['id']);
  const related = { context: { related: [{ reference: `ServiceRequest/${referral}` }] } };
  const url = await made('gp', { ...letter('mine'), ...related });
  for (const again of [1, 2]) {
    const { extension, type } = (await server.as('system', 'GET', url)).json;
    const kept = { ...letter(`changed ${String(again)}`), ...related, extension, type };
    expect((await act(url, kept)).status).toBeLessThan(300);
  }
  expect(await seenBy(url)).toEqual(['gp', 'provider', 'patient', 'app', 'system']);
  expect([await describedBy('provider', url), await describedBy('patient', url), await describedBy('gp', url)]).toEqual([403, 403, 200]);
});

describe('a letter to a referral', () => {
  const sides = ['gp', 'provider', 'patient'] as const;
  it.each(sides)('of the %s is read by all sides, and changed by nobody else', async (author) => {
    const ers = ersOf(server);
    const referral = String((await ers.refer([(await ers.withSlots()).service]))['id']);
    const related = { context: { related: [{ reference: `ServiceRequest/${referral}` }] } };
    const url = await made(author, { ...letter('mine'), ...related });
    const current = (await server.as('system', 'GET', url)).json;
    const version = { 'if-match': 'W/"1"' };
    for (const role of sides.filter((side) => side !== author)) {
      expect([role, (await server.as(role, 'GET', url)).status]).toEqual([role, 200]);
      const changed = await server.as(role, 'PUT', url, { ...current, description: 'not mine' }, version);
      expect([role, changed.status, codeIn(changed)]).toEqual([role, 403, 'NO_RELATIONSHIP']);
      // taken off the referral, nobody but who took it would read it
      const { context: _context, ...loose } = current;
      expect([role, (await server.as(role, 'PUT', url, loose, version)).status]).toEqual([role, 403]);
      const patch = patchBody({ op: 'replace', path: '/status', value: 'entered-in-error' });
      expect([role, (await server.as(role, 'PATCH', url, patch, { ...jsonPatch, ...version })).status]).toEqual([role, 403]);
      const entry = [{ resource: loose, request: { method: 'PUT', url, ifMatch: 'W/"1"' } }];
      const unit = await server.as(role, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      expect([role, unit.status]).toEqual([role, 403]);
    }
    const own = await server.as(author, 'PUT', url, { ...current, description: 'again' }, version);
    expect([own.status, own.text]).toEqual([200, own.text]);
    const again = await server.as(author, 'PUT', url, { ...current, description: 'once more' }, { 'if-match': 'W/"2"' });
    expect(again.status).toBe(200);
    expect((await server.as('gp', 'GET', url)).json['description']).toBe('once more');
  });

  it('that a system client wrote is no patient’s to change', async () => {
    const ers = ersOf(server);
    const referral = String((await ers.refer([(await ers.withSlots()).service]))['id']);
    const related = { context: { related: [{ reference: `ServiceRequest/${referral}` }] } };
    const url = await made('system', { ...letter('of the system'), ...related });
    const current = (await server.as('patient', 'GET', url)).json;
    const changed = await server.as('patient', 'PUT', url, { ...current, description: 'x' }, { 'if-match': 'W/"1"' });
    expect([changed.status, codeIn(changed)]).toEqual([403, 'NO_RELATIONSHIP']);
  });
});

it('what a patient wrote stays his', async () => {
  const answers = { resourceType: 'QuestionnaireResponse', status: 'completed', subject: { reference: 'Patient/9912003888' } };
  const self = await server.as('system', 'GET', 'Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9912003888');
  const [entry] = self.json['entry'] as readonly { readonly resource: { readonly id: string } }[];
  const subject = { reference: `Patient/${entry?.resource.id ?? ''}` };
  const url = await made('patient', { ...answers, subject });
  expect(await seenBy(url)).toEqual(['patient', 'system']);
  const put = { ...answers, subject, id: idIn(url), authored: '2026-03-01' };
  expect((await server.as('system', 'PUT', url, put)).status).toBe(200);
  expect(await seenBy(url)).toEqual(['patient', 'system']);
});

// a key of its own would outlive the writer's place in the referral: none is kept beside the referral's
it('a document that a system client takes off its referral is seen by nobody else until a referral opens it again', async () => {
  const mine = await server.as('gp', 'GET', 'ServiceRequest?_count=1');
  const [entry] = mine.json['entry'] as readonly { readonly resource: { readonly id: string } }[];
  const related = { context: { related: [{ reference: `ServiceRequest/${entry?.resource.id ?? ''}` }] } };
  const url = await made('gp', { ...letter('attached'), ...related });
  expect(await seenBy(url)).toContain('gp');
  expect((await server.as('system', 'PUT', url, { ...letter('taken off'), id: idIn(url) })).status).toBe(200);
  expect(await seenBy(url)).toEqual(['system']);
  expect((await server.as('system', 'PUT', url, { ...letter('attached'), ...related, id: idIn(url) })).status).toBe(200);
  expect(await seenBy(url)).toContain('gp');
});
