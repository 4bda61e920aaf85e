// Writes two-row units, with as many writers at once as the last argument says, and prints the id of each acknowledged one; the test kills it.
import { openSqliteStore } from '../../dist/store/sqlite/sqlite-store.js';

const store = await openSqliteStore({ path: process.argv[2], integrity: true });
const run = process.argv[3];
const put = (type, id) => ({
  type,
  id,
  version: 0,
  lastUpdated: Date.now(),
  body: `{"resourceType":"${type}","id":"${id}"}`,
  values: [{ kind: 'token', param: 'identifier', system: 's', code: id }],
  accessKeys: [],
  accessLinks: [],
});
let made = 0;
const writer = async () => {
  for (;;) {
    const id = `${run}-${++made}`;
    await store.commit({ puts: [put('Patient', id), put('Task', id)], claims: [{ kind: 'identifier', key: id, owner: id }] });
    process.stdout.write(`${id}\n`);
  }
};
process.stdout.write('ready\n');
await Promise.all(Array.from({ length: Number(process.argv[4]) }, writer));
