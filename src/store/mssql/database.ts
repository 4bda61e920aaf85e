import type { Socket } from 'node:net';
import mssql from 'mssql';
import type { Connection } from 'tedious';
import { Unavailable, type ConnectionFigures } from '../port.js';
import { readDatabaseUrl } from './database-url.js';
import { Gate } from './gate.js';
import { Retries } from './retries.js';
import { isInternal, noSnapshots, numberOf, troubleOf } from './server-errors.js';
import { Statements, type Input, type Inputs, type Row } from './statements.js';
import { Turns } from './turns.js';

export type { Input, Inputs, Row };

/** Rows for one table as a bulk load takes them. */
export type Load = {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: 'int' | 'bigint' | 'float' | 'text' | 'bytes' }[];
  readonly rows: readonly (readonly Input[])[];
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

/** A connection as the pool lends it; one that is marked is not lent again. */
type Line = Connection & { hasError?: boolean };
type Lent = (error: Error | null, connection: Line | undefined, ...more: readonly unknown[]) => void;
type Lender = { acquire: (request: object, lent: Lent) => unknown; release: (connection: Line) => unknown };

/** Which connection each request has. */
const watchLending = (pool: Lender): WeakMap<object, Line> => {
  const lent = new WeakMap<object, Line>();
  const acquire = pool.acquire.bind(pool);
  pool.acquire = (request, callback) =>
    acquire(request, (error, connection, ...more) => {
      if (connection) lent.set(request, connection);
      callback(error, connection, ...more);
    });
  return lent;
};

/** What is written goes out: a request of several packets would otherwise wait for the server to say that the first ones came. */
const withoutDelay = (connection: Connection): void => {
  connection.once('connect', () => {
    (connection as unknown as { readonly socket?: Socket }).socket?.setNoDelay(true);
  });
};

/** What reads go through: a pool, or one connection. */
export type Reading = Pick<Database, 'read' | 'readCompiled'>;

type Compiled = { readonly text: string; readonly parameters: readonly (string | number | null)[] };
/** Parameters as the query compiler numbers them. */
const numbered = ({ parameters }: Compiled): Inputs => Object.fromEntries(parameters.map((value, index) => [String(index + 1), value]));

/** One pool of connections, and what is tried again over it. */
export class Database {
  private readonly pool: mssql.ConnectionPool;
  private readonly snapshots: Turns;
  /** false once the database refused one */
  private allowsSnapshots = true;
  private readonly retries = new Retries();
  private readonly lent: WeakMap<object, Line>;
  private readonly statements = new WeakMap<Line, Statements>();

  private readonly gate: Gate;

  private constructor(pool: mssql.ConnectionPool, most: number) {
    this.pool = pool;
    this.gate = new Gate(most);
    // what a snapshot needs beside its reads has connections left
    this.snapshots = new Turns(Math.max(1, Math.floor(most / 2)));
    // a broken connection is seen by the request that uses it, and replaced by the pool
    pool.on('error', () => undefined);
    this.lent = watchLending(this.lender);
  }

  /** Connects; throws Unavailable when the server does not answer. */
  static async open(url: string): Promise<Database> {
    const config = { ...readDatabaseUrl(url), beforeConnect: withoutDelay };
    const database = new Database(new mssql.ConnectionPool(config), config.pool?.max ?? 1);
    try {
      await database.again(() => database.pool.connect());
      return database;
    } catch (error) {
      throw new Unavailable(`SQL Server does not answer: ${(error as Error).message}`, { cause: error });
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
    const line = await this.borrowed();
    try {
      return await this.statementsOf(line).run(text, inputs);
    } catch (error) {
      if (isInternal(error)) line.hasError = true;
      throw error;
    } finally {
      this.lender.release(line);
    }
  }

  private get lender(): Lender {
    return this.pool as unknown as Lender;
  }

  private borrowed(): Promise<Line> {
    return new Promise((resolve, reject) => {
      this.lender.acquire({}, (error, line) => {
        if (line) resolve(line);
        else reject(error ?? new Error('no connection was lent'));
      });
    });
  }

  private statementsOf(line: Line): Statements {
    const known =
      this.statements.get(line) ??
      new Statements(line, (more) => {
        this.gate.planning(more);
      });
    this.statements.set(line, known);
    return known;
  }

  /** What was asked over the request's connection may have left it in any state. */
  private discard(request: object): void {
    const line = this.lent.get(request);
    if (line) line.hasError = true;
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
      await this.within(transaction, text, inputs);
      await transaction.commit();
    } catch (error) {
      await transaction.rollback().catch(() => undefined);
      throw error;
    }
  }

  /** A statement over the connection that a transaction has. */
  private within(transaction: mssql.Transaction, text: string, inputs: Inputs): Promise<readonly Row[]> {
    const line = this.lent.get(transaction);
    if (!line) throw new Error('the transaction has no connection');
    return this.statementsOf(line).run(text, inputs);
  }

  /** A read: tried again after whatever may pass. Throws Unavailable when it does not. */
  async read(text: string, inputs: Inputs = {}): Promise<readonly Row[]> {
    try {
      return await this.again(() => this.send(text, inputs));
    } catch (error) {
      if (troubleOf(error) === 'fault') throw error;
      throw new Unavailable((error as Error).message, { cause: error });
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
        throw troubleOf(error) === 'fault' ? error : new Unavailable((error as Error).message, { cause: error });
      }
    });
  }

  private async inSnapshot<T>(task: (reading: Reading) => Promise<T>): Promise<T> {
    const transaction = new mssql.Transaction(this.pool);
    await transaction.begin(mssql.ISOLATION_LEVEL.SNAPSHOT);
    const state = { last: Promise.resolve() as Promise<unknown> };
    const read = (text: string, inputs: Inputs = {}): Promise<readonly Row[]> => {
      const rows = state.last.then(() => this.within(transaction, text, inputs));
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
