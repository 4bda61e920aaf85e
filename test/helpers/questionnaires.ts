import { createValidator } from '../../src/validation/validator.js';
import { r4Definitions } from './definitions.js';

const url = 'https://example.org/Questionnaire/q';
const set = (id: string, system: string, ...codes: readonly (readonly [string, string])[]) => ({
  resourceType: 'ValueSet',
  url: `https://example.org/ValueSet/${id}`,
  status: 'active',
  compose: { include: [{ system, concept: codes.map(([code, display]) => ({ code, display })) }] },
});
export const colours = set('colours', 'https://example.org/colours', ['r', 'Red'], ['g', 'Green']);
export const lengths = set('lengths', 'http://unitsofmeasure.org', ['cm', 'centimetre'], ['m', 'metre']);

export type Item = { readonly linkId: string; readonly type: string; readonly [name: string]: unknown };

export const questionnaire = (items: readonly Item[], more: object = {}) => ({
  resourceType: 'Questionnaire',
  url,
  status: 'active',
  item: items,
  ...more,
});

export const told = (definitions: readonly object[], resource: unknown): readonly string[] =>
  createValidator(r4Definitions().with([...definitions, colours, lengths]))
    .validate(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, expression }) => `${code} ${(expression?.[0] ?? '').replace('QuestionnaireResponse', 'R')}`);

/** The errors of a response to a questionnaire of these questions. */
export const answering =
  (...items: readonly Item[]) =>
  (given: readonly object[], status = 'completed'): readonly string[] =>
    told([questionnaire(items)], {
      resourceType: 'QuestionnaireResponse',
      status,
      questionnaire: url,
      ...(given.length === 0 ? {} : { item: given }),
    });
export const extension = (name: string, value: object) => ({
  extension: [{ url: `http://hl7.org/fhir/StructureDefinition/${name}`, ...value }],
});
export const said = (linkId: string, ...answer: readonly object[]) => ({ linkId, answer });
