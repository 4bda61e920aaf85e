import { readFile } from 'node:fs/promises';
import { readDefinitions } from '../../packages/read-definitions.js';
import { parseJson } from '../../fhir/json.js';
import { Failure, type Issue } from '../../fhir/outcome.js';
import { createValidator } from '../../validation/validator.js';

const check = async (file: string, validate: (resource: unknown) => readonly Issue[]): Promise<readonly Issue[]> => {
  try {
    return validate(parseJson(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof Failure) return error.issues;
    throw error;
  }
};

export const validateFiles = async (words: readonly string[]): Promise<void> => {
  const files = words.filter((word) => !word.startsWith('--'));
  if (files.length === 0) throw new Error('name at least one file');
  const { validate } = createValidator(await readDefinitions());
  for (const file of files) {
    const issues = await check(file, validate);
    if (issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) process.exitCode = 1;
    if (words.includes('--json')) process.stdout.write(`${JSON.stringify({ file, issues })}\n`);
    else
      process.stdout.write(
        [
          `${file}: ${issues.length === 0 ? 'valid' : ''}`,
          ...issues.map(({ severity, expression, text }) => `  ${severity} ${expression?.join(', ') ?? ''}: ${text}`),
          '',
        ].join('\n'),
      );
  }
};
