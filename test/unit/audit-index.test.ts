import { indexAudit } from '../../src/audit/audit-index.js';
import { auditLine } from '../../src/audit/audit-line.js';
import type { AuditLink, Entry, Store, Unit } from '../../src/store/port.js';

const line = (id: string): string =>
  auditLine({ doing: 'read', action: 'R', outcome: '0', what: [] }, { id, recorded: '2026-11-01T10:00:00.000Z', caller: undefined });

/** A chain of links of so many lines each, which are named by their place; `puts` are the ids of each commit. */
const chained = (sizes: readonly number[]) => {
  const links: readonly AuditLink[] = sizes.map((size, index) => ({
    chain: 'c',
    number: index + 1,
    hash: '',
    body: Array.from({ length: size }, (_, at) => line(`${String(index + 1)}-${String(at)}`)).join('\n'),
  }));
  const puts: (readonly string[])[] = [];
  let position: Entry | undefined;
  const store = {
    auditChains: () => Promise.resolve([{ chain: 'c', number: links.length, hash: '' }]),
    auditLinks: (_chain: string, after: number, limit: number) => Promise.resolve(links.slice(after, after + limit)),
    findEntry: () => Promise.resolve(position),
    commit: (unit: Unit) => {
      puts.push((unit.puts ?? []).map(({ id }) => id));
      const [entry] = unit.entries ?? [];
      expect(entry?.version).toBe(position?.version ?? 0);
      position = { kind: 'audit-position', key: 'c', version: (position?.version ?? 0) + 1, body: entry?.body ?? '' };
      return Promise.resolve();
    },
  } as unknown as Store;
  const all = links.flatMap(({ body }) => body.split('\n').map((text) => (JSON.parse(text) as { id: string }).id));
  return { store, puts, all };
};

it.each([[[1]], [[200]], [[201]], [[450, 1, 3, 199, 1000]], [Array<number>(50).fill(7)]])(
  'lines of links of %j become readable once each, in their order, at most 50 to a commit',
  async (sizes) => {
    const { store, puts, all } = chained(sizes);
    await indexAudit({ store, values: () => Promise.resolve([]) }, Number.MAX_SAFE_INTEGER);
    expect(puts.flat()).toEqual(all);
    expect(Math.max(...puts.map(({ length }) => length))).toBeLessThanOrEqual(50);
  },
);

it('it goes on in the middle of a link where its limit ended it', async () => {
  const { store, puts, all } = chained([450, 30]);
  for (const parts = { store, values: () => Promise.resolve([]) }; puts.flat().length < all.length;) {
    const before = puts.flat().length;
    await indexAudit(parts, 150);
    expect(puts.flat().length - before).toBeLessThanOrEqual(200);
  }
  expect(puts.flat()).toEqual(all);
});

it('in a quiet moment commits are small, and a rest follows each', async () => {
  const { store, puts, all } = chained([50]);
  const rests: number[] = [];
  const rest = (took: number) => {
    rests.push(took);
    return Promise.resolve();
  };
  await indexAudit({ store, values: () => Promise.resolve([]), rest }, Number.MAX_SAFE_INTEGER);
  expect(puts.flat()).toEqual(all);
  expect(puts.map(({ length }) => length)).toEqual([20, 20, 10]);
  expect(rests).toHaveLength(3);
  for (const took of rests) expect(took).toBeGreaterThan(0);
});

it('a process that is to end finishes what it is at, and leaves the rest to others', async () => {
  const { store, puts } = chained([450]);
  const values = () => Promise.resolve([]);
  await indexAudit({ store, values, isEnding: () => puts.length > 0 }, Number.MAX_SAFE_INTEGER);
  expect(puts).toHaveLength(1);
});
