/** What validation and search need of the published definitions; prose, mappings and examples stay behind. */

const elementFacets =
  /^(id|path|sliceName|sliceIsConstraining|slicing|min|max|contentReference|maxLength|isModifier|isSummary|representation|mustSupport|(fixed|pattern|minValue|maxValue)[A-Z].*)$/;

const typeOf = ({ code, profile, targetProfile, aggregation, versioning, extension }) => {
  // R4 types System.String elements (`id`, `url`) by their FHIR type in this extension
  const fhirType = extension?.find(({ url }) => url === 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type');
  return { code: fhirType?.valueUrl ?? fhirType?.valueUri ?? code, profile, targetProfile, aggregation, versioning };
};

const maxValueSet = 'http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet';

const bindingOf = ({ strength, valueSet, extension }) => ({
  strength,
  valueSet,
  extension: extension?.filter(({ url }) => url === maxValueSet).map(({ url, valueCanonical }) => ({ url, valueCanonical })),
});

/** ele-1 is checked on every object and ext-1 on every Extension, wherever they are: repeating them per element says nothing. */
const constraintsOf = (element) =>
  element.constraint
    ?.filter(({ key }) => key !== 'ele-1' && (key !== 'ext-1' || element.path === 'Extension'))
    .map(({ key, severity, human, expression, source }) => ({ key, severity, human, expression, source }));

const withoutEmpty = (value) =>
  JSON.parse(JSON.stringify(value, (_, part) => (Array.isArray(part) && part.length === 0 ? undefined : part)));

const elementOf = (element) =>
  withoutEmpty({
    ...Object.fromEntries(Object.entries(element).filter(([name]) => elementFacets.test(name))),
    slicing: element.slicing && { ...element.slicing, description: undefined },
    type: element.type?.map(typeOf),
    binding: element.binding && bindingOf(element.binding),
    constraint: constraintsOf(element),
  });

/** A StructureDefinition: a type keeps its snapshot, a profile or extension only its differential. */
export const slimStructure = (definition) => {
  const { url, version, name, kind, abstract, type, baseDefinition, derivation, context, contextInvariant } = definition;
  const specialized = derivation !== 'constraint';
  return withoutEmpty({
    resourceType: 'StructureDefinition',
    ...{ url, version, name, kind, abstract, type, baseDefinition, derivation, context, contextInvariant },
    ...(specialized
      ? { snapshot: { element: definition.snapshot.element.map(elementOf) } }
      : { differential: { element: definition.differential.element.map(elementOf) } }),
  });
};

const kept = new Set(['subsumedBy', 'parent', 'notSelectable', 'status', 'deprecated', 'inactive']);

const conceptOf = ({ code, display, property, concept }) => ({
  code,
  display,
  property: property?.filter(({ code: name }) => kept.has(name)),
  concept: concept?.map(conceptOf),
});

export const slimCodeSystem = (resource) => {
  const { url, version, name, status, caseSensitive, content, hierarchyMeaning, valueSet, supplements, concept } = resource;
  return withoutEmpty({
    resourceType: 'CodeSystem',
    ...{ url, version, name, status, caseSensitive, content, hierarchyMeaning, valueSet, supplements },
    concept: concept?.map(conceptOf),
  });
};

const partOf = ({ system, version, concept, filter, valueSet }) => ({
  ...{ system, version, filter, valueSet },
  concept: concept?.map(({ code, display }) => ({ code, display })),
});

export const slimValueSet = ({ url, version, name, title, status, compose }) =>
  withoutEmpty({
    resourceType: 'ValueSet',
    ...{ url, version, name, title, status },
    compose: compose && { include: compose.include.map(partOf), exclude: compose.exclude?.map(partOf) },
  });

export const slimSearchParameter = (resource) => {
  const { id, url, version, name, status, code, base, type, expression, target, comparator, modifier, component } = resource;
  const { multipleOr, multipleAnd, chain, xpathUsage, description } = resource;
  return withoutEmpty({
    resourceType: 'SearchParameter',
    ...{ id, url, version, name, status, description, code, base, type, expression, xpathUsage, target },
    ...{ multipleOr, multipleAnd, comparator, modifier, chain, component },
  });
};
