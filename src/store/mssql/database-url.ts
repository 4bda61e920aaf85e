import type { config as MssqlConfig } from 'mssql';

/** Settings of the pool that a DATABASE_URL may carry beside those of the connection. */
const numbers = {
  poolMax: 10,
  poolMin: 0,
  /** a statement that takes longer is given up */
  requestTimeout: 30_000,
  connectTimeout: 15_000,
} as const;

const flag = (url: URL, name: string, otherwise: boolean): boolean => {
  const value = url.searchParams.get(name);
  if (value === null) return otherwise;
  if (value !== 'true' && value !== 'false') throw new Error(`DATABASE_URL: ${name} is true or false.`);
  return value === 'true';
};

const number = (url: URL, name: keyof typeof numbers): number => {
  const value = url.searchParams.get(name);
  if (value === null) return numbers[name];
  if (!/^\d{1,7}$/.test(value)) throw new Error(`DATABASE_URL: ${name} is a whole number.`);
  return Number(value);
};

/**
 * `mssql://user:password@host:1433/database?encrypt=true&trustServerCertificate=false&poolMax=10&requestTimeout=30000` as the driver
 * wants it. Throws an Error that names what is wrong, never the password.
 */
export const readDatabaseUrl = (text: string): MssqlConfig => {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('DATABASE_URL is not a URL: mssql://user:password@host:1433/database');
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.protocol !== 'mssql:' || url.hostname === '' || database === '')
    throw new Error('DATABASE_URL names host and database: mssql://user:password@host:1433/database');
  return {
    server: decodeURIComponent(url.hostname),
    port: url.port === '' ? 1433 : Number(url.port),
    database,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    requestTimeout: number(url, 'requestTimeout'),
    connectionTimeout: number(url, 'connectTimeout'),
    // a look at the socket: the driver would otherwise ask something of the server before each statement. What broke is met by who uses it
    validateConnection: 'socket',
    pool: { max: number(url, 'poolMax'), min: number(url, 'poolMin'), acquireTimeoutMillis: 15_000, idleTimeoutMillis: 300_000 },
    options: {
      appName: 'referral-server',
      encrypt: flag(url, 'encrypt', true),
      trustServerCertificate: flag(url, 'trustServerCertificate', false),
      readOnlyIntent: flag(url, 'readOnly', false),
      useUTC: true,
    },
  };
};
