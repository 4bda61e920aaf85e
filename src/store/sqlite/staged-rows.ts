import type { Connection } from './connection.js';
import type { Cell } from './owned-rows.js';

/** Rows of one statement: what it costs to call the engine is shared by so many. */
const together = 60;

/** Gathers rows of one table and inserts many with one statement. Whoever adds flushes at the end. */
export class StagedRows {
  private cells: (Cell | null)[] = [];
  private readonly full: string;

  constructor(
    private readonly connection: Connection,
    private readonly table: string,
    private readonly columns: readonly string[],
  ) {
    this.full = this.textOf(together);
  }

  add(row: readonly (Cell | null)[]): void {
    for (const cell of row) this.cells.push(cell);
    if (this.cells.length === together * this.columns.length) this.write(this.full);
  }

  flush(): void {
    if (this.cells.length > 0) this.write(this.textOf(this.cells.length / this.columns.length));
  }

  private write(text: string): void {
    this.connection.run(text, ...this.cells);
    this.cells = [];
  }

  private textOf(rows: number): string {
    const row = `(${this.columns.map(() => '?').join(', ')})`;
    return `insert into ${this.table} (${this.columns.join(', ')}) values ${new Array(rows).fill(row).join(', ')}`;
  }
}
