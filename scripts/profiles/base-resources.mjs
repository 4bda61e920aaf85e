/**
 * What of HL7's R4 definitions the server serves as resources: the StructureDefinitions of its types and of all data types, the
 * extensions that the profiles use, the value sets that those bind with their code systems, the search parameters of its types, and the
 * maps between HL7's own codes.
 * Prose that no program reads (comments, requirements, mappings, narrative) is left out: it is three quarters of the text.
 */

const elementKeys = [
  ...['id', 'path', 'sliceName', 'short', 'definition', 'slicing', 'min', 'max', 'base', 'contentReference', 'type', 'orderMeaning'],
  ...['maxLength', 'condition', 'constraint', 'mustSupport', 'isModifier', 'isModifierReason', 'isSummary', 'binding'],
];
const isValue = (key) => /^(fixed|pattern|default|minValue|maxValue)[A-Z]?/.test(key);

const keep = (object, keys) => Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key) || isValue(key)));
const slimElement = (element) => {
  const kept = keep(element, elementKeys);
  return {
    ...kept,
    ...(kept.binding === undefined ? {} : { binding: keep(kept.binding, ['strength', 'description', 'valueSet']) }),
    ...(kept.constraint === undefined
      ? {}
      : { constraint: kept.constraint.map((each) => keep(each, ['key', 'severity', 'human', 'expression', 'source'])) }),
  };
};

const headKeys = [
  ...['resourceType', 'id', 'url', 'version', 'name', 'title', 'status', 'experimental', 'date', 'publisher', 'description'],
  ...['copyright', 'fhirVersion', 'kind', 'abstract', 'context', 'contextInvariant', 'type', 'baseDefinition', 'derivation'],
  ...['immutable', 'compose', 'caseSensitive', 'valueSet', 'hierarchyMeaning', 'compositional', 'versionNeeded', 'content', 'count'],
  ...['filter', 'property', 'concept', 'code', 'base', 'expression', 'xpathUsage', 'target', 'multipleOr', 'multipleAnd', 'comparator'],
  ...[
    'sourceUri',
    'sourceCanonical',
    'targetUri',
    'targetCanonical',
    'group',
    'modifier',
    'chain',
    'component',
    'derivedFrom',
    'purpose',
    'system',
    'instance',
    'affectsState',
    'resource',
    'parameter',
  ],
];

const slim = (resource) => {
  const kept = keep(resource, headKeys);
  if (resource.resourceType === 'StructureDefinition')
    return { ...kept, snapshot: { element: resource.snapshot.element.map(slimElement) } };
  if (resource.resourceType === 'ValueSet') return { ...kept, compose: withoutTranslations(kept.compose) };
  return kept;
};

const withoutTranslations = ({ include, exclude }) => {
  const part = ({ concept, ...rest }) => ({
    ...rest,
    ...(concept === undefined
      ? {}
      : { concept: concept.map(({ code, display }) => (display === undefined ? { code } : { code, display })) }),
  });
  return { include: include.map(part), ...(exclude === undefined ? {} : { exclude: exclude.map(part) }) };
};

/** Lists of this length are other bodies' vocabularies (LOINC document types, DICOM) and are asked by $validate-code, not read. */
const isLong = ({ concept = [], compose }) =>
  Math.max(concept.length, ...(compose?.include ?? []).map((part) => part.concept?.length ?? 0)) > 2000;

/** A map from codes of R4 to those of v2 or v3: what it names is HL7's, and nobody's example. */
const isOwnMap = ({ resourceType, group = [] }) =>
  resourceType === 'ConceptMap' &&
  group.length > 0 &&
  group.every(({ source, target }) => [source, target].every((url) => /^http:\/\/(hl7|terminology\.hl7)\.org\//.test(url)));

const bindingsOf = (definition) => definition.snapshot.element.flatMap(({ binding }) => binding?.valueSet ?? []);
const plain = (canonical) => canonical.split('|')[0];

/** The value sets that `wanted` names, those that they import, and the code systems of all of them. */
const terminologyOf = (wanted, byUrl) => {
  const taken = new Map();
  const take = (canonical) => {
    const url = plain(canonical);
    const resource = byUrl.get(url);
    if (taken.has(url) || resource === undefined) return;
    taken.set(url, resource);
    for (const part of [...(resource.compose?.include ?? []), ...(resource.compose?.exclude ?? [])]) {
      (part.valueSet ?? []).forEach(take);
      if (part.system !== undefined) take(part.system);
    }
  };
  wanted.forEach(take);
  return [...taken.values()];
};

/**
 * @param bundles resources of HL7's R4 definitions
 * @param types the resource types that the server serves
 * @param artefacts the project's own resources
 */
export const baseResources = (bundles, types, artefacts) => {
  const served = new Set(types);
  const extensions = new Set(
    artefacts.flatMap((artefact) =>
      (artefact.differential?.element ?? []).flatMap(({ type }) => type?.flatMap(({ profile }) => profile ?? []) ?? []),
    ),
  );
  const definitions = bundles.filter(
    (resource) =>
      resource.resourceType === 'StructureDefinition' &&
      (extensions.has(resource.url) ||
        (resource.derivation !== 'constraint' && (resource.kind !== 'resource' || resource.abstract || served.has(resource.type)))),
  );
  const own = new Set(artefacts.map(({ url }) => url));
  const byUrl = new Map(
    bundles
      .filter(({ resourceType, url }) => ['ValueSet', 'CodeSystem'].includes(resourceType) && !own.has(url))
      .map((each) => [each.url, each]),
  );
  const wanted = [
    ...definitions.flatMap(bindingsOf),
    ...artefacts.flatMap((artefact) => (artefact.differential?.element ?? []).flatMap(({ binding }) => binding?.valueSet ?? [])),
    ...artefacts.flatMap(({ compose }) => [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap(({ system }) => system ?? [])),
  ];
  const parameters = bundles.filter(
    ({ resourceType, base }) => resourceType === 'SearchParameter' && base.some((type) => served.has(type) || type === 'Resource'),
  );
  const maps = bundles.filter(isOwnMap);
  const terminology = terminologyOf(wanted, byUrl).filter((resource) => !isLong(resource));
  return [...definitions, ...terminology, ...parameters, ...maps].map(slim);
};
