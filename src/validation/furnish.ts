import type { ElementDefinition } from 'fhir/r4.js';
import { bindingCheck } from './bindings.js';
import type { Definitions } from './definitions.js';
import { invariantCheck } from './invariants/invariants.js';
import { narrativeCheck } from './narrative.js';
import { extensionCheck, type ExtensionOptions } from './profiles/extensions.js';
import { targetCheck } from './profiles/facets.js';
import type { Overlays } from './profiles/overlay.js';
import { bundleCheck } from './rules/bundle.js';
import { codingCheck, quantityCheck, type CodingOptions } from './rules/coding.js';
import { codeSystemCheck } from './rules/conformance/code-system.js';
import { conceptMapCheck } from './rules/conformance/concept-map.js';
import { capabilityStatementCheck, searchParameterCheck } from './rules/conformance/search-parameter.js';
import { structureDefinitionCheck } from './rules/conformance/structure-definition.js';
import { valueSetCheck } from './rules/conformance/value-set.js';
import { identifierCheck } from './rules/identifiers.js';
import { questionnaireCheck } from './rules/questionnaire/questionnaire.js';
import { containedCheck, metaCheck } from './rules/ids.js';
import { narrativeLinksCheck } from './rules/narrative-links.js';
import { referenceCheck } from './rules/references.js';
import { attachmentCheck, uriCheck } from './rules/syntax.js';
import type { Check, ElementRule, Furnish, Shape, Shapes, TypeRule } from './shapes.js';
import type { LocalCodeSystems } from './terminology/code-systems.js';
import type { CodeSet } from './terminology/value-sets.js';

export type FurnishParts = {
  readonly definitions: Definitions;
  readonly systems: LocalCodeSystems;
  readonly codes: (valueSet: string) => CodeSet | undefined;
  /** both are made after the checks, and asked when values come */
  readonly overlays: () => Overlays;
  readonly shapes: () => Shapes;
  readonly options: ExtensionOptions & CodingOptions;
};

const constraintChecks = (element: ElementRule, type: TypeRule): readonly (Check | undefined)[] => {
  // the constraints of a backbone element are those of its shape
  if (type.shape?.path === element.path || element.definition.contentReference !== undefined) return [];
  return (element.definition.constraint ?? []).map((constraint) => invariantCheck(constraint, type.code));
};

const profileCheck = (type: TypeRule, overlays: () => Overlays): Check | undefined => {
  const [profile] = type.profiles;
  if (profile === undefined || type.code === 'Extension') return undefined;
  return (walk, value) => {
    overlays().find(profile)?.apply(walk, { value, sibling: undefined, type });
  };
};

/** The checks of R4's own elements and types beyond their shape. */
export const createFurnish = ({ definitions, systems, codes, overlays, shapes, options }: FurnishParts): Furnish => {
  const quantity = quantityCheck(options);
  const ofType: Readonly<Record<string, Check>> = {
    ...{ Quantity: quantity, Age: quantity, Count: quantity, Distance: quantity, Duration: quantity },
    Coding: codingCheck(definitions, systems, options),
    Identifier: identifierCheck(definitions.identifiers),
    Attachment: attachmentCheck,
    Bundle: bundleCheck(shapes),
    CapabilityStatement: capabilityStatementCheck(definitions.searchParameters),
    CodeSystem: codeSystemCheck(systems),
    ConceptMap: conceptMapCheck(codes),
    SearchParameter: searchParameterCheck,
    StructureDefinition: structureDefinitionCheck({ definitions, shapes }),
    ValueSet: valueSetCheck({ definitions, systems }),
    Meta: metaCheck,
    Reference: referenceCheck,
    Questionnaire: questionnaireCheck(definitions.findQuestionnaire),
  };

  const reference = (type: TypeRule): Check | undefined => {
    const check = targetCheck({ code: type.code, targetProfile: [...type.targets] }, overlays().parts);
    return (
      check &&
      ((walk, value) => {
        check(walk, { value, sibling: undefined, type });
      })
    );
  };

  const binding = (element: ElementRule, type: TypeRule): Check | undefined => {
    const { binding: given } = element.definition;
    const url = given?.valueSet;
    if (given === undefined || url === undefined) return undefined;
    return bindingCheck({ strength: given.strength, valueSet: url, codes: () => codes(url) }, type.code);
  };

  const checksOf = (element: ElementRule, type: TypeRule): readonly (Check | undefined)[] => [
    ...(type.code === 'xhtml' ? [narrativeCheck, narrativeLinksCheck] : []),
    uriCheck(element, type.code),
    binding(element, type),
    reference(type),
    profileCheck(type, overlays),
    type.code === 'Extension' ? extensionCheck(overlays, shapes, element.name as 'extension', options) : undefined,
    ...constraintChecks(element, type),
  ];

  return {
    shape: (shape: Shape, definition: ElementDefinition) => {
      const own = ofType[shape.path];
      if (own !== undefined) shape.checks.push(own);
      if (shape.resource) shape.checks.push(containedCheck);
      for (const constraint of definition.constraint ?? []) {
        const check = invariantCheck(constraint, shape.path);
        if (check !== undefined) shape.checks.push(check);
      }
    },
    element: (element: ElementRule) => {
      for (const type of element.types) for (const check of checksOf(element, type)) if (check !== undefined) type.checks.push(check);
    },
  };
};
