/**
 * What an older release indexed otherwise is found as soon as it is indexed anew, which a start sees to by itself; and what such a release
 * still writes beside a newer one is, too.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { House } from '../../src/interactions/house.js';
import { outdated } from '../../src/search-index/outdated.js';
import { tendOutdated } from '../../src/search-index/upkeep.js';
import type { Put, Value } from '../../src/store/port.js';
import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';

jest.setTimeout(300_000);

const token = (param: string, code: string, system = ''): Value => ({ kind: 'token', param, system, code });
const row = (
  resource: { readonly resourceType: string; readonly id: string },
  values: readonly Value[],
  keys: readonly string[] = [],
): Put => ({
  ...{ type: resource.resourceType, id: resource.id, version: 0, lastUpdated: Date.now(), accessKeys: keys, accessLinks: [] },
  body: JSON.stringify({ ...resource, meta: { versionId: '1', lastUpdated: new Date().toISOString() } }),
  values,
});

const restricted = {
  ...{ resourceType: 'Patient', id: 'old-hidden', address: [{ city: 'Oldhiddentown' }] },
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] },
};
const hidden = { type: 'Patient', id: 'old-patient' };
/** Rows as a release wrote them that knew less: no system of a telecom, no contained rows, whereabouts of restricted records, other columns. */
const oldRows: readonly Put[] = [
  row({ resourceType: 'Patient', id: 'old-patient', ...{ telecom: [{ system: 'phone', value: '0999123' }] } }, [
    token('telecom', '0999123'),
    token('gone', 'long ago'),
  ]),
  {
    ...row(restricted, [{ kind: 'text', param: 'address-city', value: 'oldhiddentown' }]),
    body: JSON.stringify({ ...restricted, meta: { ...restricted.meta, versionId: '1', lastUpdated: new Date().toISOString() } }),
  },
  row(
    {
      ...{ resourceType: 'Condition', id: 'old-condition', subject: { reference: 'Patient/old-patient' }, asserter: { reference: '#p' } },
      ...{ contained: [{ resourceType: 'Practitioner', id: 'p', name: [{ family: 'Oldinner' }] }] },
    },
    [{ kind: 'reference', param: 'subject', target: hidden }],
    ['organisation:A'],
  ),
  row(
    {
      ...{ resourceType: 'Slot', id: 'old-slot', schedule: { reference: 'Schedule/11001' }, status: 'busy-unavailable' },
      ...{ start: '2031-03-01T09:00:00Z', end: '2031-03-01T09:30:00Z' },
    },
    [token('status', 'free'), { kind: 'range', param: 'start', low: 1, high: 2 }],
  ),
];

const stateOf = async (house: House): Promise<Record<string, Record<string, string>>> => {
  const entry = await house.store.findEntry('search-index', 'types');
  return JSON.parse(entry?.body ?? '{}') as Record<string, Record<string, string>>;
};
const putState = async (house: House, change: (state: Record<string, Record<string, string>>) => object): Promise<void> => {
  const entry = await house.store.findEntry('search-index', 'types');
  const body = JSON.stringify(change(JSON.parse(entry?.body ?? '{}') as Record<string, Record<string, string>>));
  await house.store.commit({ entries: [{ kind: 'search-index', key: 'types', version: entry?.version ?? 0, body }] });
};
const others = (types: Record<string, string> = {}) => Object.fromEntries(Object.keys(types).map((type) => [type, 'older']));

const idsOf = async (server: Running, url: string): Promise<readonly string[]> =>
  resourcesOf((await server.as('system', 'GET', url)).json)
    .map(({ id }) => String(id))
    .sort();
const typesDue = async (server: Running): Promise<number> =>
  Number(/^search_index_types_due (\d+)$/m.exec((await server.as('nobody', 'GET', `${server.baseUrl}/metrics`)).text)?.[1]);
const upToDate = async (server: Running): Promise<void> => {
  for (let tries = 0; (await typesDue(server)) > 0; tries++) {
    if (tries === 1500) throw new Error('the index was never brought up to date');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

describe('a store that an older release filled', () => {
  let server: Running;
  let again: Running;
  let meanwhile: Answer['json'];
  beforeAll(async () => {
    server = await startServer();
    expect(await typesDue(server)).toBe(0);
    const house = await server.house();
    await house.store.commit({ puts: oldRows });
    await putState(house, ({ wanted, indexed }) => ({ wanted: others(wanted), indexed: others(indexed), moved: [] }));
    again = await startServer({ DATA_DIR: server.dataDir });
    expect(await typesDue(again)).toBeGreaterThan(30);
    meanwhile = (await again.as('system', 'GET', 'Patient?telecom=phone|0999123&_has:Condition:subject:code=x')).json;
    await upToDate(again);
  });
  afterAll(async () => {
    await again.stop();
    await server.stop();
  });

  it('says beside the matches that some may be missing until all is indexed anew', async () => {
    const outcome = (bundle: Answer['json']) => resourcesOf(bundle, 'OperationOutcome')[0];
    const text = 'Condition, Patient: what is stored is being indexed anew. Until that is done a search may miss some of it.';
    expect(outcome(meanwhile)).toEqual({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'incomplete', details: { text } }],
    });
    expect((meanwhile['entry'] as readonly { search: object }[]).map(({ search }) => search)).toEqual([{ mode: 'outcome' }]);
    expect(outcome((await again.as('system', 'GET', 'Patient?telecom=phone|0999123')).json)).toBeUndefined();
  });
  it('is searched by what the release of now knows: values that were not there are found', async () => {
    expect(await idsOf(again, 'Patient?telecom=phone|0999123')).toEqual(['old-patient']);
    expect(await idsOf(again, 'Condition?asserter.family=Oldinner')).toEqual(['old-condition']);
    expect(await idsOf(again, 'Practitioner?family=Oldinner&_contained=true')).toEqual(['old-condition']);
  });
  it('and what was there wrongly is found no more', async () => {
    expect(await idsOf(again, 'Patient?address-city=Oldhiddentown')).toEqual([]);
    expect(await idsOf(again, 'Slot?_id=old-slot&status=free')).toEqual([]);
  });
  it('also where values stand in columns', async () => {
    expect(await idsOf(again, 'Slot?status=busy-unavailable&schedule=Schedule/11001&start=2031-03-01')).toEqual(['old-slot']);
  });
  it('its resources stay as they were', async () => {
    const { json } = await again.as('system', 'GET', 'Condition/old-condition');
    expect((json['meta'] as { versionId: string }).versionId).toBe('1');
    expect(await (await again.house()).store.keysOf({ type: 'Condition', id: 'old-condition' })).toEqual(['organisation:A']);
  });
  it('a contained resource is seen by who sees the one around it', async () => {
    const id = createHash('sha256').update('Condition/old-condition#p').digest('base64url');
    expect(await (await again.house()).store.keysOf({ type: '#Practitioner', id })).toEqual(['organisation:A']);
  });
  it('the next start finds nothing to do', async () => {
    const { wanted, indexed } = await stateOf(await again.house());
    expect(indexed).toEqual(wanted);
  });
  it('audit events and demo records are found as before', async () => {
    expect((await idsOf(again, 'Patient?identifier=9912003888')).length).toBe(1);
    expect((await again.as('system', 'GET', 'AuditEvent?action=R&_count=1')).json['entry']).toBeDefined();
  });
});

describe('a search parameter that a package brings to a filled store', () => {
  const packages = mkdtempSync(path.join(tmpdir(), 'packages-'));
  const url = 'http://example.org/eye-colour';
  const green = { resourceType: 'Patient', extension: [{ url, valueCode: 'green' }] };
  let server: Running;
  let again: Running;
  let before = '';
  beforeAll(async () => {
    const definition = {
      ...{ resourceType: 'SearchParameter', id: 'eyes', url: 'http://example.org/SearchParameter/eyes', name: 'eyes', status: 'active' },
      ...{ description: 'Eyes.', code: 'eyes', base: ['Patient'], type: 'token', expression: `Patient.extension('${url}').value` },
    };
    writeFileSync(path.join(packages, 'package.json'), JSON.stringify({ name: 'eyes', version: '1.0.0' }));
    writeFileSync(path.join(packages, 'SearchParameter-eyes.json'), JSON.stringify(definition));
    server = await startServer();
    before = String((await server.as('system', 'POST', 'Patient', green)).json['id']);
    again = await startServer({ DATA_DIR: server.dataDir, PROFILE_PACKAGES: packages });
  });
  afterAll(async () => {
    await again.stop();
    await server.stop();
    rmSync(packages, { recursive: true, force: true });
  });

  it('is of that type alone: the others are not indexed anew', async () => {
    expect(await typesDue(again)).toBeLessThanOrEqual(1);
    await upToDate(again);
  });
  it('finds what was stored before', async () => {
    expect((await server.as('system', 'GET', 'Patient?eyes=green')).status).toBe(400);
    expect(await idsOf(again, 'Patient?eyes=green')).toEqual([before]);
  });
  it('finds what a server without the package goes on to write, as soon as one with it looks', async () => {
    const made = String((await server.as('system', 'POST', 'Patient', green)).json['id']);
    expect(await idsOf(again, 'Patient?eyes=green')).toEqual([before]);
    await tendOutdated(await again.house());
    expect(await idsOf(again, 'Patient?eyes=green')).toEqual([before, made].sort());
    const { rows } = await (await again.house()).store.search({ type: 'Patient', where: [outdated], sort: [], count: 5 }, 'all');
    expect(rows).toEqual([]);
  });
});
