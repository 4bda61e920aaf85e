import { randomUUID } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AuditChain } from '../audit-chain.js';
import type { Unit } from '../port.js';
import { applyUnit } from './apply-unit.js';
import { Connection, lockMs } from './connection.js';
import { migrate } from './migrate.js';
import { SqliteReader } from './reader.js';
import { Terms } from './terms.js';
import type { FromWriter, ToWriter } from './messages.js';
import { refusalOf } from './refusals.js';

// The one writer of a process. Units that wait are committed together: one sync to disk for the group, then the
// acknowledgements, so nothing is acknowledged that a power cut could take back.
const { path, integrity } = workerData as { readonly path: string; readonly integrity: boolean };
const port = parentPort;
if (!port) throw new Error('the writer runs as a worker thread');

const state = { connection: new Connection(path) };
migrate(state.connection.db);
// checkpoints inside a commit would stall its group: the checkpointer thread makes them
state.connection.db.exec('pragma wal_autocheckpoint = 0');
const reader = new SqliteReader(state.connection);
let terms = new Terms(state.connection);
// each start of a writer begins a chain of its own
const chain = new AuditChain(randomUUID());
let queue: { readonly id: number; readonly unit: Unit }[] = [];

// sequence and committed_at grow together, so the newest row of each table has both
const newest = (table: string): { readonly sequence: number; readonly committed_at: number } =>
  (state.connection.get(`select sequence, committed_at from ${table} order by sequence desc limit 1`) as
    { sequence: number; committed_at: number } | undefined) ?? { sequence: 0, committed_at: 0 };
const [current, superseded] = [newest('resource'), newest('resource_version')];
let sequence = Math.max(current.sequence, superseded.sequence);
let lastCommit = Math.max(current.committed_at, superseded.committed_at);

type Queued = (typeof queue)[number];

/** A unit failed after it, or the whole group, had written something, and there was no savepoint to go back to. */
class HalfWritten extends Error {}

/**
 * Applies a group in one transaction; the answer of each unit. With `savepoints` what a refused unit wrote is taken back. They are dear,
 * as the engine copies each page that a unit changes: without them a unit is a fifth faster, and one that is refused late throws HalfWritten.
 */
const applied = (group: readonly Queued[], savepoints: boolean): readonly FromWriter[] => {
  const { connection } = state;
  connection.db.exec('begin immediate');
  const now = Date.now();
  // strictly after every earlier commit, and not before any time that a unit of the group states as its own
  lastCommit = Math.max(now, lastCommit + 1, ...group.flatMap(({ unit }) => (unit.puts ?? []).map((put) => put.lastUpdated)));
  const answers = group.map(({ id, unit }): FromWriter => {
    const [before, changes] = [chain.mark(), connection.changes];
    if (savepoints) connection.db.exec('savepoint unit');
    try {
      applyUnit(
        {
          connection,
          terms,
          integrity,
          matches: ({ sight, ...plan }) => reader.count(plan, sight ?? 'all', 1) > 0,
          nextSequence: () => ++sequence,
          committedAt: lastCommit,
          now,
          chain,
        },
        unit,
      );
      if (savepoints) connection.db.exec('release unit');
      return { id };
    } catch (error) {
      if (savepoints) {
        connection.db.exec('rollback to unit; release unit');
        chain.reset(before);
        // terms made by the unit are gone with it
        terms = new Terms(connection);
        // the engine itself ends a transaction when its disk fails
      } else if (connection.changes !== changes || !connection.db.isTransaction) throw new HalfWritten();
      return { id, refusal: refusalOf(error) };
    }
  });
  connection.db.exec('commit');
  return answers;
};

/** As `applied`; when it fails as a whole, nothing of it is left. */
const attempted = (group: readonly Queued[], savepoints: boolean): readonly FromWriter[] => {
  const head = chain.mark();
  try {
    return applied(group, savepoints);
  } catch (error) {
    if (state.connection.db.isTransaction) state.connection.db.exec('rollback');
    chain.reset(head);
    terms = new Terms(state.connection);
    if (error instanceof HalfWritten) return attempted(group, true);
    return group.map(({ id }) => ({ id, refusal: { name: 'Unavailable', reason: String(error) } }));
  }
};

const commitGroup = (): void => {
  const group = queue;
  queue = [];
  port.postMessage(attempted(group, false));
};

// what nobody asks for again: used token ids and request ids, finished leases, places on worklists whose time is over
const sweepMs = 60_000;
const sweep = setInterval(() => {
  const now = Date.now();
  try {
    state.connection.run("delete from claim where expires < ? and kind in ('jti', 'idempotency', 'found')", now);
    state.connection.run('delete from entry where expires < ?', now);
    state.connection.run('delete from worklist where until <= ?', now);
  } catch {
    // another process holds the write lock: the next round will do
  }
}, sweepMs);
sweep.unref();

/**
 * What waits for company: a commit writes whole pages, so that two units together cost little more than one. Only when units came while
 * others were being committed, which they do not for one client at a time, is the next group given so long to gather.
 */
const gatherMs = 4;
const mostGathered = 32;
let gathering: NodeJS.Timeout | undefined;

const commitNow = (): void => {
  clearTimeout(gathering);
  gathering = undefined;
  if (queue.length === 0) return;
  commitGroup();
  // what came meanwhile is there already
  for (let waiting = receiveMessageOnPort(port); waiting; waiting = receiveMessageOnPort(port)) take(waiting.message as ToWriter, true);
};

/** how long the readers of the moment may keep the log from beginning anew, and with it whoever wants to write */
const patienceMs = 150;

/**
 * Moves the rest of the log into the database, so that it begins anew (or, truncated, ends). From here nothing can be written meanwhile; from
 * another thread it would have to find a moment between two commits. Where a reader stays in the log, or
 * the disk fails, it stays as it is: what it holds is as safe there, and the next commit tells of the disk.
 */
const finishLog = (mode: 'restart' | 'truncate'): void => {
  state.connection.db.exec(`pragma busy_timeout = ${String(patienceMs)}`);
  try {
    state.connection.all(`pragma wal_checkpoint(${mode})`);
  } catch {
    // it is tried again
  }
  state.connection.db.exec(`pragma busy_timeout = ${String(lockMs)}`);
};

const take = (message: ToWriter, cameMeanwhile: boolean): void => {
  if (message.kind === 'restart-log') {
    finishLog('restart');
    return;
  }
  if (message.kind === 'close') {
    clearInterval(sweep);
    clearTimeout(gathering);
    if (queue.length > 0) commitGroup();
    // the driver leaves statements to the collector of garbage, and with them the connection: the engine would not do it
    finishLog('truncate');
    state.connection.close();
    port.postMessage([]);
    port.close();
    return;
  }
  queue.push({ id: message.id, unit: message.unit });
  if (queue.length >= mostGathered) setImmediate(commitNow);
  else if (cameMeanwhile) gathering ??= setTimeout(commitNow, gatherMs);
  // the group is what has arrived by the next turn of this thread's loop
  else if (gathering === undefined && queue.length === 1) setImmediate(commitNow);
};

port.on('message', (message: ToWriter) => {
  take(message, false);
});
port.postMessage([]);
