import { readFile } from 'node:fs/promises';
import { readConfig } from '../../config.js';
import { parseJson } from '../../fhir/json.js';
import { Failure, type Issue } from '../../fhir/outcome.js';
import { outcomeOf } from '../../fhir/outcome-text.js';
import { readDefinitions } from '../../packages/read-definitions.js';
import { isError } from '../../validation/finding.js';
import { createValidator, ukCoreByDefault } from '../../validation/validator.js';
import type { Environment } from '../command.js';

const check = async (file: string, validate: (resource: unknown) => readonly Issue[]): Promise<readonly Issue[]> => {
  try {
    return validate(parseJson(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof Failure) return error.issues;
    throw error;
  }
};

const report = (file: string, issues: readonly Issue[]): string =>
  [
    `${file}: ${issues.some(isError) ? 'not valid' : 'valid'}`,
    ...issues.map(({ severity, expression, text, diagnostics }) =>
      [
        `  ${severity.padEnd(11)} ${expression?.join(', ') ?? ''}: ${text}`,
        ...(diagnostics === undefined ? [] : [`    ${diagnostics}`]),
      ].join('\n'),
    ),
    '',
  ].join('\n');

/** The words that are files, and the profiles that `--profile` names. */
const readWords = (words: readonly string[]): { readonly files: readonly string[]; readonly profiles: readonly string[] } => {
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
  return { files, profiles };
};

/**
 * Judges as strictly as it can: an extension or a code that nothing here knows is an error, where the server is told by its settings.
 * UK Core is the standard, unless the caller names another.
 */
export const validateFiles = async (words: readonly string[], environment: Environment): Promise<void> => {
  const { files, profiles } = readWords(words);
  if (files.length === 0) throw new Error('name at least one file');
  const definitions = await readDefinitions(readConfig(environment).profilePackages);
  const unknown = profiles.find((profile) => definitions.findStructure(profile) === undefined);
  if (unknown !== undefined) throw new Error(`the profile ${unknown} is not known here`);
  const standard = profiles.length === 0 ? ukCoreByDefault(definitions) : {};
  const { validate } = createValidator(definitions, { ...standard, unknownExtensions: 'error', unknownCodes: 'error' });
  for (const file of files) {
    const issues = await check(file, (resource) => validate(resource, { profiles }));
    if (issues.some(isError)) process.exitCode = 1;
    const outcome = { file, outcome: outcomeOf('invalid', issues) };
    process.stdout.write(words.includes('--json') ? `${JSON.stringify(outcome)}\n` : report(file, issues));
  }
};
