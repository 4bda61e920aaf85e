import { Request, TYPES, type Connection } from 'tedious';
import { wellFormed } from '../key-text.js';

export type Input = string | number | Buffer | null;
export type Inputs = Readonly<Record<string, Input>>;
export type Row = Readonly<Record<string, unknown>>;

type Type = (typeof TYPES)[keyof typeof TYPES];
type Parameter = { readonly name: string; readonly type: Type; readonly length?: number; readonly value: Input };
type Cell = { readonly metadata: { readonly colName: string }; readonly value: unknown };

const int32 = 2 ** 31;
const greatest = Number.MAX_VALUE;
/** characters that a text may have without being one of any length */
const shortText = 4000;
/** of one connection; a server holds what was prepared in memory */
const mostKnown = 300;
/** SQL Server: no statement was prepared under this handle */
const noSuchHandle = 8179;

/** Explicit lengths keep the text of a statement, and with it its cached plan, the same for every value. */
const parameterOf = (name: string, value: Input): Parameter => {
  if (typeof value === 'string')
    return value.length > shortText
      ? // it is JSON or the like, of which each string was seen to
        { name, type: TYPES.NVarChar, length: Infinity, value }
      : { name, type: TYPES.NVarChar, length: shortText, value: wellFormed(value) };
  if (Buffer.isBuffer(value)) return { name, type: TYPES.VarBinary, length: Infinity, value };
  if (value === null) return { name, type: TYPES.NVarChar, length: shortText, value };
  if (!Number.isSafeInteger(value)) return { name, type: TYPES.Float, value: Math.max(-greatest, Math.min(greatest, value)) };
  return { name, type: Math.abs(value) < int32 ? TYPES.Int : TYPES.BigInt, value };
};

const rowOf = (cells: readonly Cell[]): Row => Object.fromEntries(cells.map(({ metadata, value }) => [metadata.colName, value]));
/** The driver gathers what a batch met; the last of it is what ended the batch. */
const lastOf = (error: Error): Error => (error instanceof AggregateError ? (error.errors.at(-1) as Error) : error);
const isNumbered = (error: unknown): boolean => typeof (error as { readonly number?: unknown }).number === 'number';

const addTo = (request: Request, parameters: readonly Parameter[]): void => {
  for (const { name, type, length, value } of parameters) request.addParameter(name, type, value, length === undefined ? {} : { length });
};

type Known = { readonly use: 'once' | 'unprepared' } | { readonly use: 'prepared'; readonly handle: number };

/**
 * The statements of one connection. What is asked a second time is prepared: its text, which for a write is long, then travels and is
 * parsed no more. Statements run one after the other, as a connection is lent to one at a time.
 */
export class Statements {
  /** by types and text, the one used last at the end */
  private readonly known = new Map<string, Known>();

  /** @param planning told when a statement that was not prepared begins, and when it has ended */
  constructor(
    private readonly connection: Connection,
    private readonly planning: (more: 1 | -1) => void,
  ) {}

  /** The rows of the first result. The driver's errors pass through. */
  async run(text: string, inputs: Inputs): Promise<readonly Row[]> {
    const parameters = Object.entries(inputs).map(([name, value]) => parameterOf(name, value));
    const key = `${parameters.map(({ name, type, length }) => `${name} ${type.name} ${String(length)}`).join()} ${text}`;
    if (this.known.get(key)?.use === 'prepared') return this.runKnown(key, text, parameters);
    this.planning(1);
    try {
      return await this.runKnown(key, text, parameters);
    } finally {
      this.planning(-1);
    }
  }

  private async runKnown(key: string, text: string, parameters: readonly Parameter[]): Promise<readonly Row[]> {
    const known = await this.met(key, text, parameters);
    if (known.use !== 'prepared') return this.ask(text, parameters);
    try {
      return await this.askPrepared(known.handle, text, parameters);
    } catch (error) {
      if ((error as { readonly number?: unknown }).number !== noSuchHandle) throw error;
      this.known.delete(key);
      return this.ask(text, parameters);
    }
  }

  /** What is known of a statement that is about to run: prepared from its second use on, unless the server does not prepare it. */
  private async met(key: string, text: string, parameters: readonly Parameter[]): Promise<Known> {
    const before = this.known.get(key);
    const known: Known = before === undefined ? { use: 'once' } : before.use === 'once' ? await this.prepare(text, parameters) : before;
    this.known.delete(key);
    this.known.set(key, known);
    if (this.known.size > mostKnown) await this.forgetOldest();
    return known;
  }

  private async forgetOldest(): Promise<void> {
    const [oldest] = this.known;
    if (!oldest) return;
    const [key, known] = oldest;
    this.known.delete(key);
    if (known.use === 'prepared') await this.unprepare(known.handle);
  }

  private prepare(text: string, parameters: readonly Parameter[]): Promise<Known> {
    return new Promise((resolve, reject) => {
      const request = new Request(text, () => undefined);
      addTo(request, parameters);
      request.once('prepared', () => {
        const { handle } = request;
        resolve(handle === undefined ? { use: 'unprepared' } : { use: 'prepared', handle });
      });
      request.once('error', (error: Error) => {
        const last = lastOf(error);
        // the server's word on this statement; when it is run it says more
        if (isNumbered(last)) resolve({ use: 'unprepared' });
        else reject(last);
      });
      this.connection.prepare(request);
    });
  }

  private unprepare(handle: number): Promise<void> {
    return new Promise((resolve) => {
      const request = new Request('', () => {
        // a connection that broke tells who uses it next
        resolve();
      });
      request.handle = handle;
      this.connection.unprepare(request);
    });
  }

  private ask(text: string, parameters: readonly Parameter[]): Promise<readonly Row[]> {
    return this.rowsOf(text, parameters, (request) => {
      this.connection.execSql(request);
    });
  }

  private askPrepared(handle: number, text: string, parameters: readonly Parameter[]): Promise<readonly Row[]> {
    return this.rowsOf(text, parameters, (request) => {
      request.handle = handle;
      this.connection.execute(request, Object.fromEntries(parameters.map(({ name, value }) => [name, value])));
    });
  }

  private rowsOf(text: string, parameters: readonly Parameter[], send: (request: Request) => void): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      const rows: Row[] = [];
      let results = 0;
      const request = new Request(text, (error) => {
        if (error) reject(lastOf(error));
        else resolve(rows);
      });
      addTo(request, parameters);
      request.on('columnMetadata', () => {
        results++;
      });
      request.on('row', (cells: readonly Cell[]) => {
        if (results === 1) rows.push(rowOf(cells));
      });
      send(request);
    });
  }
}
