import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Connection } from '../../src/store/sqlite/connection.js';
import { TurnConnection } from '../../src/store/sqlite/turn-connection.js';

const folder = mkdtempSync(path.join(tmpdir(), 'turn-'));
const file = path.join(folder, 'a.db');
const writer = new Connection(file);
writer.db.exec('create table t (n integer)');
const reading = new TurnConnection(file);
afterAll(() => {
  reading.close();
  writer.close();
  rmSync(folder, { recursive: true });
});
const count = (): unknown => reading.get('select count(*) as n from t')?.['n'];
const write = (): number => writer.run('insert into t (n) values (1)');
beforeEach(async () => {
  writer.run('delete from t');
  await setImmediate();
});

test('the reads of one turn see one state, those of the next one what was committed meanwhile', async () => {
  expect(count()).toBe(0);
  write();
  await Promise.resolve();
  expect([count(), reading.all('select n from t').length, reading.tuple('select count(*) from t')]).toEqual([0, 0, [0]]);
  await setImmediate();
  expect([count(), reading.all('select n from t').length, reading.tuple('select count(*) from t')]).toEqual([1, 1, [1]]);
});
test('what is read after the turn was ended sees what was committed, in the same turn', () => {
  expect(count()).toBe(0);
  write();
  reading.endTurn();
  expect(count()).toBe(1);
});
test('a first read sees what was committed in its own turn before it', () => {
  write();
  expect(count()).toBe(1);
});
test('a statement that fails ends nothing and keeps nothing open', async () => {
  expect(() => reading.get('select nothing from t')).toThrow('nothing');
  expect(count()).toBe(0);
  write();
  await setImmediate();
  expect(count()).toBe(1);
  reading.endTurn();
  expect(reading.db.isTransaction).toBe(false);
});
test('between turns no transaction is open', async () => {
  count();
  expect(reading.db.isTransaction).toBe(true);
  await setImmediate();
  expect(reading.db.isTransaction).toBe(false);
});
