import type {
  CodeSystem,
  ElementDefinition,
  ImplementationGuide,
  Questionnaire,
  SearchParameter,
  StructureDefinition,
  ValueSet,
} from 'fhir/r4.js';

export type Structure = Pick<
  StructureDefinition,
  'url' | 'version' | 'name' | 'kind' | 'abstract' | 'type' | 'baseDefinition' | 'derivation' | 'context' | 'contextInvariant'
> & {
  readonly snapshot?: { readonly element: readonly ElementDefinition[] };
  readonly differential?: { readonly element: readonly ElementDefinition[] };
};

type Conformance = { readonly url?: string | undefined; readonly version?: string | undefined };

/** Whether a definition constrains a type; some that do call themselves specializations. */
export const isProfile = ({ derivation, url, type }: Structure): boolean =>
  derivation === 'constraint' || url !== `http://hl7.org/fhir/StructureDefinition/${type}`;

/** The form of the values of an identifier system (profiles/identifiers). */
export type IdentifierRule = {
  readonly name: string;
  readonly system: string;
  /** regular expression of the whole value */
  readonly pattern?: string;
  /** a check digit that no regular expression can say */
  readonly check?: string;
};

/** All that validation and search know of FHIR; canonicals may carry a `|version`. Immutable: `with` gives a new one. */
export type Definitions = {
  readonly searchParameters: readonly SearchParameter[];
  readonly structures: () => Iterable<Structure>;
  readonly findStructure: (canonical: string) => Structure | undefined;
  readonly findValueSet: (canonical: string) => ValueSet | undefined;
  readonly findCodeSystem: (canonical: string) => CodeSystem | undefined;
  /** URLs of the code systems that say that their codes are case-sensitive */
  readonly caseSensitiveSystems: () => readonly string[];
  /** Supplements of a code system, by the URL that they supplement. */
  readonly findSupplements: (url: string) => readonly CodeSystem[];
  /** A Questionnaire by its canonical. */
  readonly findQuestionnaire: (canonical: string) => Questionnaire | undefined;
  readonly identifiers: readonly IdentifierRule[];
  /** The profiles that ImplementationGuides ask of every resource of a type (R4 implementationguide.html, `global`). */
  readonly globalProfiles: (type: string) => readonly string[];
  readonly with: (resources: readonly unknown[], identifiers?: readonly IdentifierRule[]) => Definitions;
};

type Pool<T> = {
  readonly find: (canonical: string) => T | undefined;
  readonly values: () => Iterable<T>;
  /** URLs of what says so, of which most is not parsed for it: `mark` is in the text of each */
  readonly saying: (mark: string, says: (value: T) => boolean) => readonly string[];
  readonly with: (added: readonly T[]) => Pool<T>;
};

/** Entries are parsed when they are first asked for: of 3,000 a server uses some 300. */
const createPool = <T extends Conformance>(entries: ReadonlyMap<string, T | string>): Pool<T> => {
  const parsed = new Map<string, T>();
  const read = (key: string): T | undefined => {
    const known = parsed.get(key);
    if (known !== undefined) return known;
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const value = typeof entry === 'string' ? (JSON.parse(entry) as T) : entry;
    parsed.set(key, value);
    return value;
  };
  // `url|4.0` means any 4.0.x (R4 references.html#canonical-matching leaves the order of versions to the system)
  const find = (canonical: string): T | undefined => {
    const exact = read(canonical);
    if (exact !== undefined) return exact;
    const [url = '', version] = canonical.split('|');
    const value = version === undefined ? undefined : read(url);
    return value?.version === version || value?.version?.startsWith(`${version ?? ''}.`) === true ? value : undefined;
  };
  return {
    find,
    values: function* () {
      for (const key of entries.keys()) if (!key.includes('|')) yield read(key)!;
    },
    saying: (mark, says) =>
      [...entries]
        .filter(([key, entry]) => !key.includes('|') && (typeof entry === 'string' ? entry.includes(mark) : says(entry)))
        .map(([key]) => key),
    with: (added) => {
      const next = new Map(entries);
      for (const value of added) {
        next.set(value.url!, value);
        if (value.version !== undefined) next.set(`${value.url!}|${value.version}`, value);
      }
      return createPool(next);
    },
  };
};

type Parts = {
  readonly structures: Pool<Structure>;
  readonly valueSets: Pool<ValueSet>;
  readonly codeSystems: Pool<CodeSystem>;
  readonly questionnaires: Pool<Questionnaire>;
  readonly searchParameters: readonly SearchParameter[];
  readonly supplements: readonly CodeSystem[];
  readonly identifiers: readonly IdentifierRule[];
  readonly globals: ReadonlyMap<string, readonly string[]>;
};

const none: readonly string[] = [];

const globalsOf = (
  known: ReadonlyMap<string, readonly string[]>,
  guides: readonly ImplementationGuide[],
): ReadonlyMap<string, readonly string[]> => {
  const globals = new Map(known);
  for (const { type, profile } of guides.flatMap((guide) => guide.global ?? []))
    globals.set(type, [...new Set([...(globals.get(type) ?? []), profile])]);
  return globals;
};

const ofType = (resources: readonly unknown[], type: string): readonly unknown[] =>
  resources.filter((resource) => {
    const { resourceType, url } = (resource ?? {}) as { readonly resourceType?: unknown; readonly url?: unknown };
    return resourceType === type && typeof url === 'string';
  });

const supplementsByUrl = (systems: readonly CodeSystem[]): ReadonlyMap<string, readonly CodeSystem[]> => {
  const supplements = new Map<string, readonly CodeSystem[]>();
  for (const system of systems) {
    const url = system.supplements?.split('|')[0];
    if (url !== undefined) supplements.set(url, [...(supplements.get(url) ?? []), system]);
  }
  return supplements;
};

const createDefinitions = (parts: Parts): Definitions => {
  const supplements = supplementsByUrl(parts.supplements);
  return {
    searchParameters: parts.searchParameters,
    identifiers: parts.identifiers,
    structures: parts.structures.values,
    findStructure: parts.structures.find,
    findValueSet: parts.valueSets.find,
    findCodeSystem: parts.codeSystems.find,
    caseSensitiveSystems: () => parts.codeSystems.saying('"caseSensitive":true', ({ caseSensitive }) => caseSensitive === true),
    findQuestionnaire: parts.questionnaires.find,
    findSupplements: (url) => supplements.get(url) ?? [],
    globalProfiles: (type) => parts.globals.get(type) ?? none,
    with: (resources, identifiers = []) => {
      const codeSystems = ofType(resources, 'CodeSystem') as readonly CodeSystem[];
      return createDefinitions({
        structures: parts.structures.with(ofType(resources, 'StructureDefinition') as readonly Structure[]),
        valueSets: parts.valueSets.with(ofType(resources, 'ValueSet') as readonly ValueSet[]),
        codeSystems: parts.codeSystems.with(codeSystems),
        questionnaires: parts.questionnaires.with(ofType(resources, 'Questionnaire') as readonly Questionnaire[]),
        searchParameters: [...parts.searchParameters, ...(ofType(resources, 'SearchParameter') as readonly SearchParameter[])],
        supplements: [...parts.supplements, ...codeSystems],
        identifiers: [...parts.identifiers, ...identifiers],
        globals: globalsOf(parts.globals, ofType(resources, 'ImplementationGuide') as readonly ImplementationGuide[]),
      });
    },
  };
};

type Kind = 'SearchParameter' | 'StructureDefinition' | 'ValueSet' | 'CodeSystem';

const kinds: ReadonlySet<string> = new Set<Kind>(['SearchParameter', 'StructureDefinition', 'ValueSet', 'CodeSystem']);

/** The lines of the file by kind and canonical. */
const readLines = (text: string): Readonly<Record<Kind, Map<string, string>>> => {
  const lines = { SearchParameter: new Map(), StructureDefinition: new Map(), ValueSet: new Map(), CodeSystem: new Map() };
  for (let from = 0; from < text.length;) {
    const to = text.indexOf('\n', from);
    const end = to < 0 ? text.length : to;
    const urlAt = text.indexOf(' ', from) + 1;
    const bodyAt = text.indexOf(' ', urlAt) + 1;
    const kind = text.slice(from, urlAt - 1);
    if (!kinds.has(kind) || bodyAt > end) throw new Error('the file of definitions is damaged; build it again');
    lines[kind as Kind].set(text.slice(urlAt, bodyAt - 1), text.slice(bodyAt, end));
    from = end + 1;
  }
  return lines;
};

/** Reads the file that `scripts/build-definitions.mjs` makes: a line per resource, its type and canonical in front of it. */
export const loadDefinitions = (text: string): Definitions => {
  const lines = readLines(text);
  return createDefinitions({
    structures: createPool<Structure>(lines.StructureDefinition),
    valueSets: createPool<ValueSet>(lines.ValueSet),
    codeSystems: createPool<CodeSystem>(lines.CodeSystem),
    questionnaires: createPool<Questionnaire>(new Map()),
    searchParameters: [...lines.SearchParameter.values()].map((line) => JSON.parse(line) as SearchParameter),
    supplements: [],
    identifiers: [],
    globals: new Map(),
  });
};
