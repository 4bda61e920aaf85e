import type { CodeSystem, CodeSystemConcept, CodeSystemConceptDesignation } from 'fhir/r4.js';
import type { Definitions } from '../definitions.js';

export type Concept = {
  readonly code: string;
  readonly display: string | undefined;
  /** a heading that groups others and is no answer itself (property notSelectable) */
  readonly abstract: boolean;
  readonly inactive: boolean;
  readonly parents: string[];
  readonly properties: CodeSystemConcept['property'];
  readonly definition: string | undefined;
  readonly designations: readonly CodeSystemConceptDesignation[];
};

/** A code system of which at least some codes are known here. */
export type LocalCodeSystem = {
  readonly url: string;
  readonly version: string | undefined;
  readonly name: string | undefined;
  /** of the displays */
  readonly language: string | undefined;
  /** whether a code that is not here does not exist */
  readonly complete: boolean;
  readonly find: (code: string) => Concept | undefined;
  readonly codes: () => Iterable<Concept>;
  /** whether its codes may have the property: one that it declares or uses, or one of R4's own */
  readonly hasProperty: (property: string) => boolean;
  /** whether `code` is `ancestor` or below it */
  readonly isA: (code: string, ancestor: string) => boolean;
};

export type LocalCodeSystems = { readonly find: (canonical: string) => LocalCodeSystem | undefined };

/** A supplement adds to the codes of another system, and has none of its own (R4 codesystem.html#supplements). */
export const isSupplement = (resource: CodeSystem | undefined): boolean =>
  resource?.content === 'supplement' || resource?.supplements !== undefined;

const truthy = (value: unknown): boolean => value === true || value === 'true';

const conceptOf = (concept: CodeSystemConcept, parent: string | undefined): Concept => {
  const properties = concept.property ?? [];
  const valueOf = (name: string) => properties.find(({ code }) => code === name);
  const named = properties
    .filter(({ code }) => code === 'parent' || code === 'subsumedBy')
    .flatMap(({ valueCode }) => (valueCode === undefined ? [] : [valueCode]));
  return {
    code: concept.code,
    display: concept.display,
    abstract: truthy(valueOf('notSelectable')?.valueBoolean),
    inactive: truthy(valueOf('inactive')?.valueBoolean) || valueOf('status')?.valueCode === 'retired',
    parents: parent === undefined ? named : [parent, ...named],
    properties,
    definition: concept.definition,
    designations: concept.designation ?? [],
  };
};

const indexConcepts = (
  concepts: readonly CodeSystemConcept[],
  keyOf: (code: string) => string,
  index: Map<string, Concept>,
  parent?: string,
): void => {
  for (const concept of concepts) {
    const key = keyOf(concept.code);
    const known = index.get(key);
    // v3 code systems list a concept under each of its parents
    if (known === undefined) index.set(key, conceptOf(concept, parent));
    else if (parent !== undefined) known.parents.push(parent);
    if (concept.concept !== undefined) indexConcepts(concept.concept, keyOf, index, concept.code);
  }
};

/** What every code has (R4 valueset.html#filter), and the properties of R4 (codesystem-concept-properties). */
const everywhere = ['concept', 'code', 'display', 'definition', 'inactive', 'deprecated', 'notSelectable', 'parent', 'child'];

const propertiesOf = ({ property = [], filter = [] }: CodeSystem, concepts: Iterable<Concept>): ReadonlySet<string> =>
  new Set([
    ...everywhere,
    ...[...property, ...filter].map(({ code }) => code),
    ...[...concepts].flatMap(({ properties = [] }) => properties.map(({ code }) => code)),
  ]);

/** The code systems of the definitions, indexed when first asked for. */
export const createCodeSystems = (definitions: Definitions): LocalCodeSystems => {
  const made = new Map<string, LocalCodeSystem | undefined>();
  const make = (canonical: string): LocalCodeSystem | undefined => {
    const resource = definitions.findCodeSystem(canonical);
    if (resource?.concept === undefined || isSupplement(resource)) return undefined;
    const keyOf = resource.caseSensitive === false ? (code: string) => code.toLowerCase() : (code: string) => code;
    const index = new Map<string, Concept>();
    indexConcepts(resource.concept, keyOf, index);
    const find = (code: string) => index.get(keyOf(code));
    let known: ReadonlySet<string> | undefined;
    const isA = (code: string, ancestor: string, seen = new Set<string>()): boolean => {
      if (keyOf(code) === keyOf(ancestor)) return true;
      if (seen.has(code)) return false;
      seen.add(code);
      return find(code)?.parents.some((parent) => isA(parent, ancestor, seen)) ?? false;
    };
    return {
      url: resource.url ?? canonical,
      version: resource.version,
      name: resource.name ?? resource.title,
      language: resource.language,
      complete: resource.content === 'complete',
      find,
      codes: () => index.values(),
      hasProperty: (property) => (known ??= propertiesOf(resource, index.values())).has(property),
      isA: (code, ancestor) => isA(code, ancestor),
    };
  };
  return {
    find: (canonical) => {
      if (!made.has(canonical)) made.set(canonical, make(canonical));
      return made.get(canonical);
    },
  };
};
