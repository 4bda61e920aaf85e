import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../src/config.js';
import { createHouse } from '../../src/create-house.js';
import { isDemoLoaded, loadDemo } from '../../src/demo/load.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/port.js';

jest.setTimeout(60_000);
const folder = mkdtempSync(path.join(tmpdir(), 'demo-load-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('the first start writes the demo in few units, none of which is refused, and the next one writes nothing until a later day', async () => {
  const config = readConfig({ DATABASE_URL: `sqlite:${path.join(folder, 'x.db')}`, DATA_DIR: folder });
  const opened = await openStore(config);
  const units: { resources: number; refused?: unknown }[] = [];
  const commit: Store['commit'] = async (unit) => {
    const told = { resources: unit.puts?.length ?? 0 };
    units.push(told);
    // slow enough for what does not wait for it
    await new Promise((resolve) => setTimeout(resolve, 20));
    await opened.commit(unit).catch((refused: unknown) => {
      Object.assign(told, { refused });
      throw refused;
    });
  };
  const store = Object.assign(Object.create(opened) as Store, { commit });
  const house = await createHouse(config, store, { url: 'http://127.0.0.1' }, () => undefined);
  const written = await loadDemo(house);
  expect(units.flatMap(({ refused }) => refused ?? [])).toEqual([]);
  expect(units.reduce((sum, { resources }) => sum + resources, 0)).toBe(written);
  expect(units.length).toBeLessThan(10);
  units.length = 0;
  expect(await isDemoLoaded(house)).toBe(true);
  expect(await loadDemo(house)).toBe(0);
  expect(units).toEqual([]);
  // eight weeks of diaries, topped up by a ninth
  const later = { ...house, clock: () => Date.now() + 7 * 86_400_000 };
  expect(await isDemoLoaded(later)).toBe(false);
  const added = await loadDemo(later);
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(written / 4);
  expect(await loadDemo(later)).toBe(0);
  await store.close();
});
