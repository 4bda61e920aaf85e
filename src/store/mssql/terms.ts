import { jsonText, meant, sentAs } from '../json-text.js';
import { keyText } from '../key-text.js';
import { troubleOf } from './server-errors.js';
import type { Database } from './database.js';

const arrived = 'translate(w.text, @sent_as, @meant)';
const insertTexts = `insert into term (text) select ${arrived} from openjson(@texts) with (text nvarchar(400) '$.t') w
  where not exists (select 1 as one from term t where t.text = ${arrived} collate Latin1_General_BIN2)`;

/** The interned strings of the database. Terms are never removed, so a known number stays right in every process. */
export class Terms {
  private readonly numbers = new Map<string, number>();
  private readonly texts = new Map<number, string>();

  constructor(private readonly database: Database) {}

  /** Synchronously, what is known here; undefined may only mean that it was not loaded. */
  known(text: string): number | undefined {
    return this.numbers.get(text);
  }

  async load(): Promise<void> {
    for (const row of await this.database.read('select top (20000) id, text from term order by id')) this.remember(row);
  }

  /** Looks up those of the texts that the database has. */
  async find(texts: Iterable<string>): Promise<void> {
    const missing = [...new Set(texts)].filter((text) => !this.numbers.has(text));
    if (missing.length === 0) return;
    const byKey = new Map(missing.map((text) => [keyText(text), text]));
    const rows = await this.database.read(
      `select t.id, t.text from openjson(@texts) with (text nvarchar(400) '$.t') w
       inner join term t on t.text = ${arrived} collate Latin1_General_BIN2`,
      { texts: jsonText([...byKey.keys()].map((t) => ({ t }))), sent_as: sentAs, meant },
    );
    for (const row of rows) this.remember({ ...row, text: byKey.get(String(row['text'])) ?? row['text'] });
  }

  /** Numbers for all of the texts; new ones are written at once, in a statement of their own. */
  async intern(texts: Iterable<string>): Promise<void> {
    const wanted = [...new Set(texts)];
    await this.find(wanted);
    const missing = wanted.filter((text) => !this.numbers.has(text));
    if (missing.length === 0) return;
    const rows = jsonText([...new Set(missing.map(keyText))].sort().map((t) => ({ t })));
    await this.database.again(
      () => this.database.send(insertTexts, { texts: rows, sent_as: sentAs, meant }),
      // another process wrote some of them in between: the others are sent again
      (error) => troubleOf(error) !== 'fault',
    );
    await this.find(missing);
  }

  number(text: string): number {
    const number = this.numbers.get(text);
    if (number === undefined) throw new Error(`no number for ${text}`);
    return number;
  }

  async textOf(ids: Iterable<number>): Promise<(id: number) => string> {
    const missing = [...new Set(ids)].filter((id) => !this.texts.has(id));
    if (missing.length > 0)
      for (const row of await this.database.read(
        "select t.id, t.text from openjson(@ids) with (id int '$.i') w inner join term t on t.id = w.id",
        { ids: JSON.stringify(missing.map((i) => ({ i }))) },
      ))
        this.remember(row);
    return (id) => this.texts.get(id) ?? '';
  }

  private remember(row: Readonly<Record<string, unknown>>): void {
    this.numbers.set(String(row['text']), Number(row['id']));
    this.texts.set(Number(row['id']), String(row['text']));
  }
}
