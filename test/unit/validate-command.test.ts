import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folder = mkdtempSync(path.join(tmpdir(), 'validate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string): void => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
};
const narrative = '"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">x</div>"}';
write('valid.json', `{"resourceType":"Patient",${narrative},"active":true}`);
write('more/lines.ndjson', `{"resourceType":"Patient",${narrative}}\n\n{"resourceType":"Patient","activ":true}\n`);
write('more/element.xml', '<Patient xmlns="http://hl7.org/fhir"><gender value="x"/></Patient>');
write('more/cut.json', '{"resourceType":');
write(
  'code.json',
  '{"resourceType":"Basic","code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"ZZ"}]}}',
);
write('more/notes.txt', 'no resource');

const run = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const command = path.join(__dirname, '../../dist/cli/main.js');
  return spawnSync(process.execPath, [command, 'validate', ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
};

type Line = {
  readonly file: string;
  readonly outcome: { readonly issue: readonly { readonly severity: string; readonly expression?: readonly string[] }[] };
};

jest.setTimeout(120_000);

test('a folder: every .json, .xml and line of .ndjson, with what is wrong and where', () => {
  const { stdout, status } = run(['more', 'valid.json', 'missing.json', '--json']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const errors = lines.map(({ file, outcome }) => [
    file,
    outcome.issue.filter(({ severity }) => severity === 'error').map(({ expression }) => expression?.[0] ?? ''),
  ]);
  expect(errors).toEqual([
    ['more/cut.json', ['']],
    ['more/element.xml', ['Patient.gender']],
    ['more/lines.ndjson:1', []],
    ['more/lines.ndjson:3', ['Patient']],
    ['valid.json', []],
    ['missing.json', ['']],
  ]);
  expect(status).toBe(1);
});

test('a report to be read, and nothing to complain of', () => {
  const { stdout, status } = run(['valid.json']);
  expect([stdout, status]).toEqual(['valid.json: valid\n', 0]);
  const several = run(['valid.json', 'more']);
  expect(several.stdout).toContain("error       Patient.gender: 'x' is not in AdministrativeGender\n");
  expect(several.stdout.trim().split('\n').at(-1)).toBe('2 valid, 3 not valid');
});

test('the settings say what a code is that its system does not have', () => {
  expect(run(['code.json']).status).toBe(1);
  expect(run(['code.json'], { UNKNOWN_CODES: 'warning' }).status).toBe(0);
});

test.each([
  [['--strict', 'valid.json'], 'there is no option --strict'],
  [[], 'name at least one file or folder'],
  [['valid.json', '--profile'], '--profile needs a URL'],
  [['valid.json', '--profile', 'http://example.org/none'], 'the profile http://example.org/none is not known here'],
])('%j is refused in one line', (words, message) => {
  const { stderr, stdout, status } = run(words);
  expect([stdout, stderr, status]).toEqual(['', `referral-server validate: ${message}\n`, 1]);
});
