import type { CodeableConcept, Coding, ConceptMap, ConceptMapGroup, ConceptMapGroupElementTarget } from 'fhir/r4.js';

/** What is known of the concept beside its code, for mappings that hold only then (ConceptMap.group.element.target.dependsOn). */
export type Dependency = { readonly element: string; readonly concept: CodeableConcept };

/** A concept to translate. */
export type Question = {
  readonly coding: Coding;
  readonly targetSystem: string | undefined;
  readonly dependencies: readonly Dependency[];
  /** from the map's target to its source */
  readonly reverse: boolean;
};

export type Equivalence = ConceptMapGroupElementTarget['equivalence'];

export type Product = { readonly element: string; readonly concept: Coding };

/** One answer of a map; `concept` is absent where the map says that there is none. */
export type Translation = {
  readonly equivalence: Equivalence;
  readonly concept: Coding | undefined;
  readonly products: readonly Product[];
};

/** What a map knows of a concept; `elsewhere`: the maps that it leaves it to. */
export type Translations = { readonly found: readonly Translation[]; readonly elsewhere: readonly string[] };

/** The way back of what is said of the target in terms of the source. */
const inverse: Readonly<Partial<Record<Equivalence, Equivalence>>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
};

const codingOf = (system: string | undefined, code: string | undefined, display: string | undefined): Coding | undefined =>
  code === undefined ? undefined : { ...(system && { system }), code, ...(display && { display }) };

const isVersion = (known: string | undefined, asked: string | undefined): boolean =>
  known === undefined || asked === undefined || known === asked;

const isMet = ({ property, system, value }: DependsOn, dependencies: readonly Dependency[]): boolean =>
  dependencies.some(
    ({ element, concept }) =>
      element === property &&
      (concept.text === value ||
        concept.coding?.some((coding) => coding.code === value && (system === undefined || coding.system === system)) === true),
  );

type DependsOn = NonNullable<ConceptMapGroupElementTarget['dependsOn']>[number];

const productsOf = ({ product = [] }: ConceptMapGroupElementTarget): readonly Product[] =>
  product.map(({ property, system, value, display }) => ({
    element: property,
    concept: { ...(system === undefined ? {} : { system }), code: value, ...(display === undefined ? {} : { display }) },
  }));

/** R4 conceptmap.html#unmapped: for a concept that the group has no element for. */
const unmapped = ({ target, unmapped: rule }: ConceptMapGroup, { coding }: Question): Translations => {
  const answer = (equivalence: Equivalence, code: string | undefined, display: string | undefined): Translations => ({
    found: [{ equivalence, concept: codingOf(target, code, display), products: [] }],
    elsewhere: [],
  });
  if (rule?.mode === 'provided') return answer('equivalent', coding.code, coding.display);
  // a code for all that is left is related to each of them, and no more is known
  if (rule?.mode === 'fixed') return answer('relatedto', rule.code, rule.display);
  return { found: [], elsewhere: rule?.url === undefined ? [] : [rule.url] };
};

const forward = (group: ConceptMapGroup, question: Question): Translations => {
  const { coding, targetSystem, dependencies } = question;
  if (group.source !== coding.system || !isVersion(group.sourceVersion, coding.version)) return nothing;
  if (targetSystem !== undefined && group.target !== targetSystem) return nothing;
  const elements = group.element.filter(({ code }) => code === coding.code);
  if (elements.length === 0) return unmapped(group, question);
  const targets = elements.flatMap(({ target = [] }) => target);
  return {
    found: targets
      .filter(({ dependsOn = [] }) => dependsOn.every((dependency) => isMet(dependency, dependencies)))
      .map((target) => ({
        equivalence: target.equivalence,
        concept: codingOf(group.target, target.code, target.display),
        products: productsOf(target),
      })),
    elsewhere: [],
  };
};

const backward = (group: ConceptMapGroup, { coding, targetSystem }: Question): Translations => {
  if (group.target !== coding.system || !isVersion(group.targetVersion, coding.version)) return nothing;
  if (targetSystem !== undefined && group.source !== targetSystem) return nothing;
  const found = group.element.flatMap((element) =>
    (element.target ?? [])
      .filter(({ code }) => code === coding.code)
      .map(({ equivalence }) => ({
        equivalence: inverse[equivalence] ?? equivalence,
        concept: codingOf(group.source, element.code, element.display),
        products: [],
      })),
  );
  return { found, elsewhere: [] };
};

const nothing: Translations = { found: [], elsewhere: [] };

/** R4 conceptmap-operation-translate.html: what one map says of a concept, in the order in which it says it. */
export const translationsIn = ({ group = [] }: ConceptMap, question: Question): Translations => {
  const all = group.map((each) => (question.reverse ? backward(each, question) : forward(each, question)));
  return { found: all.flatMap(({ found }) => found), elsewhere: all.flatMap(({ elsewhere }) => elsewhere) };
};
