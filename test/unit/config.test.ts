import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { printConfig } from '../../src/cli/commands/config.js';
import { readConfig } from '../../src/config.js';

const printed = async (words: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> => {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    await printConfig(words, environment);
  } finally {
    write.mockRestore();
  }
  return text;
};

it('what config prints can be set again, and means the same', async () => {
  const environment = { REFERENTIAL_INTEGRITY: 'off', CORS_ORIGINS: 'https://a.example, https://b.example', PORT: '0', DEMO: 'false' };
  const rows = JSON.parse(await printed(['--json'], environment)) as readonly { name: string; value: string | null }[];
  const again = Object.fromEntries(rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])));
  expect(again).toMatchObject({ REFERENTIAL_INTEGRITY: 'off', PORT: '0', CORS_ORIGINS: 'https://a.example,https://b.example' });
  expect(readConfig(again)).toEqual(readConfig(environment));
  expect(rows.find(({ name }) => name === 'BASE_URL')?.value).toBeNull();
});

it('config masks what is secret', async () => {
  const text = await printed([], {
    DATABASE_URL: 'mssql://sa:p@ss:w0rd@db.example:1433/referrals',
    TERMINOLOGY_URL: 'https://terminology.example/fhir',
    TERMINOLOGY_TOKEN_URL: 'https://terminology.example/token',
    TERMINOLOGY_CLIENT_ID: 'me',
    TERMINOLOGY_CLIENT_SECRET: 'hush',
  });
  expect(text).toContain('mssql://***@db.example:1433/referrals');
  expect(text).toMatch(/TERMINOLOGY_CLIENT_SECRET +\*\*\*\n/);
  expect(text).not.toMatch(/hush|ss:w0rd/);
});

it('a secret may stand in a file, is used as if it were set, and masked alike, also where it is wrong', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'secrets-'));
  const file = path.join(folder, 'url');
  writeFileSync(file, 'mssql://sa:hush@db.example/referrals\n');
  try {
    expect(readConfig({ DATABASE_URL_FILE: file }).databaseUrl).toBe('mssql://sa:hush@db.example/referrals');
    expect(await printed([], { DATABASE_URL_FILE: file })).not.toContain('hush');
    expect(() => readConfig({ DATABASE_URL_FILE: file, DATABASE_URL: 'sqlite:x' })).toThrow('DATABASE_URL and DATABASE_URL_FILE');
    expect(() => readConfig({ TERMINOLOGY_CLIENT_SECRET_FILE: path.join(folder, 'none') })).toThrow(/^TERMINOLOGY_CLIENT_SECRET_FILE: /);
    writeFileSync(file, 'postgres://sa:hush@db');
    expect(() => readConfig({ DATABASE_URL_FILE: file })).toThrow(/^(?!.*hush)Wrong settings: .*DATABASE_URL/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each([
  ['PORT', '70000'],
  ['PORT', ''],
  ['WORKERS', 'many'],
  ['TIME_ZONE', 'Europe/Atlantis'],
  ['DEMO', 'perhaps'],
  ['DATABASE_URL', 'postgres://db'],
  ['BASE_URL', 'ftp://x'],
  ['LOG_LEVEL', 'loud'],
  ['REFERENTIAL_INTEGRITY', 'true'],
  ['TLS_CERT_FILE', 'cert.pem'],
  ['TRUSTED_PROXIES', '10.0.0.0/40'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^Wrong settings: .*${name}`));
});

it('all wrong settings are told at once', () => {
  expect(() => readConfig({ PORT: 'x', WORKERS: '0' })).toThrow(/PORT.*WORKERS/);
});
