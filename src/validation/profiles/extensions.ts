import type { Check, ElementRule, Shapes } from '../shapes.js';
import type { Node, Walk } from '../walk.js';
import { isNode } from '../walk.js';
import { compileExpression } from '../invariants/fhirpath.js';
import { extensionUrlOf } from './discriminators.js';
import type { Overlay, Overlays } from './overlay.js';

export type ExtensionOptions = {
  /** what an extension without a known definition is: R4 lets systems define their own, a strict site may not */
  readonly unknownExtensions: 'ignore' | 'error';
};

/** HL7 and HL7 UK publish extensions between the releases of their specifications: these lists are never known whole. */
const published =
  /^(?:http:\/\/hl7\.org\/fhir\/(?:tools\/|\d\.\d\/)?StructureDefinition\/|https:\/\/fhir\.hl7\.org\.uk\/StructureDefinition\/)[^/]+$/;

// R4 resource.html#id: the id is part of the URL of the resource
const isOfResourceId = ({ rules }: Walk): boolean => {
  const owner = rules.at(-2);
  return owner?.name === 'id' && owner.types[0]?.code === 'id';
};

/** Where an extension stands: the rules of the elements around it, from the resource down to what it extends. */
const ownersOf = (walk: Walk): readonly ElementRule[] => walk.rules.slice(0, -1);

/**
 * The names by which a context may call the extended element (R4 defining-extensions.html#context): its path in the resource, in each
 * data type around it, and the types that it is or specializes.
 */
const contextsOf = (walk: Walk, shapes: Shapes): ReadonlySet<string> => {
  const owners = ownersOf(walk);
  const names = new Set<string>(['Element']);
  const type = walk.frame.resource['resourceType'] as string;
  const resourceAt = owners.findLastIndex(({ types }) => types.some(({ shape, code }) => shape?.resource === true || code === 'Resource'));
  let starts: string[] = [type];
  let ancestry = shapes.find(type)?.ancestry ?? [];
  for (const owner of owners.slice(resourceAt + 1)) {
    // Questionnaire.item.item is Questionnaire.item
    if (owner.definition.contentReference !== undefined) starts = [];
    starts = starts.map((start) => `${start}.${owner.name}`);
    starts.push(owner.path.replace('[x]', ''));
    const code = owner.types.length === 1 ? owner.types[0]!.code : undefined;
    const shape = owner.types[0]?.shape;
    if (owner.definition.contentReference !== undefined && shape !== undefined) starts.push(shape.path);
    ancestry =
      owner.types.length === 1
        ? owner.types[0]?.primitive === undefined
          ? (shape?.ancestry ?? [])
          : [code!, 'Element']
        : owner.types.map((each) => each.code);
    if (owner.choice) names.add(owner.path);
    for (const each of ancestry) if (each !== 'BackboneElement' && each !== 'Element') starts.push(each);
  }
  for (const name of [...starts, ...ancestry]) names.add(name);
  // R5 names of what many R4 types have in common, in contexts of extensions that are published for both
  if (owners.length === 0 && shapes.find(type)?.elements.get('url')?.types[0]?.code === 'uri')
    names.add('CanonicalResource').add('MetadataResource');
  return names;
};

const fits = (walk: Walk, overlay: Overlay, owner: Node, shapes: Shapes): boolean => {
  const { context } = overlay.structure;
  if (context === undefined || context.length === 0) return true;
  if (context.some(({ type, expression }) => type === 'element' && expression === 'Element')) return true;
  const names = contextsOf(walk, shapes);
  return context.some(({ type, expression }) => {
    if (type === 'element')
      return (
        names.has(expression.replace('[x]', '')) || names.has(expression) || names.has(expression.replace(/^.*StructureDefinition\//, ''))
      );
    if (type === 'extension') return owner['url'] === expression;
    return matchesExpression(walk, expression);
  });
};

// a FHIRPath context selects elements of the resource: one that selects nothing here gives the extension no place
const matchesExpression = (walk: Walk, expression: string): boolean => {
  const evaluate = compiledFor(`(${expression}).exists()`, walk.frame.resource['resourceType'] as string);
  return evaluate(walk, walk.frame.resource) !== false;
};

const compiled = new Map<string, ReturnType<typeof compileExpression>>();

/** Expressions come from definitions alone, so there are not many. */
const compiledFor = (expression: string, type: string): ReturnType<typeof compileExpression> => {
  const key = `${type} ${expression}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compileExpression(expression, type);
  compiled.set(key, made);
  return made;
};

/** R4 structuredefinition contextInvariant: what must hold of the element that is extended. Of a primitive only its extensions are at hand. */
const checkContextInvariants = (walk: Walk, { structure }: Overlay, owner: Node): void => {
  const rule = ownersOf(walk).at(-1);
  if (structure.contextInvariant === undefined || rule?.types.some(({ primitive }) => primitive !== undefined) === true) return;
  const type = rule === undefined ? (walk.frame.resource['resourceType'] as string) : rule.path.replace('[x]', '');
  for (const expression of structure.contextInvariant)
    if (compiledFor(expression, type)(walk, owner) === false)
      walk.error('extension', `the extension may stand only where ${expression}`, 'context invariant');
};

/** Modifiers are marked in the definition of an extension, and stand in modifierExtension alone (R4 extensibility.html#modifierExtension). */
const checkModifier = (walk: Walk, overlay: Overlay, modifier: boolean): void => {
  const marked = overlay.root.facets.isModifier === true;
  if (marked !== modifier)
    walk.error(
      'structure',
      marked ? 'is a modifier: it must stand in modifierExtension' : 'is no modifier: it must stand in extension',
      'modifier extension',
    );
};

const ranks = new WeakMap<readonly unknown[], readonly number[]>();

/** For each extension of a list, how many of the same URL stand before it. */
const ranksOf = (list: readonly unknown[]): readonly number[] => {
  const known = ranks.get(list);
  if (known?.length === list.length) return known;
  const counts = new Map<unknown, number>();
  const made = list.map((item) => {
    const url = isNode(item) ? item['url'] : undefined;
    const before = counts.get(url) ?? 0;
    counts.set(url, before + 1);
    return before;
  });
  ranks.set(list, made);
  return made;
};

const repeatsBefore = (walk: Walk, owner: Node, list: 'extension' | 'modifierExtension'): number => {
  const index = walk.path.at(-1);
  const all = owner[list];
  return typeof index === 'number' && Array.isArray(all) && all.length > 1 ? (ranksOf(all)[index] ?? 0) : 0;
};

/** The check of every extension against its definition: where it may stand, how often, and what it holds. */
export const extensionCheck = (
  overlays: () => Overlays,
  shapes: () => Shapes,
  list: 'extension' | 'modifierExtension',
  options: ExtensionOptions,
): Check => {
  const unknown = (walk: Walk, url: string, owner: Node): void => {
    if (!url.includes(':')) checkPart(walk, url, owner);
    else if (list === 'modifierExtension')
      walk.error('extension', `nothing here knows the modifier extension ${url}, and a modifier must be understood`, 'modifier extension');
    else if (published.test(url)) walk.warning('extension', `the extension ${url} is not known here`, 'unknown extension');
    else if (options.unknownExtensions === 'error') walk.error('extension', `the extension ${url} is not known`, 'unknown extension');
  };

  // a part of a complex extension is named by a relative URL that the definition of the whole lists
  const checkPart = (walk: Walk, url: string, owner: Node): void => {
    const whole = typeof owner['url'] === 'string' ? overlays().find(owner['url']) : undefined;
    if (whole === undefined) {
      // an extension without a URL says that of itself, and its parts are no fault of theirs
      const inExtension = walk.rules.at(-2)?.types[0]?.code === 'Extension';
      if (!inExtension) walk.error('value', `the URL of an extension must be absolute, not '${url}'`, 'extension url');
      return;
    }
    const parts = [...(whole.root.children.get('extension')?.slices.values() ?? [])].map(extensionUrlOf);
    if (parts.includes(url)) return;
    walk.under(whole.label, () => {
      walk.error('structure', `the extension has no part '${url}'; it has ${parts.join(', ')}`, 'extension parts');
    });
  };

  return (walk, value, owner) => {
    const url = (value as Node)['url'];
    if (typeof url !== 'string') return;
    if (isOfResourceId(walk)) {
      walk.error('extension', 'the id of a resource has no extensions', 'resource.html#id');
      return;
    }
    if (url.includes('|')) {
      walk.error('extension', `the URL of an extension has no version: '${url}'`, 'extensibility.html#Extension');
      return;
    }
    const overlay = overlays().find(url);
    if (overlay?.structure.type !== 'Extension') {
      unknown(walk, url, owner);
      return;
    }
    walk.under(overlay.label, () => {
      const before = walk.errors;
      if (!fits(walk, overlay, owner, shapes())) {
        const places = overlay.structure.context!.map(({ expression }) => expression).join(', ');
        walk.error('extension', `the extension may not stand here; it belongs on ${places}`, 'extension context');
      }
      checkContextInvariants(walk, overlay, owner);
      checkModifier(walk, overlay, list === 'modifierExtension');
      if (repeatsBefore(walk, owner, list) >= overlay.max)
        walk.error('structure', `the extension may occur ${overlay.max} times here`, `max ${overlay.max}`);
      if (walk.errors === before)
        overlay.apply(walk, { value, sibling: undefined, type: shapes().get('Element').properties.get('extension')!.type });
    });
  };
};
