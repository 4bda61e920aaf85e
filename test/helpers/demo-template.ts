import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';

/**
 * A data folder with the demo data, made once for a whole run by the first test file that needs it; the others wait and copy it.
 * Making the demo data takes seconds, copying it milliseconds.
 */
export const demoTemplate = async (make: (folder: string) => Promise<void>): Promise<string> => {
  const root = process.env['DEMO_TEMPLATE'] ?? '';
  const [made, making, lock] = ['made', 'making', 'lock'].map((name) => path.join(root, name)) as [string, string, string];
  try {
    mkdirSync(lock);
    await make(making);
    renameSync(making, made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    while (!existsSync(made)) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return made;
};
