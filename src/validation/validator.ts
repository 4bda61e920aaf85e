import type { ElementDefinition } from 'fhir/r4.js';
import { bindingCheck } from './bindings.js';
import type { Definitions } from './definitions.js';
import type { Finding } from './finding.js';
import { invariantCheck } from './invariants/invariants.js';
import { narrativeCheck } from './narrative.js';
import { extensionCheck, type ExtensionOptions } from './profiles/extensions.js';
import { targetCheck } from './profiles/facets.js';
import { createOverlays, type Overlays } from './profiles/overlay.js';
import { createShapes, type Check, type ElementRule, type Shape, type Shapes, type TypeRule } from './shapes.js';
import { createStructureCheck } from './structure.js';
import { createCodeSystems } from './terminology/code-systems.js';
import { createValueSets, type CodeSet } from './terminology/value-sets.js';
import { isNode, Walk, type Node } from './walk.js';

export type ValidateOptions = {
  /** canonicals that the caller asks for, beside `meta.profile` and the default of the type */
  readonly profiles?: readonly string[];
};

export type ValidatorOptions = Partial<ExtensionOptions> & {
  /** the canonical of the profile that resources of a type are held to by default */
  readonly defaultProfile?: (type: string) => string | undefined;
};

export type Validator = {
  /** What is wrong with a parsed resource; `resource` may be anything at all. */
  readonly validate: (resource: unknown, options?: ValidateOptions) => readonly Finding[];
};

/** UK Core's profile of a type is the default, where UK Core has one. */
export const ukCoreByDefault = ({ findStructure }: Definitions): Pick<ValidatorOptions, 'defaultProfile'> => ({
  defaultProfile: (type) => {
    const canonical = `https://fhir.hl7.org.uk/StructureDefinition/UKCore-${type}`;
    return findStructure(canonical) === undefined ? undefined : canonical;
  },
});

/** The checks of R4's own elements and types beyond their shape. */
const createFurnish = (
  codes: (url: string) => CodeSet | undefined,
  overlays: () => Overlays,
  shapes: () => Shapes,
  options: ExtensionOptions,
) => {
  const typeChecks = (element: ElementRule, type: TypeRule): readonly (Check | undefined)[] => {
    const { binding } = element.definition;
    const url = binding?.valueSet;
    const target = targetCheck({ code: type.code, targetProfile: [...type.targets] }, overlays().parts);
    const [profile] = type.profiles;
    return [
      type.code === 'xhtml' ? narrativeCheck : undefined,
      url === undefined ? undefined : bindingCheck({ strength: binding!.strength, valueSet: url, codes: () => codes(url) }, type.code),
      target &&
        ((walk, value) => {
          target(walk, { value, sibling: undefined, type });
        }),
      profile === undefined || type.code === 'Extension'
        ? undefined
        : (walk, value) => {
            overlays().find(profile)?.apply(walk, { value, sibling: undefined, type });
          },
      type.code === 'Extension' ? extensionCheck(overlays, shapes, element.name as 'extension', options) : undefined,
      ...(type.shape?.path === element.path
        ? []
        : (element.definition.constraint ?? []).map((constraint) => invariantCheck(constraint, type.code))),
    ];
  };
  return {
    shape: (shape: Shape, definition: ElementDefinition): void => {
      for (const constraint of definition.constraint ?? []) {
        const check = invariantCheck(constraint, shape.path);
        if (check !== undefined) shape.checks.push(check);
      }
    },
    element: (element: ElementRule): void => {
      for (const type of element.types) for (const check of typeChecks(element, type)) if (check !== undefined) type.checks.push(check);
    },
  };
};

/** Compiles the definitions, each type when it is first met. */
export const createValidator = (definitions: Definitions, options: ValidatorOptions = {}): Validator => {
  const valueSets = createValueSets(definitions, createCodeSystems(definitions));
  const codes = (url: string) => valueSets.find(url);
  const furnish = createFurnish(
    codes,
    () => overlays,
    () => shapes,
    { unknownExtensions: options.unknownExtensions ?? 'ignore' },
  );
  const shapes = createShapes(definitions, furnish);
  const overlays = createOverlays(definitions, shapes, codes);
  const structure = createStructureCheck(shapes);

  const applyProfile = (walk: Walk, resource: Node, canonical: string, asked: string): void => {
    const known = definitions.findStructure(canonical);
    const type = resource['resourceType'] as string;
    if (known === undefined) walk.warning('not-found', `the profile ${canonical} is not known here`, asked, 'meta');
    else if (known.type !== type && shapes.find(type)?.ancestry.includes(known.type) !== true)
      walk.error('structure', `the profile ${canonical} is one of ${known.type}, not of ${type}`, asked);
    else overlays.apply(walk, { value: resource, sibling: undefined, type: undefined }, canonical);
  };

  const profilesOf = (resource: Node, asked: readonly string[]): ReadonlyMap<string, string> => {
    const profiles = new Map<string, string>();
    const standard = options.defaultProfile?.(resource['resourceType'] as string);
    const named = isNode(resource['meta']) ? resource['meta']['profile'] : undefined;
    if (standard !== undefined) profiles.set(standard, 'default profile of the type');
    for (const canonical of Array.isArray(named) ? named : []) if (typeof canonical === 'string') profiles.set(canonical, 'meta.profile');
    for (const canonical of asked) profiles.set(canonical, 'profile asked for');
    return profiles;
  };

  return {
    validate: (resource, { profiles = [] } = {}) => {
      const walk = new Walk(resource as Node);
      structure.resource(walk, resource);
      if (isNode(resource) && !walk.broken)
        for (const [canonical, asked] of profilesOf(resource, profiles)) applyProfile(walk, resource, canonical, asked);
      return walk.findings;
    },
  };
};
