// The contract and API suites with every engine: MSSQL_URL names a SQL Server and a login that may create databases. WORKERS=4 has four
// server processes answer in the API suites. Test files may be named: npm run test:mssql -- test/contract
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const url = process.env.MSSQL_URL;
if (url === undefined) {
  console.log(
    'skipped: the suites on SQL Server. Run MSSQL_URL="mssql://sa:password@127.0.0.1:1433/master?trustServerCertificate=true" npm run test:mssql',
  );
  process.exit(0);
}
const run = (command, words, env = {}) => spawnSync(command, words, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;
if (run('npx', ['tsc', '-p', 'tsconfig.build.json']) !== 0) process.exit(1);

/** The demo data is made once, by a first start on an empty database; each server of a test begins with a copy. */
const makeTemplate = async (root) => {
  const { Database } = await import('../dist/store/mssql/database.js');
  const server = await Database.open(url);
  await server.execute('drop database if exists [referrals_template]');
  await server.execute('create database [referrals_template]');
  await server.close();
  const own = new URL(url);
  own.pathname = '/referrals_template';
  mkdirSync(path.join(root, 'lock'));
  const env = {
    ...process.env,
    DATABASE_URL: own.href,
    DATA_DIR: path.join(root, 'made'),
    DEMO: 'true',
    PORT: '0',
    WORKERS: '1',
    DRAIN_MS: '0',
  };
  const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the first start failed')));
    child.stdout.on('data', (chunk) => {
      const seconds = /is ready after ([\d.]+) s/.exec(chunk)?.[1];
      if (seconds === undefined) return;
      console.log(`the first start on an empty database took ${seconds} s`);
      child.removeAllListeners('exit').once('exit', resolve);
      child.kill('SIGTERM');
    });
  });
};

const root = mkdtempSync(path.join(tmpdir(), 'referrals-template-'));
const files = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['test/contract', 'test/api'];
try {
  await makeTemplate(root);
  process.exitCode = run('npx', ['jest', '--runInBand', ...files], { DEMO_TEMPLATE: root });
} finally {
  rmSync(root, { recursive: true, force: true });
}
