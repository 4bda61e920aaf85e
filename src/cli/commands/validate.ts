import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readConfig } from '../../config.js';
import { parseJson } from '../../fhir/json.js';
import { Failure, type Issue } from '../../fhir/outcome.js';
import { outcomeOf } from '../../fhir/outcome-text.js';
import { createShapes, typeUrl, type Shapes } from '../../fhir/shapes.js';
import { readXml } from '../../fhir/xml/read.js';
import { readDefinitions } from '../../packages/read-definitions.js';
import { configuredTerminologyServer } from '../../partners/configured.js';
import type { Definitions } from '../../validation/definitions.js';
import { isError } from '../../validation/finding.js';
import { createValidator, ukCoreByDefault, type Validator } from '../../validation/validator.js';
import type { Environment } from '../command.js';

/** One resource to be judged: a file, or a line of one. */
type Subject = { readonly name: string; readonly text: () => Promise<string> };

type Words = { readonly files: readonly string[]; readonly profiles: readonly string[]; readonly json: boolean };

const readWords = (words: readonly string[]): Words => {
  const files: string[] = [];
  const profiles: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--profile') {
      const profile = words[++at];
      if (profile === undefined || profile.startsWith('--')) throw new Error('--profile needs a URL');
      profiles.push(profile);
    } else if (!word.startsWith('--')) files.push(word);
  }
  if (files.length === 0) throw new Error('name at least one file or folder');
  return { files, profiles, json: words.includes('--json') };
};

const isOfUse = (name: string): boolean => /\.(json|xml|ndjson)$/i.test(name);

/** The files below a folder, sorted by name; a file stands for itself, also one that is not there. */
const filesOf = async (name: string): Promise<readonly string[]> => {
  const found = await stat(name).catch(() => undefined);
  if (found?.isDirectory() !== true) return [name];
  const entries = await readdir(name, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && isOfUse(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
};

async function* subjectsOf(files: readonly string[]): AsyncGenerator<Subject> {
  for (const name of files)
    for (const file of await filesOf(name)) {
      if (!/\.ndjson$/i.test(file)) {
        yield { name: file, text: () => readFile(file, 'utf8') };
        continue;
      }
      let line = 0;
      for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        line++;
        if (text.trim() !== '') yield { name: `${file}:${String(line)}`, text: () => Promise.resolve(text) };
      }
    }
}

const parse = (text: string, shapes: Shapes): unknown =>
  /^\uFEFF?\s*</.test(text) ? readXml(text, shapes) : parseJson(text.replace(/^\uFEFF/, ''));

/** What is wrong with a subject, or why it cannot be read. */
const issuesOf = async (
  { text }: Subject,
  shapes: Shapes,
  judge: (resource: unknown) => Promise<readonly Issue[]>,
): Promise<readonly Issue[]> => {
  try {
    return await judge(parse(await text(), shapes));
  } catch (error) {
    if (error instanceof Failure) return error.issues;
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return [
      { severity: 'error', code: 'not-found', text: code === 'ENOENT' ? 'there is no such file' : `the file cannot be read: ${code}` },
    ];
  }
};

/**
 * Judges more strictly than the server does unless the settings say otherwise: an extension or a code that nothing here knows is an
 * error. UK Core is the standard, unless the caller names another.
 */
const judgeBy = (definitions: Definitions, profiles: readonly string[], environment: Environment) => {
  const config = readConfig(environment);
  const server = configuredTerminologyServer(config, Date.now);
  const validator: Validator = createValidator(definitions, {
    ...(profiles.length === 0 ? ukCoreByDefault(definitions) : {}),
    unknownExtensions: environment['UNKNOWN_EXTENSIONS'] === undefined ? 'error' : config.unknownExtensions,
    unknownCodes: environment['UNKNOWN_CODES'] === undefined ? 'error' : config.unknownCodes,
    undecidedCodes: config.unknownCodes,
  });
  return async (resource: unknown): Promise<readonly Issue[]> => {
    const questions = server === undefined ? [] : validator.questions(resource, { profiles });
    const answers = questions.length === 0 ? undefined : await server!.ask(questions);
    return validator.validate(resource, answers === undefined ? { profiles } : { profiles, answers });
  };
};

const reportOf = (name: string, issues: readonly Issue[]): string =>
  [
    `${name}: ${issues.some(isError) ? 'not valid' : 'valid'}`,
    ...issues.map(({ severity, expression, text, diagnostics }) =>
      [
        `  ${severity.padEnd(11)} ${expression === undefined || expression[0] === '' ? '' : `${expression.join(', ')}: `}${text}`,
        ...(diagnostics === undefined ? [] : [`    ${diagnostics}`]),
      ].join('\n'),
    ),
    '',
  ].join('\n');

export const validateFiles = async (words: readonly string[], environment: Environment): Promise<void> => {
  const { files, profiles, json } = readWords(words);
  const definitions = await readDefinitions(readConfig(environment).profilePackages);
  const unknown = profiles.find((profile) => definitions.findStructure(profile) === undefined);
  if (unknown !== undefined) throw new Error(`the profile ${unknown} is not known here`);
  const judge = judgeBy(definitions, profiles, environment);
  const shapes = createShapes((type) => definitions.findStructure(typeUrl(type)));
  const count = { valid: 0, faulty: 0 };
  for await (const subject of subjectsOf(files)) {
    const issues = await issuesOf(subject, shapes, judge);
    count[issues.some(isError) ? 'faulty' : 'valid']++;
    const { name } = subject;
    process.stdout.write(json ? `${JSON.stringify({ file: name, outcome: outcomeOf('invalid', issues) })}\n` : reportOf(name, issues));
  }
  if (count.valid + count.faulty === 0) throw new Error('there are no .json, .xml or .ndjson files');
  if (!json && count.valid + count.faulty > 1) process.stdout.write(`${String(count.valid)} valid, ${String(count.faulty)} not valid\n`);
  if (count.faulty > 0) process.exitCode = 1;
};
