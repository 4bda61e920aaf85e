import cluster, { type Worker } from 'node:cluster';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.js';
import { sqliteFile } from '../store/open-store.js';
import { serveUnits } from '../store/sqlite/parent-writer.js';
import { startWriterThread, type UnitWriter } from '../store/sqlite/unit-writer.js';

/** a process that dies sooner than this after its start is not started again at once */
const soonMs = 5000;

const listening = (worker: Worker): Promise<void> =>
  new Promise((resolve, reject) => {
    worker.once('listening', () => {
      resolve();
    });
    worker.once('exit', () => {
      reject(new Error('a server process stopped before it listened'));
    });
  });

const startWriter = async (config: Config): Promise<UnitWriter | undefined> => {
  if (!config.databaseUrl.startsWith('sqlite:')) return undefined;
  const file = sqliteFile(config.databaseUrl);
  await mkdir(path.dirname(file), { recursive: true });
  return startWriterThread({ path: file, integrity: config.referentialIntegrity });
};

/**
 * WORKERS server processes on one port. On the embedded store this process has the one writer, and the others send it their units;
 * on SQL Server each has its own connections. A process that dies is replaced. The first one starts alone: it makes what the others
 * then find.
 */
export const runWorkers = async (config: Config): Promise<void> => {
  const writer = await startWriter(config);
  let stopping = false;
  cluster.setupPrimary({ serialization: 'advanced' });

  const start = (): Worker => {
    const worker = cluster.fork();
    const since = performance.now();
    if (writer) serveUnits(worker, writer);
    worker.once('exit', () => {
      if (stopping) return;
      const lived = performance.now() - since;
      setTimeout(start, lived < soonMs ? soonMs : 0);
    });
    return worker;
  };

  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const workers = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
    const gone = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of workers) worker.process.kill('SIGTERM');
    await Promise.all(gone);
    await writer?.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());

  await listening(start());
  const others = await Promise.allSettled(Array.from({ length: config.workers - 1 }, () => listening(start())));
  // one that stopped is started again
  if (others.every(({ status }) => status === 'fulfilled')) process.stdout.write(`all ${String(config.workers)} processes answer\n`);
};
