/** The last links of the chains, of which a process over SQL Server asks each second: it must see all, and read little. */
import { AuditHeads } from '../../src/store/mssql/audit-heads.js';
import type { Inputs } from '../../src/store/mssql/database.js';

type Link = { readonly entry: number; readonly chain: string; readonly number: number };

const table = () => {
  const links: Link[] = [];
  const clock = { now: 0 };
  const read: number[] = [];
  const heads = new AuditHeads(
    {
      read: (_text: string, inputs?: Inputs) => {
        const after = Number(inputs?.['after']);
        const rows = links.filter(({ entry }) => entry > after).sort((a, b) => a.entry - b.entry);
        read.push(rows.length);
        const last = new Map(rows.map((row) => [row.chain, { ...row, hash: `h${String(row.number)}` }]));
        return Promise.resolve([...last.values()]);
      },
    },
    () => clock.now,
  );
  const asked = async (): Promise<string> => (await heads.read()).map(({ chain, number }) => `${chain}${String(number)}`).join(' ');
  return { links, clock, read, asked };
};

it('the head of every chain is known, also of those that ended long ago', async () => {
  const { links, clock, asked } = table();
  links.push({ entry: 1, chain: 'a', number: 1 }, { entry: 2, chain: 'b', number: 1 }, { entry: 3, chain: 'a', number: 2 });
  expect(await asked()).toBe('a2 b1');
  clock.now = 500_000;
  links.push({ entry: 100_000, chain: 'c', number: 1 });
  expect(await asked()).toBe('a2 b1 c1');
});

it('a link that is committed after others that were numbered later is seen', async () => {
  const { links, clock, asked } = table();
  links.push({ entry: 70_000, chain: 'a', number: 1 });
  expect(await asked()).toBe('a1');
  // numbered before that one
  links.push({ entry: 69_999, chain: 'b', number: 1 });
  clock.now = 30_000;
  expect(await asked()).toBe('a1 b1');
  links.push({ entry: 70_002, chain: 'a', number: 2 });
  expect(await asked()).toBe('a2 b1');
  links.push({ entry: 70_001, chain: 'b', number: 2 });
  clock.now = 60_001;
  expect(await asked()).toBe('a2 b2');
});

it('what was read long enough ago is not read again', async () => {
  const { links, clock, read, asked } = table();
  for (let entry = 1; entry <= 60_000; entry++) links.push({ entry, chain: `c${String(entry % 3)}`, number: entry });
  await asked();
  await asked();
  clock.now = 61_000;
  await asked();
  links.push({ entry: 60_001, chain: 'c0', number: 60_001 });
  clock.now = 122_001;
  expect(await asked()).toContain('c060001');
  expect(read).toEqual([60_000, 50_000, 0, 1]);
});
