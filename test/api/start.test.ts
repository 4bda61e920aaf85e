import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startServer } from '../helpers/running-server.js';

const folder = mkdtempSync(path.join(tmpdir(), 'start-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['the first start', { DATA_DIR: folder, DEMO: 'true' }],
  ['a later one', { DATA_DIR: folder }],
  ['a start on a store that others filled', {}],
])('%s has read the services before it is ready: the first search for one waits for none', async (_, settings) => {
  const server = await startServer(settings);
  try {
    const { directory, store } = await server.house();
    const reads = jest.spyOn(store, 'search');
    const { total } = await directory.search({ requestType: 'APPOINTMENT_REQUEST', ageAndGenderAppropriate: false }, {}, 'IWT');
    expect(total).toBeGreaterThan(10);
    expect(reads).not.toHaveBeenCalled();
  } finally {
    await server.stop();
  }
});
