/** Histories (R4 http.html#history). */
import { maker } from '../helpers/rest.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);
const made = maker(() => server);

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

  it('_at takes a time, and with a prefix what lies before or after it', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: '1' });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
    await pause();
    const between = new Date().toISOString();
    await pause();
    await server.as('system', 'PUT', url, { ...json, name: '2' });
    const names = async (at: string): Promise<readonly unknown[]> =>
      resourcesOf((await server.as('system', 'GET', `${url}/_history?_at=${at}`)).json).map((resource) => resource['name']);
    const found = await Promise.all(
      ['', 'eq', 'gt', 'sa', 'ge', 'lt', 'eb', 'le'].map(async (prefix) => [prefix, await names(`${prefix}${between}`)]),
    );
    expect(Object.fromEntries(found)).toEqual({
      ...{ '': ['1'], eq: ['1'], gt: ['2', '1'], sa: ['2', '1'], ge: ['2', '1'], lt: ['1'], eb: ['1'], le: ['1'] },
    });
    // at the time that a version states it is the current one, however long its commit took
    const stated = async (version: number): Promise<string> =>
      ((await server.as('system', 'GET', `${url}/_history/${String(version)}`)).json['meta'] as { lastUpdated: string }).lastUpdated;
    expect(await names(await stated(1))).toEqual(['1']);
    expect(await names(await stated(2))).toEqual(['2']);
    expect(await names('eb2001')).toEqual([]);
    expect(await names('ap2100')).toEqual(['2']);
    expect((await server.as('system', 'GET', `${url}/_history?_at=ne${between}`)).status).toBe(400);
    expect((await server.as('system', 'GET', `${url}/_history?_at=gtsoon`)).status).toBe(400);
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

describe('parts of a history', () => {
  type Entry = {
    readonly resource?: { readonly id: string; readonly name?: string; readonly meta: object };
    readonly request: { readonly method: string };
  };
  const entries = (answer: Answer): readonly Entry[] => (answer.json['entry'] ?? []) as readonly Entry[];

  it('_summary and _elements, of what was not deleted', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: 'A', contact: [{ name: { text: 'B' } }] });
    await server.as('system', 'PUT', url, { ...json, name: 'C' });
    await server.as('system', 'DELETE', url);
    for (const part of ['_summary=true', '_elements=name']) {
      const [deleted, ...versions] = entries(await server.as('system', 'GET', `${url}/_history?${part}`));
      expect([deleted?.request.method, deleted?.resource]).toEqual(['DELETE', undefined]);
      expect(versions.map(({ resource }) => resource?.name)).toEqual(['C', 'A']);
      for (const { resource } of versions) {
        expect(JSON.stringify(resource)).toContain('SUBSETTED');
        expect(resource).not.toHaveProperty('contact');
      }
    }
    expect((await server.as('system', 'GET', `${url}/_history?_summary=most`)).status).toBe(400);
  });

  it('the total alone, and with the first page of an instance', async () => {
    const { url, json } = await made({ resourceType: 'Organization', name: 'A' });
    for (const name of ['B', 'C']) await server.as('system', 'PUT', url, { ...json, name });
    for (const part of ['_count=0', '_summary=count']) {
      const answer = await server.as('system', 'GET', `${url}/_history?${part}`);
      expect([answer.json['total'], answer.json['entry']]).toEqual([3, undefined]);
    }
    const page = await server.as('system', 'GET', `${url}/_history?_count=2`);
    expect([page.json['total'], entries(page).length]).toEqual([3, 2]);
    expect((await server.as('system', 'GET', 'Organization/_history?_count=0&_since=2199-01-01')).json['total']).toBe(0);
  });

  it('_list: of the resources that a List has as items', async () => {
    const a = await made({ resourceType: 'Organization', name: 'A' });
    const b = await made({ resourceType: 'Location', name: 'B' });
    await made({ resourceType: 'Organization', name: 'other' });
    const entry = [{ item: { reference: a.url } }, { item: { reference: b.url } }];
    const list = await made({ resourceType: 'List', status: 'current', mode: 'working', entry });
    const shown = async (url: string): Promise<readonly (string | undefined)[]> =>
      entries(await server.as('system', 'GET', `${url}?_list=${list.id}`)).map(({ resource }) => resource?.id);
    expect(await shown('Organization/_history')).toEqual([a.id]);
    expect(await shown('_history')).toEqual([b.id, a.id]);
    expect(await shown(`${a.url}/_history`)).toEqual([a.id]);
    expect(await shown('Patient/_history')).toEqual([]);
    expect((await server.as('system', 'GET', 'Organization/_history?_list=none')).status).toBe(400);
  });
});
