import type { Connection } from './connection.js';

const mostMissing = 1000;

/** The interned strings of a connection's database. Terms are never removed, so a cached number stays right. */
export class Terms {
  private readonly numbers = new Map<string, number>();
  private readonly texts = new Map<number, string>();
  /** asked for and not written yet, when the table ended at `newest` */
  private readonly missing = new Set<string>();
  private newest = 0;
  private current = false;
  private moment: number | undefined;

  constructor(private readonly connection: Connection) {}

  find(text: string): number | undefined {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    if (this.missing.has(text) && this.isCurrent()) return undefined;
    const row = this.connection.get('select id from term where text = ?', text) as { id: number } | undefined;
    if (row) this.remember(row.id, text);
    else this.missing.add(text);
    return row?.id;
  }

  /** Before each statement: what was not there may have been written since. */
  renew(): void {
    const moment = this.connection.moment();
    if (moment === this.moment) return;
    this.moment = moment;
    this.current = false;
  }

  /** Whether no term was written since the missing ones were looked for; looked at once for each state that is read. */
  private isCurrent(): boolean {
    if (this.current) return true;
    this.current = true;
    const { newest } = this.connection.get('select max(id) as newest from term') as { newest: number | null };
    if (newest === this.newest && this.missing.size < mostMissing) return true;
    this.newest = newest ?? 0;
    this.missing.clear();
    return false;
  }

  /** Only the writer calls this, inside its transaction. */
  intern(text: string): number {
    const known = this.find(text);
    if (known !== undefined) return known;
    this.missing.delete(text);
    return this.connection.insert('insert into term (text) values (?)', text);
  }

  textOf(id: number): string {
    const known = this.texts.get(id);
    if (known !== undefined) return known;
    const row = this.connection.get('select text from term where id = ?', id) as { text: string } | undefined;
    if (!row) throw new Error(`no term ${String(id)}`);
    this.remember(id, row.text);
    return row.text;
  }

  private remember(id: number, text: string): void {
    this.numbers.set(text, id);
    this.texts.set(id, text);
  }
}
