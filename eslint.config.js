import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// The rooms of the house: who may import what. `files` are the rooms where the import is refused.
const refused = (files, ignores, group, message) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns: group.map((patterns) => ({ group: patterns, message })) }] },
});

export default tseslint.config(
  { ignores: ['dist/**', 'data/**', 'coverage/**', 'node_modules/**'] },
  js.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/http/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['@hapi/*'], message: 'hapi stays in src/http' }] }],
    },
  },
  refused(
    [
      'src/domain/**/*.ts',
      'src/fhir/**/*.ts',
      'src/access/**/*.ts',
      'src/validation/**/*.ts',
      'src/interactions/**/*.ts',
      'src/operations/**/*.ts',
      'src/resources/**/*.ts',
    ],
    [],
    [['@hapi/*', 'mssql', 'tedious', 'kysely', '@photostructure/sqlite', 'node:sqlite', 'node-jose', 'node:fs*', 'pino']],
    'this room does no I/O: it goes through ports',
  ),
  refused(
    ['src/http/**/*.ts', 'src/cli/**/*.ts', 'src/demo/**/*.ts', 'src/auth/**/*.ts'],
    [],
    [['mssql', 'tedious', 'kysely', '@photostructure/sqlite', 'node:sqlite']],
    'SQL stays in src/store',
  ),
  refused(
    ['src/http/**/*.ts', 'src/cli/**/*.ts', 'src/demo/**/*.ts', 'src/store/**/*.ts', 'src/blobs/**/*.ts', 'src/jobs/**/*.ts'],
    ['src/cli/demo*.ts'],
    [['node-jose']],
    'JOSE stays in src/auth',
  ),
  {
    files: ['**/*.mjs', '*.js'],
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        clearInterval: 'readonly',
        setInterval: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
        URLSearchParams: 'readonly',
        setImmediate: 'readonly',
      },
    },
  },
);
