import { isDeepStrictEqual } from 'node:util';
import type { OperationDefinitionParameter, Reference } from 'fhir/r4.js';
import { systems } from '../domain/codes.js';
import { withPresentSystems } from '../domain/older-names.js';
import { codeWithin, systemOfAll } from '../domain/reference-data/code-within.js';
import { Failure, failure, type Issue } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';

/** One parameter as it came (R4 parameters.html): a value, a resource, or parts. */
export type Given = {
  readonly name: string;
  readonly resource?: Resource;
  readonly part?: readonly Given[];
  readonly [value: string]: unknown;
};

/** How an input is declared: R4's OperationDefinition.parameter. */
export type Declared = Pick<OperationDefinitionParameter, 'name' | 'use' | 'min' | 'max' | 'type' | 'documentation' | 'binding'> & {
  readonly part?: readonly Declared[];
};

type Coded = { readonly system?: string; readonly code?: string };

const at = (path: string, name: string): string => `${path}.where(name='${name}')`;

const wrong = (issue: string, code: string, text: string, expression: string): Failure =>
  failure('invalid', issue, text, { expression: [expression], coding: { system: systems.errorCodes, code } });

/** The forms in which a value of the declared type may stand. A code also comes as Coding, CodeableConcept or string: e-RS's own clients vary. */
const forms: Readonly<Record<string, readonly string[]>> = {
  code: ['valueCode', 'valueCoding', 'valueCodeableConcept', 'valueString'],
  string: ['valueString', 'valueMarkdown'],
  boolean: ['valueBoolean'],
  unsignedInt: ['valueUnsignedInt', 'valueInteger', 'valuePositiveInt', 'valueDecimal'],
  dateTime: ['valueDateTime', 'valueInstant', 'valueDate'],
  Reference: ['valueReference', 'valueIdentifier'],
};

const numberOf = (given: Given | undefined): number | undefined => {
  const value = (forms['unsignedInt'] ?? []).map((form) => given?.[form]).find((candidate) => candidate !== undefined);
  return value === undefined ? undefined : Number(value);
};

// R4 datatypes.html#unsignedInt: 31 bits
const isUnsigned = (value: number | undefined): boolean => Number.isInteger(value) && (value ?? -1) >= 0 && (value ?? 0) < 2 ** 31;

const fits = (given: Given, declared: Declared): boolean => {
  if (declared.part) return given.part !== undefined || given.resource?.resourceType === 'Parameters';
  const type = declared.type ?? 'string';
  if (type === 'unsignedInt') return isUnsigned(numberOf(given));
  if (type in forms) return (forms[type] ?? []).some((form) => given[form] !== undefined);
  // a resource; a shortlist may be given as references too
  return given.resource?.resourceType === type || given['valueReference'] !== undefined;
};

/** The inputs of an operation, read by name; every fault of form is found when it is made. */
export class Inputs {
  private constructor(
    private readonly declared: readonly Declared[],
    private readonly given: readonly Given[],
    private readonly path: string,
  ) {}

  /** Throws 400 with everything that does not fit the declaration: unknown, missing, repeated or wrongly typed parameters. */
  static read(declared: readonly Declared[], body: Resource | undefined, root = 'Parameters'): Inputs {
    const path = `${root}.parameter`;
    if (body !== undefined && body.resourceType !== 'Parameters')
      throw failure('invalid', 'invalid', `The body must be Parameters, not ${body.resourceType}.`, { expression: [body.resourceType] });
    const given = withPresentSystems((body?.['parameter'] ?? []) as readonly Given[]);
    const faults = faultsOf(declared, given, path);
    if (faults.length > 0) throw new Failure('invalid', faults);
    return new Inputs(declared, given, path);
  }

  has(name: string): boolean {
    return this.given.some((one) => one.name === name);
  }

  all(name: string): readonly Given[] {
    return this.given.filter((one) => one.name === name);
  }

  /** A code of the code system that the input is bound to; what comes with another system is told with it, `system|code`. */
  code(name: string): string | undefined {
    const valueSet = this.declaredAs(name)?.binding?.valueSet;
    return codeOf(
      this.given.find((one) => one.name === name),
      valueSet === undefined ? undefined : systemOfAll(valueSet),
    );
  }

  text(name: string): string | undefined {
    const one = this.given.find((candidate) => candidate.name === name);
    return (one?.['valueString'] ?? one?.['valueMarkdown']) as string | undefined;
  }

  boolean(name: string): boolean | undefined {
    return this.given.find((one) => one.name === name)?.['valueBoolean'] as boolean | undefined;
  }

  number(name: string): number | undefined {
    return numberOf(this.given.find((one) => one.name === name));
  }

  dateTime(name: string): string | undefined {
    const one = this.given.find((candidate) => candidate.name === name);
    return (forms['dateTime'] ?? []).map((form) => one?.[form]).find((value) => value !== undefined) as string | undefined;
  }

  reference(name: string): Reference | undefined {
    return referenceOf(this.given.find((one) => one.name === name));
  }

  /** Whether both say the same under a name; a code in whatever form. */
  isSame(other: Inputs, name: string): boolean {
    const code = this.code(name);
    return (code !== undefined && code === other.code(name)) || isDeepStrictEqual(this.all(name), other.all(name));
  }

  private declaredAs(name: string): Declared | undefined {
    return this.declared.find((one) => one.name === name);
  }

  parts(name: string): Inputs | undefined {
    const one = this.given.find((candidate) => candidate.name === name);
    if (!one) return undefined;
    const inner = one.part ?? (one.resource?.['parameter'] as readonly Given[] | undefined) ?? [];
    return new Inputs(this.declaredAs(name)?.part ?? [], inner, `${at(this.path, name)}.part`);
  }
}

const codingsOf = (one: Given | undefined): readonly Coded[] | undefined => {
  const concept = one?.['valueCodeableConcept'] as { readonly coding?: readonly Coded[] } | undefined;
  const coding = one?.['valueCoding'] as Coded | undefined;
  return concept?.coding ?? (coding && [coding]);
};

const codeOf = (one: Given | undefined, system: string | undefined): string | undefined => {
  const codings = codingsOf(one);
  if (codings === undefined) return (one?.['valueCode'] ?? one?.['valueString']) as string | undefined;
  return system === undefined ? codings.find(({ code }) => code !== undefined)?.code : codeWithin(codings, system);
};

export const referenceOf = (one: Given | undefined): Reference | undefined => {
  if (one?.['valueReference'] !== undefined) return one['valueReference'] as Reference;
  return one?.['valueIdentifier'] === undefined
    ? undefined
    : { identifier: one['valueIdentifier'] as NonNullable<Reference['identifier']> };
};

const faultsOf = (declared: readonly Declared[], given: readonly Given[], path: string): readonly Issue[] => [
  ...given.flatMap((one, index) =>
    typeof (one as Partial<Given>).name !== 'string'
      ? wrong('required', 'MISSING_PARAMETER', 'A parameter needs a name.', `${path}[${String(index)}].name`).issues
      : declared.some(({ name }) => name === one.name)
        ? []
        : wrong(
            'structure',
            'UNEXPECTED_FIELD',
            `There is no parameter ${one.name}; there are ${declared.map(({ name }) => name).join(', ') || 'none'}.`,
            at(path, one.name),
          ).issues,
  ),
  ...declared.flatMap((one) =>
    faultsIn(
      one,
      given.filter(({ name }) => name === one.name),
      path,
    ),
  ),
];

const faultsIn = (declared: Declared, given: readonly Given[], path: string): readonly Issue[] => {
  const expression = at(path, declared.name);
  if (given.length < declared.min)
    return wrong('required', 'MISSING_PARAMETER', `The parameter ${declared.name} is missing.`, expression).issues;
  if (declared.max !== '*' && given.length > Number(declared.max))
    return wrong('structure', 'TOO_MANY_ITEMS', `The parameter ${declared.name} is there more than ${declared.max} time(s).`, expression)
      .issues;
  return given.flatMap((one) => {
    if (!fits(one, declared))
      return wrong(
        'value',
        'INVALID_VALUE',
        `The parameter ${declared.name} is not a ${declared.part ? 'group of parts' : (declared.type ?? '')}.`,
        expression,
      ).issues;
    if (!declared.part) return [];
    return faultsOf(declared.part, one.part ?? ((one.resource?.['parameter'] ?? []) as readonly Given[]), `${expression}.part`);
  });
};
