import mssql from 'mssql';
import { wellFormed } from '../key-text.js';
import { Unavailable, type ConnectionFigures } from '../port.js';
import { readDatabaseUrl } from './database-url.js';
import { Gate } from './gate.js';
import { Retries } from './retries.js';
import { isInternal, noSnapshots, numberOf, troubleOf } from './server-errors.js';
import { Turns } from './turns.js';

export type Input = string | number | Buffer | null;
export type Inputs = Readonly<Record<string, Input>>;
export type Row = Readonly<Record<string, unknown>>;

/** Rows for one table as a bulk load takes them. */
export type Load = {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: 'int' | 'bigint' | 'float' | 'text' | 'bytes' }[];
  readonly rows: readonly (readonly Input[])[];
};

const int32 = 2 ** 31;
const greatest = 1.797_693_134_862_315_7e308;

/** A long one is JSON or the like, of which each string was seen to. */
const bindText = (request: mssql.Request, name: string, value: string): void => {
  if (value.length > 4000) request.input(name, mssql.NVarChar(mssql.MAX), value);
  else request.input(name, mssql.NVarChar(4000), wellFormed(value));
};

/** Explicit lengths keep the text of a statement, and with it its cached plan, the same for every value. */
const bind = (request: mssql.Request, name: string, value: Input): void => {
  if (typeof value === 'string') bindText(request, name, value);
  else if (Buffer.isBuffer(value)) request.input(name, mssql.VarBinary(mssql.MAX), value);
  else if (value === null) request.input(name, mssql.NVarChar(4000), null);
  else if (!Number.isSafeInteger(value)) request.input(name, mssql.Float, Math.max(-greatest, Math.min(greatest, value)));
  else if (Math.abs(value) < int32) request.input(name, mssql.Int, value);
  else request.input(name, mssql.BigInt, value);
};

const types = {
  int: () => mssql.Int(),
  bigint: () => mssql.BigInt(),
  float: () => mssql.Float(),
  text: () => mssql.NVarChar(400),
  bytes: () => mssql.VarBinary(mssql.MAX),
} as const;

const tableOf = ({ table, columns, rows }: Load): mssql.Table => {
  const made = new mssql.Table(table);
  made.create = false;
  for (const { name, type } of columns) made.columns.add(name, types[type](), { nullable: true });
  for (const row of rows) made.rows.add(...row);
  return made;
};

type Lent = (error: unknown, connection: { hasError?: boolean } | undefined, ...more: readonly unknown[]) => void;
type Lender = { acquire: (request: object, lent: Lent) => unknown };

/** Which connection each request has: the pool does not lend one again that is marked. */
const watchLending = (pool: Lender): ((request: object) => void) => {
  const lent = new WeakMap<object, { hasError?: boolean }>();
  const acquire = pool.acquire.bind(pool);
  pool.acquire = (request, callback) =>
    acquire(request, (error, connection, ...more) => {
      if (connection) lent.set(request, connection);
      callback(error, connection, ...more);
    });
  return (request) => {
    const connection = lent.get(request);
    if (connection) connection.hasError = true;
  };
};

/** What reads go through: a pool, or one connection. */
export type Reading = Pick<Database, 'read' | 'readCompiled'>;

type Compiled = { readonly text: string; readonly parameters: readonly (string | number | null)[] };
/** Parameters as the query compiler numbers them. */
const numbered = ({ parameters }: Compiled): Inputs => Object.fromEntries(parameters.map((value, index) => [String(index + 1), value]));

const rowsOf = async (request: mssql.Request, text: string, inputs: Inputs): Promise<readonly Row[]> => {
  for (const name in inputs) bind(request, name, inputs[name] ?? null);
  const { recordset } = (await request.query(text)) as { readonly recordset?: readonly Row[] };
  return recordset ?? [];
};

/** One pool of connections, and what is tried again over it. */
export class Database {
  private readonly pool: mssql.ConnectionPool;
  private readonly snapshots: Turns;
  /** false once the database refused one */
  private allowsSnapshots = true;
  private readonly retries = new Retries();
  private readonly discard: (request: object) => void;

  private readonly gate: Gate;

  private constructor(pool: mssql.ConnectionPool, most: number) {
    this.pool = pool;
    this.gate = new Gate(most);
    // what a snapshot needs beside its reads has connections left
    this.snapshots = new Turns(Math.max(1, Math.floor(most / 2)));
    // a broken connection is seen by the request that uses it, and replaced by the pool
    pool.on('error', () => undefined);
    this.discard = watchLending(pool as unknown as Lender);
  }

  /** Connects; throws Unavailable when the server does not answer. */
  static async open(url: string): Promise<Database> {
    const config = readDatabaseUrl(url);
    const database = new Database(new mssql.ConnectionPool(config), config.pool?.max ?? 1);
    try {
      await database.again(() => database.pool.connect());
      return database;
    } catch (error) {
      throw new Unavailable(`SQL Server does not answer: ${(error as Error).message}`);
    }
  }

  figures(): ConnectionFigures {
    const { size, available, pending, borrowed } = this.pool;
    return {
      size,
      available,
      borrowed,
      pending: pending + this.gate.waiting,
      retries: this.retries.count,
      troubles: Object.fromEntries(this.retries.troubles),
    };
  }

  /** One statement or batch, sent once. The driver's errors pass through. */
  send(text: string, inputs: Inputs = {}): Promise<readonly Row[]> {
    return this.gate.pass(() => this.sendNow(text, inputs));
  }

  private async sendNow(text: string, inputs: Inputs): Promise<readonly Row[]> {
    const request = this.pool.request();
    try {
      return await rowsOf(request, text, inputs);
    } catch (error) {
      if (isInternal(error)) this.discard(request);
      throw error;
    }
  }

  /** DDL and other text without parameters. */
  async execute(text: string): Promise<void> {
    const request = this.pool.request();
    try {
      await request.batch(text);
    } catch (error) {
      if (isInternal(error)) this.discard(request);
      throw error;
    }
  }

  /** Rows in bulk, then a statement, in one transaction. Only for filling a database that nobody serves; the driver's errors pass through. */
  load(loads: readonly Load[], text: string, inputs: Inputs): Promise<void> {
    return this.gate.pass(() => this.loadNow(loads, text, inputs));
  }

  private async loadNow(loads: readonly Load[], text: string, inputs: Inputs): Promise<void> {
    const transaction = new mssql.Transaction(this.pool);
    await transaction.begin();
    try {
      for (const load of loads)
        if (load.rows.length > 0) await transaction.request().bulk(tableOf(load), { checkConstraints: true, keepNulls: true });
      await rowsOf(transaction.request(), text, inputs);
      await transaction.commit();
    } catch (error) {
      await transaction.rollback().catch(() => undefined);
      throw error;
    }
  }

  /** A read: tried again after whatever may pass. Throws Unavailable when it does not. */
  async read(text: string, inputs: Inputs = {}): Promise<readonly Row[]> {
    try {
      return await this.again(() => this.send(text, inputs));
    } catch (error) {
      if (troubleOf(error) === 'fault') throw error;
      throw new Unavailable((error as Error).message);
    }
  }

  readCompiled(statement: Compiled): Promise<readonly Row[]> {
    return this.read(statement.text, numbered(statement));
  }

  /**
   * Reads that see one committed state, one after the other over one connection. A database that allows no snapshots (ALTER DATABASE ...
   * SET ALLOW_SNAPSHOT_ISOLATION ON) gives each read the state of its own moment. Throws Unavailable.
   */
  snapshot<T>(task: (reading: Reading) => Promise<T>): Promise<T> {
    return this.snapshots.run(async () => {
      try {
        return this.allowsSnapshots ? await this.again(() => this.inSnapshot(task)) : await task(this);
      } catch (error) {
        if (numberOf(error) === noSnapshots) {
          this.allowsSnapshots = false;
          return task(this);
        }
        throw troubleOf(error) === 'fault' ? error : new Unavailable((error as Error).message);
      }
    });
  }

  private async inSnapshot<T>(task: (reading: Reading) => Promise<T>): Promise<T> {
    const transaction = new mssql.Transaction(this.pool);
    await transaction.begin(mssql.ISOLATION_LEVEL.SNAPSHOT);
    const state = { last: Promise.resolve() as Promise<unknown> };
    const read = (text: string, inputs: Inputs = {}): Promise<readonly Row[]> => {
      const rows = state.last.then(() => rowsOf(transaction.request(), text, inputs));
      state.last = rows.catch(() => undefined);
      return rows;
    };
    try {
      const value = await task({ read, readCompiled: (statement) => read(statement.text, numbered(statement)) });
      // the level is the connection's, and would stay with who is lent it next; within a transaction not every server lets it go
      await transaction.request().batch('commit transaction; set transaction isolation level read committed; begin transaction');
      await transaction.commit();
      return value;
    } catch (error) {
      await state.last;
      this.discard(transaction);
      await transaction.rollback().catch(() => undefined);
      throw error;
    }
  }

  /** Runs again what failed for reasons that pass: see Retries. */
  again<T>(task: () => Promise<T>, mayRepeat?: (error: unknown) => boolean): Promise<T> {
    return this.retries.run(task, mayRepeat);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
