// The contract and API suites with every engine: MSSQL_URL names a SQL Server and a login that may create databases.
import { spawnSync } from 'node:child_process';

if (process.env.MSSQL_URL === undefined) {
  console.log(
    'skipped: the suites on SQL Server. Run MSSQL_URL="mssql://sa:password@127.0.0.1:1433/master?trustServerCertificate=true" npm run test:mssql',
  );
  process.exit(0);
}
const { status } = spawnSync(
  'npx',
  ['jest', '--runInBand', ...(process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['test/contract', 'test/api'])],
  {
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
