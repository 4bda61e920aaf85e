import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isError } from '../../src/validation/finding.js';
import { createShapes } from '../../src/validation/shapes.js';
import { createValidator, ukCoreByDefault } from '../../src/validation/validator.js';
import { projectRoot } from '../helpers/artefacts.js';
import { allDefinitions } from '../helpers/definitions.js';
import { singleFaults } from '../helpers/single-faults.js';

const shared = path.join(process.env['SHARED_DATA'] ?? path.join(projectRoot, '../shared/data'), 'uk-core-examples');
const definitions = allDefinitions();
const { validate } = createValidator(definitions, ukCoreByDefault(definitions));
const shapes = createShapes(definitions, { shape: () => undefined, element: () => undefined });

type Node = { [name: string]: unknown };

/** Errors that are not the fault's own place, or one step around it, tell of something else. */
const isNear = (expression: string, at: string): boolean =>
  expression === at || at.startsWith(`${expression}.`) || at.startsWith(`${expression}[`) || expression.startsWith(`${at}.`);

const problemsOf = (resource: Node): readonly string[] => {
  if (validate(resource).some(isError)) return [];
  const problems: string[] = [];
  for (const { kind, at, make } of singleFaults(
    resource,
    shapes.get(resource['resourceType'] as string),
    resource['resourceType'] as string,
    shapes,
  )) {
    const restore = make();
    const places = validate(resource)
      .filter(isError)
      .map(({ expression }) => expression?.[0] ?? '');
    restore();
    if (places.length !== 1 || !isNear(places[0]!, at)) problems.push(`${kind} at ${at}: ${places.join(', ') || 'accepted'}`);
  }
  return problems;
};

const read = (folder: string): readonly (readonly [string, Node])[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .map((file) => [
          path.basename(file, '.json'),
          JSON.parse(readFileSync(path.join(folder, file), 'utf8').replace(/^\uFEFF/, '')) as Node,
        ])
    : [];

describe.each([
  ['our own examples', read(path.join(projectRoot, 'test/examples'))],
  ['UK Core’s examples', read(shared)],
])('one fault, one issue, where it is: %s', (_, examples) => {
  if (examples.length === 0) test.skip('skipped: they are not there', () => undefined);
  else
    test.each(examples)('%s', (_name, example) => {
      expect(problemsOf(example)).toEqual([]);
    });
});
