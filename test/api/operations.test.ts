/** Operations of FHIR’s own. */
import { issue, maker, own } from '../helpers/rest.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);
const made = maker(() => server);

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

  it('$meta tells what is in use on a type, and on the system', async () => {
    const label = own();
    const profile = `https://example.org/StructureDefinition/${label.value}`;
    const tag = { system: label.system, code: label.value, display: 'As It Was Written' };
    await made({ resourceType: 'Basic', code: { text: 'a' }, meta: { tag: [tag], security: [{ ...tag, code: 'S' }], profile: [profile] } });
    for (const url of ['Basic/$meta', '$meta']) {
      const answer = await server.as('system', 'GET', url);
      expect(answer.status).toBe(200);
      const [{ valueMeta }] = answer.json['parameter'] as [{ valueMeta: { tag: unknown; security: unknown; profile: unknown } }];
      expect(valueMeta.tag).toContainEqual(tag);
      expect(valueMeta.security).toContainEqual({ ...tag, code: 'S' });
      expect(valueMeta.profile).toContain(profile);
      expect(valueMeta).not.toHaveProperty('versionId');
    }
    expect((await server.as('system', 'GET', 'Location/$meta')).text).not.toContain(label.value);
    expect((await server.as('patient', 'GET', 'Patient/$meta')).status).toBe(403);
  });

  it('$validate with mode=delete says what stands in the way', async () => {
    const parent = await made({ resourceType: 'Organization', name: 'A' });
    const check = (): Promise<Answer> => server.as('system', 'POST', `${parent.url}/$validate?mode=delete`);
    expect(issue(await check())?.code).toBe('informational');
    const child = await made({ resourceType: 'Organization', name: 'B', partOf: { reference: parent.url } });
    const refused = await check();
    expect([refused.status, issue(refused)?.code]).toEqual([200, 'conflict']);
    expect(issue(refused)?.details.text).toContain(child.url);
    await server.as('system', 'DELETE', child.url);
    expect(issue(await check())?.code).toBe('informational');
  });
});
