import type { Connection } from './connection.js';

/** The interned strings of a connection's database. Terms are never removed, so a cached number stays right. */
export class Terms {
  private readonly numbers = new Map<string, number>();
  private readonly texts = new Map<number, string>();

  constructor(private readonly connection: Connection) {}

  find(text: string): number | undefined {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    const row = this.connection.get('select id from term where text = ?', text) as { id: number } | undefined;
    if (row) this.remember(row.id, text);
    return row?.id;
  }

  /** Only the writer calls this, inside its transaction. */
  intern(text: string): number {
    return this.find(text) ?? this.connection.insert('insert into term (text) values (?)', text);
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
