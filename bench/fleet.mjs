// Several server processes over one store, each of which can be killed or stopped and started again.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { start, stop } from './running.mjs';

const ready = /FHIR base\s+(\S+)\/FHIR\/R4/;

/**
 * A port that nobody listens on, below those from which connections go out: over SQL Server the servers make many, and one may have the port of
 * a server that is just being restarted.
 */
export const freePort = async () => {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer();
    const isFree = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
};

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An empty database on the SQL Server that `url` names, for one run; without a URL the embedded store serves. */
const ownDatabase = async (url) => {
  if (url === undefined) return { settings: {}, remove: async () => {} };
  const { default: mssql } = await import('mssql');
  const { readDatabaseUrl } = await import('../dist/store/mssql/database-url.js');
  const name = `referrals_bench_${randomBytes(4).toString('hex')}`;
  const run = async (text) => {
    const pool = await new mssql.ConnectionPool(readDatabaseUrl(url)).connect();
    await pool.request().batch(text);
    await pool.close();
  };
  await run(`create database [${name}]`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { settings: { DATABASE_URL: own.href }, remove: () => run(`drop database [${name}]`) };
};

/**
 * `count` servers with demo data of their own. On SQL Server (`url`) each is a process on a port of its own, and one that is killed is
 * started again by `killOne`; the embedded store has one that shares its port among `count` processes and replaces what dies, unless they
 * are to be `apart`.
 * `publicUrl`: the base of links where a proxy stands in front.
 */
export const startFleet = async ({ count, url, publicUrl, apart = url !== undefined, settings = {} }) => {
  const data = mkdtempSync(path.join(tmpdir(), 'fleet-'));
  const database = await ownDatabase(url);
  const ports = [];
  for (let n = 0; n < (apart ? count : 1); n++) ports.push(await freePort());
  const env = {
    ...{ DATA_DIR: data, DEMO: 'true', LOG_LEVEL: 'warn', BASE_URL: publicUrl ?? `http://127.0.0.1:${ports[0]}` },
    ...{ WORKERS: apart ? '1' : String(count), ...database.settings, ...settings },
  };
  const launch = async (port) => (await start('../dist/main.js', { ...env, PORT: String(port) }, ready)).child;
  // the first one makes what the others find
  const servers = [{ port: ports[0], child: await launch(ports[0]) }];
  servers.push(...(await Promise.all(ports.slice(1).map(async (port) => ({ port, child: await launch(port) })))));
  const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const died = (child) => (child.exitCode === null && child.signalCode === null ? new Promise((r) => child.once('exit', r)) : undefined);
  const killWhole = async (server) => {
    const workers = childrenOf(server.child.pid);
    const gone = died(server.child);
    server.child.kill('SIGKILL');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await gone;
    server.child = await launch(server.port);
  };
  return {
    data,
    servers,
    origins: () => servers.map(({ port }) => `http://127.0.0.1:${port}`),
    /** kill -9 of one process, which comes back */
    killOne: async () => {
      const server = pick(servers);
      const workers = childrenOf(server.child.pid);
      if (workers.length === 0 || Math.random() < 0.25) return killWhole(server);
      process.kill(pick(workers), 'SIGKILL');
      return pause(1000);
    },
    /** SIGTERM, the end, a new start */
    restart: async (server) => {
      await stop(server.child);
      server.child = await launch(server.port);
    },
    stop: async () => {
      await Promise.all(servers.map(({ child }) => stop(child)));
      await database.remove();
      rmSync(data, { recursive: true, force: true });
    },
  };
};
