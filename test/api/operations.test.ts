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

  describe('$everything in pages', () => {
    type Bundle = { readonly link: readonly { readonly relation: string; readonly url: string }[] };
    const nextOf = (json: unknown) => (json as Bundle).link.find(({ relation }) => relation === 'next')?.url;
    const pagesFrom = async (first: Answer): Promise<readonly (readonly string[])[]> => {
      const pages: (readonly string[])[] = [];
      for (let page = first; ;) {
        expect(page.status).toBe(200);
        pages.push(resourcesOf(page.json).map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`));
        const next = nextOf(page.json);
        if (next === undefined) return pages;
        page = await server.as('system', 'GET', next);
      }
    };
    let services = 0;
    /** A patient with a practice, and two appointments at one service that a third resource names by identifier. */
    const record = async () => {
      const practice = await made({ resourceType: 'Organization', name: 'Practice' });
      const identifier = { system: 'https://fhir.nhs.uk/Id/ers-service', value: String(9_000_000 + services++) };
      const service = await made({ resourceType: 'HealthcareService', name: 'Clinic', identifier: [identifier] });
      const patient = await made({ resourceType: 'Patient', generalPractitioner: [{ reference: practice.url }] });
      const actors = [patient.url, service.url].map((reference) => ({ actor: { reference }, status: 'accepted' }));
      const appointment = { resourceType: 'Appointment', status: 'proposed', participant: actors };
      const first = await made(appointment);
      const second = await made(appointment);
      const order = {
        status: 'draft',
        intent: 'order',
        category: [{ text: 'x' }],
        code: { text: 'x' },
        subject: { reference: patient.url },
      };
      const request = await made({ resourceType: 'ServiceRequest', ...order, performer: [{ identifier }] });
      return { practice, service, patient, first, second, request };
    };

    it.each([1, 2, 3, 4])('a walk by %s shows everything once, and no page holds more', async (count) => {
      const { patient, ...rest } = await record();
      const pages = await pagesFrom(await server.as('system', 'GET', `${patient.url}/$everything?_count=${String(count)}`));
      expect(pages[0]?.[0]).toBe(patient.url);
      expect(pages.flat().sort()).toEqual([patient, ...Object.values(rest)].map(({ url }) => url).sort());
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(count);
    });

    it('_type names what the record refers to as well', async () => {
      const { patient, service, practice } = await record();
      const pages = await pagesFrom(await server.as('system', 'GET', `${patient.url}/$everything?_type=HealthcareService,Organization`));
      expect(pages.flat()).toEqual([service.url, practice.url]);
    });

    it('what came in a body holds for the next pages', async () => {
      const { patient, first, second } = await record();
      const parameter = [
        { name: '_count', valueInteger: 1 },
        { name: '_type', valueCode: 'Appointment' },
      ];
      const pages = await pagesFrom(
        await server.as('system', 'POST', `${patient.url}/$everything`, { resourceType: 'Parameters', parameter }),
      );
      expect(pages.flat().sort()).toEqual([first.url, second.url].sort());
      expect(pages[0]).toHaveLength(1);
    });

    it('_since shows what a changed resource refers to, and nothing that stayed as it was', async () => {
      const { patient, service, first } = await record();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const since = new Date().toISOString();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { json } = await server.as('system', 'GET', first.url);
      expect((await server.as('system', 'PUT', first.url, { ...json, description: 'changed' })).status).toBe(200);
      const pages = await pagesFrom(await server.as('system', 'GET', `${patient.url}/$everything?_since=${since}`));
      expect(pages.flat()).toEqual([first.url, service.url]);
    });

    it('a cursor of something else is refused', async () => {
      const { patient } = await record();
      const cursorIn = (json: unknown) => new URL(nextOf(json) ?? '').searchParams.get('_cursor') ?? '';
      const own = cursorIn((await server.as('system', 'GET', `${patient.url}/$everything?_count=1`)).json);
      const others = [
        cursorIn((await server.as('system', 'GET', 'Organization?_count=1')).json),
        cursorIn((await server.as('system', 'GET', 'Organization/_history?_count=1')).json),
      ];
      const other = await record();
      for (const url of [
        ...others.map((cursor) => `${patient.url}/$everything?_cursor=${cursor}`),
        `${patient.url}/$everything?_type=Appointment&_cursor=${own}`,
        `${other.patient.url}/$everything?_cursor=${own}`,
        `Organization?_cursor=${own}`,
        `Organization/_history?_cursor=${own}`,
        `Patient/_history?_cursor=${others[1] ?? ''}`,
      ]) {
        const answer = await server.as('system', 'GET', url);
        expect([answer.status, issue(answer)]).toEqual([400, expect.objectContaining({ code: 'value', expression: ['_cursor'] })]);
      }
    });
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
