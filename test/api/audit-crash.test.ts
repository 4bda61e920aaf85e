import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { fetchToken } from '../../src/auth/client-token.js';
import { AuditChain } from '../../src/store/audit-chain.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';
import { spawnServer, type Spawned } from '../helpers/spawned-server.js';

// What a crash leaves of the audit, and what somebody with the database in his hands can change of it unseen: nothing.
jest.setTimeout(120_000);
const server = suiteServer();
/** Reads are written together within a tenth of a second, of which a commit has the half; where commits are slower, they wait for one and take another. */
const lossMs = (writes: readonly Acknowledged[]): number => Math.max(100, 2 * Math.max(...writes.map(({ took }) => took)));
/** what must have been answered before a kill tells anything */
const enough = { reads: 20, writes: 5 };

type Line = { readonly correlationId?: string; readonly action: string; readonly what?: readonly string[] };
const lines = async (): Promise<readonly Line[]> => {
  const { store } = await server.house();
  const all: Line[] = [];
  for (const { chain } of await store.auditChains())
    for (let after = 0; ;) {
      const links = await store.auditLinks(chain, after, 500);
      if (links.length === 0) break;
      after = links.at(-1)?.number ?? after;
      all.push(...links.flatMap(({ body }) => body.split('\n').map((line) => JSON.parse(line) as Line)));
    }
  return all;
};

/** What a database was told before the kill it may still do after it: resolves when no more lines come. */
const settled = async (): Promise<void> => {
  for (let before = -1, now = (await lines()).length; now !== before; now = (await lines()).length) {
    before = now;
    await setTimeout(500);
  }
};

type Report = { readonly code: number; readonly faults: string };
const verify = (folder: string): Promise<Report> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', ...server.environment, DATA_DIR: folder };
    execFile(process.execPath, ['dist/cli/main.js', 'audit', 'verify', '--json'], { env }, (error, out) => {
      const { faults } = JSON.parse(out) as { faults: readonly string[] };
      resolve({ code: error === null ? 0 : Number(error.code), faults: faults.join('\n') });
    });
  });

type Acknowledged = { readonly correlation: string; readonly at: number; readonly took: number; readonly id?: string };

/** Reads and writes from several clients at once until the server is killed in the middle of them, so many ms after enough of them. */
const untilKilled = async (victim: Spawned, ms: number) => {
  const keyFile = `${server.dataDir}/clients/demo-system.jwk.json`;
  const token = await fetchToken({ clientId: 'demo-system', keyFile, tokenUrl: `${victim.baseUrl}/oauth2/token` });
  const reads: Acknowledged[] = [];
  const writes: Acknowledged[] = [];
  const text = randomUUID();
  const one = async (write: boolean): Promise<void> => {
    const correlation = randomUUID();
    const headers = { authorization: `Bearer ${token}`, 'x-correlation-id': correlation, 'content-type': 'application/fhir+json' };
    const body = JSON.stringify({ resourceType: 'Basic', code: { text } });
    const asked = performance.now();
    const response = await fetch(
      `${victim.baseUrl}/FHIR/R4/${write ? 'Basic' : 'HealthcareService/11001'}`,
      write ? { method: 'POST', headers, body } : { headers },
    );
    const answer = (await response.json()) as { readonly id: string };
    if (response.status >= 300) throw new Error(String(response.status));
    (write ? writes : reads).push({ correlation, at: performance.now(), took: performance.now() - asked, id: answer.id });
  };
  const client = async (write: boolean): Promise<void> => {
    try {
      for (;;) await one(write);
    } catch {
      // killed
    }
  };
  const clients = [true, true, true, false, false, false, false].map(client);
  // a slow machine, or a server's first statements, take a while until there is something to lose
  for (let tries = 0; tries < 3000 && (reads.length < enough.reads || writes.length < enough.writes); tries++) await setTimeout(10);
  await setTimeout(ms);
  const killed = performance.now();
  await victim.stop('SIGKILL');
  await Promise.all(clients);
  return { reads, writes, killed, text };
};

it.each([300, 700, 1100])(
  'kill -9 %d ms into reads and writes: no read older than a tenth of a second, or a slow commit, is lost, no write, and none is told of that is not there',
  async (ms) => {
    // beside those that serve: one process, which is quickly there
    const victim = await spawnServer({ ...server.environment, WORKERS: '1' });
    const { reads, writes, killed, text } = await untilKilled(victim, ms);
    expect([reads.length >= enough.reads, writes.length >= enough.writes]).toEqual([true, true]);
    await settled();
    const { store } = await server.house();
    const rows = await store.search({ type: 'Basic', where: [], sort: [], count: 100_000 }, 'all');
    const told = await lines();
    const correlations = new Set(told.map(({ correlationId }) => correlationId));
    const lost = reads.filter(({ correlation, at }) => at < killed - lossMs(writes) && !correlations.has(correlation));
    expect(lost).toEqual([]);
    expect(writes.filter(({ correlation }) => !correlations.has(correlation))).toEqual([]);
    // also those that nobody was told of: the row and its line are one transaction
    const written = rows.rows.filter(({ body }) => body?.includes(text)).map(({ id }) => `Basic/${id}`);
    const named = told.filter(({ action }) => action === 'C').flatMap(({ what = [] }) => what.filter((one) => written.includes(one)));
    expect([...named].sort()).toEqual([...written].sort());
    expect(written.length).toBeGreaterThanOrEqual(writes.length);
  },
);

/** A server's folder as it is now, with its database alone made anew: the files of a database in use are not to be copied. */
const copyOf = (dataDir: string): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'referrals-'));
  cpSync(dataDir, folder, { recursive: true, filter: (from) => !path.basename(from).startsWith('referrals.db') });
  const database = new DatabaseSync(`${dataDir}/referrals.db`);
  database.prepare('vacuum into ?').run(`${folder}/referrals.db`);
  database.close();
  return folder;
};

const embedded = process.env['MSSQL_URL'] === undefined;
(embedded ? describe : describe.skip)('audit verify', () => {
  type Link = { readonly chain: string; readonly number: number; readonly hash: string; readonly body: string };
  let database: DatabaseSyncInstance;
  /** a chain of a killed process, which the next start has sealed */
  let chain: readonly Link[];
  /** a copy of what the server has: a running server would sign, once a minute, whatever it finds */
  let folder: string;
  let auditEvent: string;
  beforeAll(async () => {
    await (await spawnServer({ ...server.environment, WORKERS: '1' })).stop();
    const { json } = await server.as('system', 'GET', 'AuditEvent?_count=1');
    auditEvent = resourcesOf(json)[0]?.['id'] as string;
    folder = copyOf(server.dataDir);
    database = new DatabaseSync(`${folder}/referrals.db`);
    const all = database.prepare('select chain, number, hash, body from audit_link order by chain, number').all() as unknown as Link[];
    const longest = [...new Set(all.map((link) => link.chain))]
      .map((name) => all.filter((link) => link.chain === name))
      .filter((links) => links.every(({ body }) => !body.includes('"seal"')) || links.length > 5)
      .sort((a, b) => b.length - a.length);
    chain = longest[0] ?? [];
  });
  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Has the chain consist of these rows. */
  const replace = (links: readonly Link[]): void => {
    database.prepare('delete from audit_link where chain = ?').run(at(0).chain);
    const insert = database.prepare('insert into audit_link (chain, number, hash, body) values (?, ?, ?, ?)');
    for (const { chain: name, number, hash, body } of links) insert.run(name, number, hash, body);
  };
  const at = (index: number): Link => chain.at(index) as Link;
  const edited = (link: Link): Link => ({ ...link, body: link.body.replace(/"outcome":"\d"/, '"outcome":"8"') });
  /** the whole chain as a forger would write it who knows how hashes are made */
  const anew = (links: readonly Link[]): readonly Link[] => {
    const forged = new AuditChain(at(0).chain);
    return links.map(({ body }) => forged.append([body]));
  };

  it('finds a trail whole that several crashes have left', async () => {
    expect(chain.length).toBeGreaterThan(5);
    expect(await verify(folder)).toEqual({ code: 0, faults: '' });
  });

  it.each<[string, () => readonly Link[], RegExp]>([
    ['an edited row', () => chain.with(2, edited(at(2))), /link 3 was changed/],
    ['a deleted row', () => chain.toSpliced(2, 1), /link 3 is missing/],
    [
      'two rows in the other order',
      () => chain.with(1, { ...at(1), body: at(2).body }).with(2, { ...at(2), body: at(1).body }),
      /link 2 was changed/,
    ],
    ['rows with each other’s numbers', () => chain.with(1, { ...at(2), number: 2 }).with(2, { ...at(1), number: 3 }), /link 2 was changed/],
    ['a chain that was cut', () => chain.slice(0, -1), /the seal saw link \d+ of chain \S+, which is not there or differs/],
    ['a chain that is gone', () => [], /which is not there or differs/],
    ['a chain written anew without one row', () => anew(chain.toSpliced(2, 1)), /which is not there or differs/],
    ['a chain written anew with one row edited', () => anew(chain.with(2, edited(at(2)))), /which is not there or differs/],
  ])('finds %s', async (_, tampered, fault) => {
    replace(tampered());
    try {
      const { code, faults } = await verify(folder);
      expect(faults).toMatch(fault);
      expect(code).toBe(1);
    } finally {
      replace(chain);
    }
  });

  it('finds it whole again when all is back in its place', async () => {
    expect(await verify(folder)).toEqual({ code: 0, faults: '' });
  });

  it('finds an AuditEvent that says something else than its line', async () => {
    const change = (from: string, to: string) =>
      database
        .prepare(`update resource set body = replace(body, ?, ?) where id = ?`)
        .run(`"outcome":"${from}"`, `"outcome":"${to}"`, auditEvent);
    expect(change('0', '8').changes).toBe(1);
    expect((await verify(folder)).faults).toContain(`AuditEvent/${auditEvent} is not what its chain says`);
  });
});
