import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Public example data stands beside the project; what uses it is skipped, in one line, where it is not there. */
export const sharedData = process.env['SHARED_DATA'] ?? path.join(__dirname, '../../../shared/data');

/** Every file below a folder of the example data with this ending: its path there and its text. */
export const examples = (folder: string, ending: string): readonly { readonly name: string; readonly text: string }[] => {
  const root = path.join(sharedData, folder);
  if (!existsSync(root)) {
    console.log(`skipped: ${folder} of the example data is not there`);
    return [];
  }
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ name, text: readFileSync(path.join(root, name), 'utf8') }));
};
