import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

it.each(['docs/security.md', 'docs/clinical-safety.md'])('%s names tests that exist', (file) => {
  const named = [...textOf(file).matchAll(/`((?:unit|api|contract|conformance|golden)\/[a-z0-9-]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !existsSync(path.join(root, 'test', `${name}.test.ts`)))).toEqual([]);
});

it.each(['README.md', 'docs/clinical-safety.md', 'docs/security.md', 'docs/operations.md', 'bench/README.md'])(
  '%s names commands that exist',
  (file) => {
    const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...textOf(file).matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  },
);
