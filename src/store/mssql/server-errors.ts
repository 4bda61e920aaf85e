/** What SQL Server's error numbers and the driver's codes mean to the store: told apart once, here. */
export type Trouble =
  /** rolled back by the server for reasons that pass: the same unit may be sent again */
  | 'passing'
  /** a unique index or a foreign key refused a race: sent again, the batch finds and names what stands in the way */
  | 'race'
  /** the connection went away: it is unknown whether the batch was committed */
  | 'unknown'
  /** nothing was sent */
  | 'unreachable'
  | 'fault';

const passing = new Set([
  1205, // deadlock victim
  1222, // lock request time-out
  3960, // snapshot update conflict
  3961,
  4060, // database not available during a failover
  4221, // replica not ready
  10928, // Azure SQL: resource limits
  10929,
  10936,
  40143, // Azure SQL: service errors, throttling and failover
  40166,
  40197,
  40501,
  40540,
  40613,
  41302, // write conflicts of memory-optimised tables
  41305,
  41325,
  41839,
  49918, // Azure SQL: not enough resources
  49919,
  49920,
]);
/** the database allows no snapshot isolation */
export const noSnapshots = 3952;
const races = new Set([2601, 2627, 547]);

/** The driver's word for a transaction that the server has rolled back. */
const rolledBack = 'EABORT';

/** THROW numbers of the store's own batches. */
export const thrown = { stale: 50_001, taken: 50_002, unresolved: 50_003, referenced: 50_004, matched: 50_005, again: 50_010 } as const;

export const numberOf = (error: unknown): number | undefined => {
  const { number } = error as { readonly number?: unknown };
  return typeof number === 'number' ? number : undefined;
};

/**
 * Beyond all numbers of SQL Server: a fault inside of a server that only speaks its protocol. Another connection does not have it.
 */
export const isInternal = (error: unknown): boolean => (numberOf(error) ?? 0) >= 2 ** 24;

// the operating system's words for a connection that went away
const socketErrors = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'];
const unsure = new Set(['ETIMEOUT', 'ESOCKET', 'ECONNCLOSED', 'ECLOSE', 'ECANCEL', ...socketErrors]);
const unsent = new Set(['ELOGIN', 'ENOTOPEN', 'EINSTLOOKUP']);

/** The driver keeps only the message of some of them. */
const namesSocketError = (error: unknown): boolean => {
  const { message } = error as { readonly message?: unknown };
  return typeof message === 'string' && socketErrors.some((code) => message.endsWith(` ${code}`));
};

export const troubleOf = (error: unknown): Trouble => {
  const { code } = error as { readonly code?: unknown };
  const number = numberOf(error);
  if (number !== undefined && (passing.has(number) || isInternal(error))) return 'passing';
  if (number !== undefined && (races.has(number) || number === thrown.again)) return 'race';
  if (code === rolledBack) return 'passing';
  if (unsure.has(String(code)) || (number === undefined && namesSocketError(error))) return 'unknown';
  if (unsent.has(String(code))) return 'unreachable';
  return (error as { readonly name?: unknown }).name === 'TimeoutError' ? 'unreachable' : 'fault';
};
