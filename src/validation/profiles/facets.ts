import type { ElementDefinition, ElementDefinitionType } from 'fhir/r4.js';
import { bindingCheck } from '../bindings.js';
import type { Definitions } from '../definitions.js';
import { compareMoments, compareQuantities, numberOf } from '../invariants/native.js';
import { invariantCheck } from '../invariants/invariants.js';
import { resolveReference, targetTypeOf } from '../references.js';
import type { CodeSet } from '../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../walk.js';
import { nodeOf, type Item } from './items.js';
import type { ProfileNode } from './tree.js';
import { equals, facetValue, holds, inWords } from './values.js';

/** The check of what a profile says of one item, beyond its children. */
export type ItemCheck = (walk: Walk, item: Item) => void;

export type FacetParts = {
  readonly definitions: Definitions;
  readonly codes: (valueSet: string) => CodeSet | undefined;
  readonly applyProfile: (walk: Walk, item: Item, profile: string) => void;
  readonly conforms: (walk: Walk, item: Item, profile: string) => boolean;
};

const fixedCheck = (facets: Partial<ElementDefinition>): readonly ItemCheck[] => {
  const fixed = facetValue(facets, 'fixed');
  const pattern = facetValue(facets, 'pattern');
  const checks: ItemCheck[] = [];
  if (fixed !== undefined)
    checks.push((walk, { value }) => {
      if (!equals(value, fixed)) walk.error('value', `must be ${inWords(fixed)}, not ${inWords(value ?? null)}`, 'fixed value');
    });
  if (pattern !== undefined)
    checks.push((walk, { value }) => {
      if (!holds(value, pattern)) walk.error('value', `must match ${inWords(pattern)}`, 'pattern');
    });
  return checks;
};

const compare = (value: unknown, limit: unknown): number | undefined => {
  if (typeof value === 'string' && typeof limit === 'string') return compareMoments(value, limit);
  if (isNode(value) && isNode(limit)) return compareQuantities(value, limit);
  const [left, right] = [numberOf(value), numberOf(limit)];
  return left === undefined || right === undefined ? undefined : left - right;
};

const rangeChecks = (facets: Partial<ElementDefinition>): readonly ItemCheck[] => {
  const least = facetValue(facets, 'minValue');
  const greatest = facetValue(facets, 'maxValue');
  const { maxLength } = facets;
  const checks: ItemCheck[] = [];
  if (least !== undefined)
    checks.push((walk, { value }) => {
      if ((compare(value, least) ?? 0) < 0) walk.error('value', `must not be less than ${inWords(least)}`, 'minValue');
    });
  if (greatest !== undefined)
    checks.push((walk, { value }) => {
      if ((compare(value, greatest) ?? 0) > 0) walk.error('value', `must not be more than ${inWords(greatest)}`, 'maxValue');
    });
  if (maxLength !== undefined)
    checks.push((walk, { value }) => {
      if (typeof value === 'string' && value.length > maxLength) walk.error('value', `is longer than ${maxLength} characters`, 'maxLength');
    });
  return checks;
};

type Bound = { readonly strength: 'required' | 'extensible' | 'preferred' | 'example'; readonly valueSet: string };

const additional = new Set([
  'http://hl7.org/fhir/tools/StructureDefinition/additional-binding',
  'http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional',
]);
const maximum = 'http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet';

/** The binding of an element, its maximum value set, and the required ones of the additional-binding extension. */
const bindingsOf = ({ binding }: Partial<ElementDefinition>): readonly Bound[] => {
  if (binding === undefined) return [];
  const extra = (binding.extension ?? []).flatMap(({ url, valueCanonical, extension }): readonly Bound[] => {
    if (url === maximum && valueCanonical !== undefined) return [{ strength: 'required', valueSet: valueCanonical }];
    if (!additional.has(url)) return [];
    const purpose = extension?.find((part) => part.url === 'purpose')?.valueCode;
    const valueSet = extension?.find((part) => part.url === 'valueSet')?.valueCanonical;
    return purpose === 'required' && valueSet !== undefined ? [{ strength: 'required', valueSet }] : [];
  });
  return binding.valueSet === undefined ? extra : [{ strength: binding.strength, valueSet: binding.valueSet }, ...extra];
};

const bindingChecks = (facets: Partial<ElementDefinition>, parts: FacetParts): readonly ItemCheck[] =>
  bindingsOf(facets).map((bound) => {
    const binding = { ...bound, codes: () => parts.codes(bound.valueSet) };
    return (walk, { value, type }) => {
      if (value !== undefined && type !== undefined) bindingCheck(binding, type.code)?.(walk, value, value as Node);
    };
  });

const base = 'http://hl7.org/fhir/StructureDefinition/';

const isBaseType = (profile: string): boolean =>
  profile.startsWith(base) && /^[A-Z][A-Za-z]+$/.test(profile.slice(base.length).split('|')[0]!);

const listed = (profiles: readonly string[]): string => profiles.map((url) => url.slice(url.lastIndexOf('/') + 1)).join(', ');

/** The FHIR types that target profiles stand for; undefined when one of them is not known here. */
const typesOfTargets = (targets: readonly string[], definitions: Definitions): ReadonlySet<string> | undefined => {
  const types = new Set<string>();
  for (const url of targets) {
    const type = definitions.findStructure(url)?.type ?? (isBaseType(url) ? url.slice(base.length) : undefined);
    if (type === undefined) return undefined;
    types.add(type);
  }
  return types;
};

/** Checks that a reference points to one of the types, and to one of the profiles, that are allowed (R4 references.html). */
export const targetCheck = (type: ElementDefinitionType, parts: FacetParts): ItemCheck | undefined => {
  const targets = type.targetProfile ?? [];
  if (targets.length === 0 || type.code !== 'Reference') return undefined;
  let types: ReadonlySet<string> | undefined | null = null;
  const profiled = targets.some((url) => !isBaseType(url));
  return (walk, { value }) => {
    if (!isNode(value)) return;
    types ??= types === null ? typesOfTargets(targets, parts.definitions) : undefined;
    const target = targetTypeOf(walk.frame, value);
    if (types !== undefined && target !== undefined && !types.has(target) && !types.has('Resource')) {
      walk.error('structure', `refers to a ${target}; allowed: ${listed(targets)}`, 'reference target type');
      return;
    }
    if (profiled && typeof value['reference'] === 'string') checkTargetProfile(walk, value['reference'], targets, parts);
  };
};

const checkTargetProfile = (walk: Walk, reference: string, targets: readonly string[], parts: FacetParts): void => {
  const target = resolveReference(walk.frame, reference);
  if (target === undefined) return;
  const type = target.resource['resourceType'];
  const candidates = targets.filter((url) => (parts.definitions.findStructure(url)?.type ?? type) === type);
  const { frame } = walk;
  walk.frame = target.frame;
  const item: Item = { value: target.resource, sibling: undefined, type: undefined };
  const passed = candidates.some((url) => parts.conforms(walk, item, url));
  walk.frame = frame;
  if (!passed) walk.error('structure', `'${reference}' conforms to none of ${listed(targets)}`, 'reference target profile');
};

// R4 elementdefinition aggregation: contained (#id), bundled (an entry of the same Bundle), referenced (anything else)
const aggregationCheck = (type: ElementDefinitionType): ItemCheck | undefined => {
  const allowed = type.aggregation;
  if (allowed === undefined || allowed.length === 0) return undefined;
  return (walk, { value }) => {
    const reference = isNode(value) ? value['reference'] : undefined;
    if (typeof reference !== 'string') return;
    const way = reference.startsWith('#') ? 'contained' : resolveReference(walk.frame, reference) ? 'bundled' : 'referenced';
    const met = allowed.includes(way) || (way === 'bundled' && allowed.includes('referenced'));
    if (!met) walk.error('structure', `'${reference}' is ${way}; it must be ${allowed.join(' or ')}`, 'reference aggregation');
  };
};

const versioningCheck = ({ versioning }: ElementDefinitionType): ItemCheck | undefined => {
  if (versioning === undefined || versioning === 'either') return undefined;
  return (walk, { value }) => {
    const reference = isNode(value) ? value['reference'] : undefined;
    if (typeof reference !== 'string') return;
    if (reference.includes('/_history/') !== (versioning === 'specific'))
      walk.error('structure', `must be a version-${versioning === 'specific' ? '' : 'in'}dependent reference`, 'reference versioning');
  };
};

const profileCheck = (type: ElementDefinitionType, parts: FacetParts): ItemCheck | undefined => {
  // an Extension whose definition is known is checked against it wherever it stands: extensions.ts
  const profiles = (type.profile ?? []).filter((url) => type.code !== 'Extension' && parts.definitions.findStructure(url) !== undefined);
  if (profiles.length === 0) return undefined;
  if (profiles.length === 1)
    return (walk, item) => {
      parts.applyProfile(walk, item, profiles[0]!);
    };
  return (walk, item) => {
    if (profiles.some((profile) => parts.conforms(walk, item, profile))) return;
    walk.error('structure', `conforms to none of ${listed(profiles)}`, 'type profile');
  };
};

const typeChecks = (facets: Partial<ElementDefinition>, parts: FacetParts): readonly ItemCheck[] => {
  const { type: types } = facets;
  if (types === undefined || types.length === 0) return [];
  const codes = types.map(({ code }) => code);
  const perType = new Map<string, readonly ItemCheck[]>();
  for (const code of new Set(codes)) {
    const same = types.filter((type) => type.code === code);
    const merged = {
      ...same[0]!,
      profile: same.flatMap(({ profile }) => profile ?? []),
      targetProfile: same.flatMap(({ targetProfile }) => targetProfile ?? []),
    };
    const checks = [profileCheck(merged, parts), targetCheck(merged, parts), aggregationCheck(merged), versioningCheck(merged)];
    perType.set(
      code,
      checks.filter((check) => check !== undefined),
    );
  }
  return [
    (walk, item) => {
      // where any resource may stand, its own type counts
      const own = isNode(item.value) ? item.value['resourceType'] : undefined;
      const code = typeof own === 'string' ? own : (item.type?.code ?? '');
      const ancestry = item.type?.shape?.ancestry ?? ['DomainResource', 'Resource'];
      const checks = perType.get(code) ?? ancestry.map((each) => perType.get(each)).find((each) => each !== undefined);
      if (checks !== undefined) for (const check of checks) check(walk, item);
      else if (!isAbstractMatch(codes, item)) walk.error('structure', `must be ${codes.join(' or ')}, not ${code}`, 'type');
    },
  ];
};

const abstract = ['Resource', 'DomainResource', 'Element', 'BackboneElement'];

const isAbstractMatch = (codes: readonly string[], { type }: Item): boolean =>
  codes.some((code) => abstract.includes(code) || code.startsWith('http://hl7.org/fhirpath/')) || type === undefined;

/** All that one node of a profile says of an item; `path` is the base of its FHIRPath expressions. */
export const facetChecks = (node: ProfileNode, path: string, parts: FacetParts): readonly ItemCheck[] => {
  const invariants = node.constraints.flatMap((constraint) => {
    const check = invariantCheck(constraint, path);
    if (check === undefined) return [];
    const apply: ItemCheck = (walk, item) => {
      const value = item.value ?? nodeOf(item);
      if (value !== undefined) check(walk, value, value as Node);
    };
    return [apply];
  });
  return [
    ...typeChecks(node.facets, parts),
    ...fixedCheck(node.facets),
    ...rangeChecks(node.facets),
    ...bindingChecks(node.facets, parts),
    ...invariants,
  ];
};
