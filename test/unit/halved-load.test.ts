import type { Load } from '../../src/store/mssql/database.js';
import { loadOrHalve } from '../../src/store/mssql/halved-load.js';

const load: Load = { table: 'live', columns: [{ name: 'rid', type: 'bigint' }], rows: [[1], [2], [3]] };
const failing = (error: Error | undefined, times = 1) => {
  const sent: (readonly (readonly unknown[])[])[] = [];
  const database = {
    load: (loads: readonly Load[]) => {
      sent.push(loads.map(({ rows }) => rows.map(([rid]) => rid)));
      return sent.length <= times && error !== undefined ? Promise.reject(error) : Promise.resolve();
    },
  };
  return { sent, done: loadOrHalve(database, [load], 'update', {}) };
};

it('rows in bulk are sent once', async () => {
  const { sent, done } = failing(undefined);
  await done;
  expect(sent).toEqual([[[1, 2, 3]]]);
});

it('what a server refused for the length of the stream is sent again as the same rows in shorter ones', async () => {
  const { sent, done } = failing(new Error('the stream'));
  await done;
  expect(sent).toEqual([[[1, 2, 3]], [[1, 2], [3]]]);
});

it('those are shortened again until the server takes them, or nothing more is to be shortened', async () => {
  const { sent, done } = failing(new Error('the stream'), 2);
  await done;
  expect(sent).toEqual([[[1, 2, 3]], [[1, 2], [3]], [[1], [2], [3]]]);
  const never = failing(new Error('the stream'), 100);
  await expect(never.done).rejects.toThrow('the stream');
  expect(never.sent).toHaveLength(6);
});

it('a row that is there already is not sent again', async () => {
  const { sent, done } = failing(Object.assign(new Error('duplicate'), { number: 2627 }));
  await expect(done).rejects.toThrow('duplicate');
  expect(sent).toHaveLength(1);
});
