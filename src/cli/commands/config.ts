import { readConfig, settings } from '../../config.js';
import type { Environment } from '../command.js';

// the user and password of a database URL stay secret
const masked = (value: string): string => value.replace(/\/\/[^@/]+@/, '//***@');

const camel = (name: string): string => name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const shown = (value: unknown): string => {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

export const printConfig = (words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment) as unknown as Readonly<Record<string, unknown>>;
  const rows = settings.map(({ name, meaning, secret }) => {
    const value = config[camel(name)];
    return { name, value: secret === true && value !== undefined ? '***' : masked(shown(value)), meaning };
  });
  process.stdout.write(
    words.includes('--json')
      ? `${JSON.stringify(rows)}\n`
      : rows.map(({ name, value, meaning }) => `${name.padEnd(22)} ${value}\n${' '.repeat(23)}${meaning}\n`).join(''),
  );
  return Promise.resolve();
};
