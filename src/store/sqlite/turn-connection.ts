import { Connection, type Row, type Tuple } from './connection.js';

type Bindable = string | number | null;

/**
 * A connection that only reads. The reads of one turn of the event loop share a transaction, and so see one state: taking and giving back
 * the locks of a transaction is half of what a point read costs. A request that comes in a turn was sent before the turn's first read, so that
 * it sees whatever its sender was told before; what is learned during a turn, of an own commit or from another thread, ends it.
 */
export class TurnConnection extends Connection {
  private inTurn = false;
  private turns = 0;

  override get(text: string, ...parameters: readonly Bindable[]): Row | undefined {
    this.begin();
    return super.get(text, ...parameters);
  }

  override tuple(text: string, ...parameters: readonly Bindable[]): Tuple | undefined {
    this.begin();
    return super.tuple(text, ...parameters);
  }

  override all(text: string, ...parameters: readonly Bindable[]): readonly Row[] {
    this.begin();
    return super.all(text, ...parameters);
  }

  override tuples(text: string, ...parameters: readonly Bindable[]): readonly Tuple[] {
    this.begin();
    return super.tuples(text, ...parameters);
  }

  /** One for each turn. */
  override moment(): number {
    this.begin();
    return this.turns;
  }

  override together<T>(read: () => T): T {
    this.begin();
    return read();
  }

  /** What is read from now on sees all that is committed now. */
  readonly endTurn = (): void => {
    if (!this.inTurn) return;
    this.inTurn = false;
    // a fault of the engine may have ended it already
    if (this.db.isTransaction) this.run('commit');
  };

  override close(): void {
    this.endTurn();
    super.close();
  }

  private begin(): void {
    if (this.inTurn) return;
    this.run('begin');
    this.inTurn = true;
    this.turns++;
    setImmediate(this.endTurn);
  }
}
