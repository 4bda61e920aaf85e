import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(__dirname, '../golden/tsql');

/**
 * T-SQL texts as files to review: a change of one shows in the diff; `UPDATE_GOLDEN=1 npx jest test/golden` writes them anew.
 *
 * @param prefixes what the names of the caller's files begin with
 */
export const goldenFolder = (...prefixes: readonly string[]) => {
  const seen = new Set<string>();
  return {
    golden: (name: string, text: string): void => {
      const file = path.join(folder, `${name}.sql`);
      seen.add(`${name}.sql`);
      if (process.env['UPDATE_GOLDEN'] === '1') {
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, `${text.trim()}\n`);
      }
      expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(`${text.trim()}\n`);
    },
    /** files of the caller's that no text of this run belongs to */
    left: (): readonly string[] =>
      readdirSync(folder).filter((file) => prefixes.some((prefix) => file.startsWith(`${prefix}-`)) && !seen.has(file)),
  };
};
