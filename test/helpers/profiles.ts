import type { ElementDefinition, StructureDefinition } from 'fhir/r4.js';
import { isError, type Finding } from '../../src/validation/finding.js';
import { createValidator, type ValidatorOptions } from '../../src/validation/validator.js';
import { r4Definitions } from './definitions.js';

type Element = Partial<ElementDefinition> & { readonly id: string };

const urlOf = (name: string): string => `https://example.org/StructureDefinition/${name}`;

/** A profile (or extension) that says nothing but these elements; paths and slice names come from the ids. */
export const aProfile = (name: string, type: string, elements: readonly Element[], more: object = {}): StructureDefinition =>
  ({
    resourceType: 'StructureDefinition',
    url: urlOf(name),
    name,
    status: 'active',
    kind: type === 'Extension' || /^[A-Z][A-Za-z]+$/.test(type) ? 'resource' : 'complex-type',
    abstract: false,
    type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    differential: {
      element: [
        { id: type, path: type },
        ...elements.map((element) => {
          const slice = /:([^.:]+)$/.exec(element.id)?.[1];
          const path = element.id.replaceAll(/:[^.]+/g, '');
          return { path, ...(slice === undefined ? {} : { sliceName: slice }), ...element };
        }),
      ],
    },
    ...more,
  }) as unknown as StructureDefinition;

/** A validator that knows R4 and these definitions. */
export const knowing = (definitions: readonly object[], options: ValidatorOptions = {}) => {
  const { validate } = createValidator(r4Definitions().with(definitions), options);
  /** `code expression` of each error; under the first of the definitions */
  const errors = (resource: object, profile = (definitions[0] as { readonly url: string }).url): readonly string[] =>
    told(validate(resource, { profiles: [profile] }).filter(isError));
  return { validate, errors };
};

export const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ code, expression }) => `${code} ${expression?.[0] ?? ''}`);
