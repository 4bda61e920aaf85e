import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadPostcodes } from '../../src/demo/postcodes.js';
import { findPostcode, readPostcode } from '../../src/domain/directory/postcodes.js';
import { packed, unpacked } from '../../src/loading/packed.js';
import { filesOf, placeText, readSources } from '../../src/loading/sources.js';
import type { BulkItem, Entry, Store, Unit, Value } from '../../src/store/port.js';

const folder = mkdtempSync(path.join(tmpdir(), 'loading-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const file = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
const all = async <T>(source: AsyncIterable<T>): Promise<readonly T[]> => {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
};

describe('files to load', () => {
  const uuid = '9b1f3c5e-7a53-4d0f-8b8e-0d6c2f1f0a11';
  it('a Bundle gives its entries, and references between them point at what is loaded', async () => {
    const entry = [
      { fullUrl: `urn:uuid:${uuid}`, resource: { resourceType: 'Patient' } },
      { resource: { resourceType: 'Condition', id: 'c', subject: { reference: `urn:uuid:${uuid}` } } },
      { resource: { id: 'none' } },
    ];
    const found = await all(readSources([file('a.json', JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry }))]));
    expect(found[0]).toMatchObject({ resource: { resourceType: 'Patient', id: uuid } });
    expect(found[1]).toMatchObject({ resource: { subject: { reference: `Patient/${uuid}` } } });
    expect(found[2]).toMatchObject({ reason: expect.stringContaining('no resourceType') as string });
    expect(found.map(({ place }) => placeText(place).slice(-7))).toEqual(['entry 1', 'entry 2', 'entry 3']);
  });
  it('NDJSON is read by line, and a bad line is named', async () => {
    const found = await all(readSources([file('b.ndjson', '{"resourceType":"Patient"}\n\n{"resourceType":\n')]));
    expect(found.map(({ place }) => place.line)).toEqual([1, 3]);
    expect(found[1]).toHaveProperty('reason');
  });
  it('a folder gives its files in order, a name that is not there an error', async () => {
    file('z.txt', 'no resource');
    expect((await filesOf(folder)).map((name) => path.basename(name))).toEqual(['a.json', 'b.ndjson']);
    await expect(filesOf(path.join(folder, 'none'))).rejects.toThrow('there is no file');
  });
});

describe('postcodes', () => {
  const entries = new Map<string, Entry>();
  const findEntry = (_kind: Entry['kind'], key: string) => Promise.resolve(entries.get(key));
  const commit = (unit: Unit) => {
    for (const entry of unit.entries ?? [])
      if (entry.body !== undefined) entries.set(entry.key, { ...entry, body: entry.body, version: entry.version + 1 });
    return Promise.resolve();
  };
  const store = { findEntry, commit } as unknown as Store;

  it('are read in any form, and nothing else is', () => {
    expect(readPostcode('ls1 3ex')).toEqual({ outward: 'LS1', inward: '3EX' });
    expect(readPostcode('SW1A')).toEqual({ outward: 'SW1A', inward: undefined });
    for (const text of ['', '12345', 'LS1 3E', 'LS']) expect(readPostcode(text)).toBeUndefined();
  });
  it('come from a directory with the columns of the year, in quotes and with padded forms', async () => {
    const header = '"pcd7","pcd8","pcds","dointr","doterm","oscty","oseast1m","osnrth1m","osgrdind","lat","long"';
    const row = '"LS1 3EX","LS1  3EX","LS1 3EX","198001","","E99999999","0429900","0433500","1",53.7962,-1.5479';
    expect(await loadPostcodes(store, file('onspd.csv', `\uFEFF${header}\r\n${row}\r\n`))).toEqual({ written: 1, ended: 0, unplaced: 0 });
    expect(await findPostcode(store, 'LS1 3EX')).toEqual({ lat: 53.7962, lon: -1.5479 });
  });
  it('come from the ONS Postcode Directory, without those that ended or have no position', async () => {
    const rows = ['pcd,pcds,doterm,lat,long', 'LS1 3EX,LS1 3EX,,53.8,-1.5', 'LS1 4AA,LS1 4AA,,53.6,-1.7', 'LS1 5AA,LS1 5AA,199901,50,0'];
    const report = await loadPostcodes(store, file('ons.csv', [...rows, 'JE2 3AA,JE2 3AA,,99.999999,0'].join('\n')));
    expect(report).toEqual({ written: 2, ended: 1, unplaced: 1 });
    expect(await findPostcode(store, 'ls13ex')).toEqual({ lat: 53.8, lon: -1.5 });
    expect(await findPostcode(store, 'LS1 5AA')).toEqual({ lat: 53.7, lon: -1.6 });
    expect(await findPostcode(store, 'JE2 3AA')).toBeUndefined();
  });
  it('another file is refused by the column that it lacks', async () => {
    await expect(loadPostcodes(store, file('other.csv', 'pcds,lat\nLS1 3EX,53.8\n'))).rejects.toThrow('no column long');
  });
});

it('items that pass between threads as texts are the same when they come out', () => {
  const values: readonly Value[] = [
    { kind: 'token', param: 'status', system: '', code: 'active' },
    { kind: 'reference', param: 'subject', target: { type: 'Patient', id: 'p' } },
    { kind: 'range', param: 'authored', low: -8.64e15, high: Number.MAX_VALUE },
    { kind: 'text', param: 'name', value: 'a\u001fA' },
    { kind: 'position', param: 'near', latitude: 53.8, longitude: -1.5 },
    { kind: 'word', param: '_content', word: 'clinic' },
  ];
  const put = { type: 'ServiceRequest', id: 'r', version: 0, lastUpdated: 1, body: '{"a":"\\"}', values, accessKeys: ['organisation:A'] };
  const links = [{ child: { type: 'Patient', id: 'p' }, root: { type: 'ServiceRequest', id: 'r' } }];
  const items: readonly BulkItem[] = [
    {
      put: { ...put, accessLinks: links },
      claims: [{ kind: 'slot', key: 's', owner: 'o' }],
      places: [{ list: 'l', owner: 'o', authored: 3, item: '{}' }],
    },
    { put: { ...put, accessLinks: [] }, claims: [] },
  ];
  expect(unpacked(packed(items))).toEqual(items);
});
