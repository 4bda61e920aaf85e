import type { Reader, SearchPlan, Sight } from '../port.js';
import { readBy, readerOf, type ReadName } from '../reads.js';
import { Connection } from './connection.js';
import type { ReaderPool } from './reader-pool.js';
import { SqliteReader } from './reader.js';

/** A connection that nothing else reads over while a snapshot has it. */
type Held = { readonly connection: Connection; readonly reader: SqliteReader };

/** Connections that are kept for the next one; more are made when more are needed at once. */
const mostIdle = 4;

/** Reads of one committed state: a read transaction on a connection of its own, or in a thread once a search of unknown size is among them. */
export class Snapshots {
  private readonly idle: Held[] = [];

  /** `isShort`: whether a read may run on the calling thread */
  constructor(
    private readonly options: {
      readonly path: string;
      readonly pool: ReaderPool;
      readonly isShort: (name: ReadName, words: readonly unknown[]) => boolean;
    },
  ) {}

  async run<T>(read: (reader: Reader) => Promise<T>): Promise<T> {
    const outcome = await this.here(read);
    // another connection cannot join the state that was read so far: from the beginning, in a thread
    return outcome.long ? this.options.pool.alone((ask) => read(readerOf(ask))) : outcome.value;
  }

  private async here<T>(
    read: (reader: Reader) => Promise<T>,
  ): Promise<{ readonly long: false; readonly value: T } | { readonly long: true }> {
    const held = this.take();
    const state = { long: false };
    const answer = (name: ReadName, words: readonly unknown[]): Promise<unknown> => {
      state.long ||= !this.options.isShort(name, words);
      if (state.long) return Promise.reject(new Error('a search of unknown size: it is read in a thread'));
      return Promise.resolve(readBy(held.reader, name, words));
    };
    held.connection.run('begin');
    try {
      const value = await read(readerOf(answer));
      return state.long ? { long: true } : { long: false, value };
    } catch (error) {
      if (state.long) return { long: true };
      throw error;
    } finally {
      held.connection.run('commit');
      this.give(held);
    }
  }

  private take(): Held {
    const idle = this.idle.pop();
    if (idle) return idle;
    const connection = new Connection(this.options.path);
    return { connection, reader: new SqliteReader(connection) };
  }

  private give(held: Held): void {
    if (this.idle.length < mostIdle) this.idle.push(held);
    else held.connection.close();
  }

  close(): void {
    for (const { connection } of this.idle.splice(0)) connection.close();
  }
}

/** Of a search or a count: what it looks for, and how many are counted. */
export const askedBy = (words: readonly unknown[]): readonly [plan: SearchPlan, sight: Sight, limit: number] =>
  words as unknown as readonly [SearchPlan, Sight, number];
