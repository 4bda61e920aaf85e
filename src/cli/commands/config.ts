import { maskedUrl, readConfig, settings } from '../../config.js';
import type { Environment } from '../command.js';

const camel = (name: string): string => name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

type Value = string | number | boolean | readonly string[];

/** As the variable would be set, so that what is printed can be used. */
const asSet = (name: string, value: Value | undefined): string | undefined => {
  if (value === undefined) return undefined;
  if (name === 'REFERENTIAL_INTEGRITY') return value === true ? 'enforce' : 'off';
  return maskedUrl(value.toString());
};

/** `config`: every setting, its meaning and its value as the variable would be set (null in JSON when it is not); secrets masked. */
export const printConfig = (words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment) as unknown as Readonly<Record<string, Value | undefined>>;
  const rows = settings.map(({ name, meaning, secret }) => {
    const value = asSet(name, config[camel(name)]);
    return { name, value: secret === true && value !== undefined ? '***' : value, meaning };
  });
  const width = Math.max(...rows.map(({ name }) => name.length)) + 1;
  const none = (value: string | undefined): string => (value === undefined || value === '' ? 'not set' : value);
  process.stdout.write(
    words.includes('--json')
      ? `${JSON.stringify(rows.map((row) => ({ ...row, value: row.value ?? null })))}\n`
      : rows.map(({ name, value, meaning }) => `${name.padEnd(width)} ${none(value)}\n${' '.repeat(width + 1)}${meaning}\n`).join(''),
  );
  return Promise.resolve();
};
