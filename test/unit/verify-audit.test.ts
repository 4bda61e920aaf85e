import { auditLine } from '../../src/audit/audit-line.js';
import { Sealer } from '../../src/audit/seal.js';
import { verifyAudit } from '../../src/audit/verify-audit.js';
import { openKeyring } from '../../src/auth/keyring.js';
import { AuditChain } from '../../src/store/audit-chain.js';
import type { AuditLink, Store, Stored, Unit } from '../../src/store/port.js';
import { memoryEntries } from '../helpers/memory-entries.js';

/** Two writers over one list of links, as two processes over one database. */
const world = async () => {
  const links: AuditLink[] = [];
  const rows = new Map<string, Stored>();
  const store = {
    ...memoryEntries(),
    auditChains: () => Promise.resolve([...new Map(links.map((link) => [link.chain, link])).values()]),
    auditLinks: (chain: string, after: number, limit: number) =>
      Promise.resolve(links.filter((link) => link.chain === chain && link.number > after).slice(0, limit)),
    findMany: (keys: readonly { id: string }[]) => Promise.resolve(keys.flatMap(({ id }) => rows.get(id) ?? [])),
  } as unknown as Store;
  const keys = await openKeyring({ store: memoryEntries(), clock: Date.now, rotationMs: 86_400_000 });
  const writer = (name: string) => {
    const chain = new AuditChain(name);
    const commit = ({ audit = [] }: Unit) => Promise.resolve(void links.push(chain.append(audit)));
    const [auditChains, auditLinks] = [store.auditChains.bind(store), store.auditLinks.bind(store)];
    return { commit, sealer: new Sealer({ auditChains, auditLinks, commit }, keys, Date.now) };
  };
  return { links, rows, store, keys, writers: [writer('a'), writer('b')] as const };
};
const line = (id: string): string =>
  auditLine({ doing: 'read', action: 'R', outcome: '0', what: [`Patient/${id}`] }, { id, recorded: '2026-03-01T09:00:00.000Z' });

const filled = async () => {
  const made = await world();
  const [a, b] = made.writers;
  await a.commit({ audit: [line('1'), line('2')] });
  await b.commit({ audit: [line('3')] });
  await a.sealer.seal();
  await b.commit({ audit: [line('4')] });
  await b.sealer.seal();
  return made;
};
const faults = async ({ store, keys }: Awaited<ReturnType<typeof world>>) => (await verifyAudit(store, keys)).faults.join('; ');

test('a whole trail has no faults', async () => {
  const { store, keys } = await filled();
  expect(await verifyAudit(store, keys)).toEqual({ chains: 2, links: 5, events: 4, seals: 2, faults: [] });
});
test('a changed, a missing and a moved link show', async () => {
  const changed = await filled();
  changed.links[0] = { ...(changed.links[0] as AuditLink), body: line('9') };
  expect(await faults(changed)).toContain('link 1 was changed');
  const missing = await filled();
  missing.links.splice(0, 1);
  expect(await faults(missing)).toContain('link 1 is missing');
});
test('a chain that was cut, rewritten from there on, or dropped whole shows in the seals of the others', async () => {
  const cut = await filled();
  cut.links.splice(3);
  expect(await faults(cut)).toBe('');
  const dropped = await filled();
  dropped.links.splice(0, dropped.links.length, ...dropped.links.filter(({ chain }) => chain === 'b'));
  expect(await faults(dropped)).toContain('chain a, which is not there');
  const rewritten = await filled();
  const forged = new AuditChain('a');
  const later = rewritten.links.filter(({ chain }) => chain === 'b');
  rewritten.links.splice(0, rewritten.links.length, forged.append([line('8')]), ...later);
  expect(await faults(rewritten)).toContain('differs');
});
test('a seal that was kept elsewhere shows a cut that took its own line too', async () => {
  const made = await world();
  const [a] = made.writers;
  await a.commit({ audit: [line('1')] });
  await a.commit({ audit: [line('2')] });
  const kept = String(await a.sealer.seal());
  expect(await a.sealer.seal()).toBeUndefined();
  made.links.splice(1);
  expect((await verifyAudit(made.store, made.keys)).faults).toEqual([]);
  expect((await verifyAudit(made.store, made.keys, [kept])).faults.join()).toContain('kept seal 1: the seal saw link 2 of chain a');
  expect((await verifyAudit(made.store, made.keys, ['x.y.z'])).faults.join()).toContain('not signed by this server');
});
test('the seal of the next start fixes what a killed process wrote after its last one', async () => {
  const made = await world();
  const [a, b] = made.writers;
  await a.commit({ audit: [line('1')] });
  await a.commit({ audit: [line('2')] });
  await b.sealer.seal();
  made.links.splice(1, 1);
  expect(await faults(made)).toContain('the seal saw link 2 of chain a');
});
test('two idle processes do not seal each other for ever, and what happens next is sealed again', async () => {
  const made = await world();
  const [a, b] = made.writers;
  await a.commit({ audit: [line('1')] });
  const seals: number[] = [];
  for (let minute = 0; minute < 5; minute++)
    seals.push([await a.sealer.seal(), await b.sealer.seal()].filter((jws) => jws !== undefined).length);
  expect(seals).toEqual([2, 0, 0, 0, 0]);
  await b.commit({ audit: [line('2')] });
  expect(await a.sealer.seal()).toBeDefined();
  expect(await faults(made)).toBe('');
});
test('a seal of another key shows, and so does an AuditEvent that is not what its chain says', async () => {
  const made = await filled();
  const other = await openKeyring({ store: memoryEntries(), clock: Date.now, rotationMs: 86_400_000 });
  expect((await verifyAudit(made.store, other)).faults.join()).toContain('not signed by this server');
  made.rows.set('1', { type: 'AuditEvent', id: '1', version: 1, lastUpdated: 0, body: line('7') });
  expect(await faults(made)).toContain('AuditEvent/1 is not what its chain says');
});
