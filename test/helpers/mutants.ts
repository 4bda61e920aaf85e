/**
 * Broken variants of a valid example, one for each rule of a differential: a required element taken away, one too many put in, a fixed
 * value or a code changed, another type. What a rule is comes from the differential itself, so a new rule brings its own mutant.
 */
import type { ElementDefinition, StructureDefinition } from 'fhir/r4.js';

type Node = { [name: string]: unknown };
/** One place in a resource: `parent[key]`, or one item of that list. */
type Place = { readonly parent: Node; readonly key: string; readonly index?: number };
export type Mutant = { readonly rule: string; readonly resource: Node };
export type Mutants = {
  readonly broken: readonly Mutant[];
  /** rules that the examples give no place to break */ readonly untried: readonly string[];
};

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** Without the slices of outer elements: what a slice inherits from the unsliced element. */
const variantsOf = (id: string): readonly string[] => {
  const steps = id.split('.');
  return [id, ...steps.slice(0, -1).map((_, upTo) => steps.map((step, at) => (at <= upTo ? step.replace(/:.*/, '') : step)).join('.'))];
};
const find = <T>(chain: readonly StructureDefinition[], id: string, pick: (element: ElementDefinition) => T | undefined): T | undefined => {
  for (const variant of variantsOf(id))
    for (const { differential } of chain)
      for (const element of differential!.element) {
        const found = element.id === variant ? pick(element) : undefined;
        if (found !== undefined) return found;
      }
  return undefined;
};
const fixedOf = (element: ElementDefinition): string | undefined =>
  Object.entries(element).find(([key]) => key.startsWith('fixed'))?.[1] as string | undefined;

const valuesAt = (value: unknown, path: readonly string[]): readonly unknown[] =>
  path.length === 0 ? itemsOf(value) : itemsOf(value).flatMap((item) => (isNode(item) ? valuesAt(item[path[0]!], path.slice(1)) : []));

/** Whether an item belongs to a slice; undefined when that cannot be told by a value. */
const isIn = (chain: readonly StructureDefinition[], item: unknown, slice: string): boolean | undefined => {
  const profile = find(chain, slice, ({ type }) => type?.[0]?.profile?.[0]);
  const url = profile ?? find(chain, `${slice}.url`, fixedOf);
  if (url !== undefined) return isNode(item) && item['url'] === url;
  const by = find(chain, slice.replace(/:[^:.]+$/, ''), ({ slicing }) => slicing?.discriminator);
  if (by?.every(({ type }) => type === 'value') !== true) return undefined;
  return by.every(({ path }) => valuesAt(item, path.split('.')).includes(find(chain, `${slice}.${path}`, fixedOf)));
};

/** The places of an element below `root`, which is of the element's type. */
const placesOf = (chain: readonly StructureDefinition[], root: Node, id: string): readonly Place[] => {
  const steps = id.split('.').slice(1);
  let here: readonly Place[] = [];
  let nodes: readonly { readonly node: Node; readonly shadow?: Node }[] = [{ node: root }];
  let path = id.split('.')[0]!;
  for (const step of steps) {
    path = `${path}.${step}`;
    const name = step.replace(/:.*/, '');
    here = nodes
      .flatMap(({ node, shadow }) => placesIn(name === 'extension' && shadow ? shadow : node, name))
      .filter((place) => {
        if (!step.includes(':')) return true;
        return isIn(chain, valueAt(place), path) === true;
      });
    nodes = here.map((place) => {
      const value = valueAt(place);
      const shadow = place.parent[`_${place.key}`];
      return isNode(value) ? { node: value } : { node: {}, ...(isNode(shadow) ? { shadow } : {}) };
    });
  }
  return here;
};
const placesIn = (node: Node, name: string): readonly Place[] => {
  const choice = name.endsWith('[x]') ? new RegExp(`^${name.slice(0, -3)}[A-Z]`) : undefined;
  const key = choice === undefined ? name : (Object.keys(node).find((each) => choice.test(each)) ?? name);
  const value = node[key];
  if (Array.isArray(value)) return value.map((_, index) => ({ parent: node, key, index }));
  return value === undefined ? [] : [{ parent: node, key }];
};
const valueAt = ({ parent, key, index }: Place): unknown => (index === undefined ? parent[key] : (parent[key] as unknown[])[index]);
const put = ({ parent, key, index }: Place, value: unknown): void => {
  if (index === undefined) parent[key] = value;
  else (parent[key] as unknown[])[index] = value;
};

const remove = (places: readonly Place[]): void => {
  for (const { parent, key, index } of places.toReversed()) {
    const list = parent[key] as unknown[];
    if (index !== undefined) list.splice(index, 1);
    if (index === undefined || list.length === 0) Reflect.deleteProperty(parent, key);
  }
};

const samples: Readonly<Record<string, readonly [string, unknown]>> = {
  'value[x]': ['valueString', 'too much'],
  specimen: ['specimen', { reference: 'Specimen/example' }],
  interpretation: ['interpretation', [{ text: 'High' }]],
  bodySite: ['bodySite', { text: 'Arm' }],
  component: ['component', [{ code: { text: 'Another' }, valueString: 'too much' }]],
  extension: ['extension', [{ url: 'https://example.org/more', valueString: 'too much' }]],
};

/** Changes one place so that it breaks one facet; false when there is nothing to change. */
type Break = (places: readonly Place[], parents: () => readonly Place[]) => boolean;

const some =
  (change: (place: Place) => boolean): Break =>
  (places) =>
    places.length > 0 && places.every(change);

const wrongCode = (value: unknown): unknown => {
  if (typeof value === 'string') return 'no such code';
  if (!isNode(value)) return value;
  if (Array.isArray(value['coding'])) return { ...value, coding: value['coding'].map(wrongCode) };
  return { ...value, code: 'no such code' };
};

const breaksOf = (element: ElementDefinition): Readonly<Record<string, Break>> => {
  const last = element.path.slice(element.path.lastIndexOf('.') + 1);
  const fixed = fixedOf(element);
  const types = element.type ?? [];
  const targets = types.every(({ code }) => code === 'Reference') && types.some(({ targetProfile }) => targetProfile !== undefined);
  return {
    ...(element.min !== undefined && element.min > 0 ? { min: (places) => places.length > 0 && (remove(places), true) } : {}),
    ...(element.max === undefined || element.max === '0' || element.max === '*' ? {} : { max: oneMore(Number(element.max)) }),
    ...(element.max === '0'
      ? {
          max: (_, parents) => {
            const [key, value] = samples[last]!;
            const at = parents().map(valueAt).filter(isNode);
            at.forEach((node) => (node[key] = value));
            return at.length > 0;
          },
        }
      : {}),
    ...(fixed === undefined ? {} : { fixed: some((place) => (put(place, `${fixed}x`), true)) }),
    ...(element.binding?.strength === 'required' ? { binding: some((place) => (put(place, wrongCode(valueAt(place))), true)) } : {}),
    ...(targets
      ? { target: some((place) => (put(place, { reference: last === 'subject' ? 'Group/example' : 'Basic/example' }), true)) }
      : {}),
    ...(last === 'value[x]' && types.length > 0
      ? {
          type: some(({ parent, key }) => {
            Reflect.deleteProperty(parent, key);
            parent['valueBase64Binary'] = 'AAAA';
            return true;
          }),
        }
      : {}),
  } as const;
};

const oneMore =
  (max: number): Break =>
  (places) => {
    const [first] = places;
    if (first?.index === undefined) return false;
    const list = first.parent[first.key] as unknown[];
    const there = places.filter(({ parent, key }) => parent === first.parent && key === first.key).length;
    for (let count = there; count <= max; count += 1) list.push(structuredClone(valueAt(first)));
    return true;
  };

/** An item whose discriminator is changed leaves an open slice: that is no fault unless the slice must be there. */
const isOnlyDiscriminator = (chain: readonly StructureDefinition[], id: string): boolean => {
  const slice = /^(.*:[^.:]+)\.(.+)$/.exec(id);
  if (slice === null) return id === 'Extension.url';
  const [, of, path] = slice;
  const sliced = find(chain, of!.replace(/:[^:.]+$/, ''), ({ slicing }) => slicing);
  const discriminates = path === 'url' || sliced?.discriminator?.some((each) => each.path === path) === true;
  return discriminates && sliced?.rules !== 'closed' && (find(chain, of!, ({ min }) => min) ?? 0) === 0;
};

const everyExtension = (value: unknown, url: string): readonly Node[] => {
  if (Array.isArray(value)) return value.flatMap((item) => everyExtension(item, url));
  if (!isNode(value)) return [];
  const inside = Object.values(value).flatMap((item) => everyExtension(item, url));
  return value['url'] === url ? [value, ...inside] : inside;
};

/** Where in its list a node stands. */
const listPlaces = (within: unknown, node: Node): readonly Place[] => {
  if (typeof within !== 'object' || within === null) return [];
  return Object.entries(within).flatMap(([key, value]) => {
    const index = Array.isArray(value) ? value.indexOf(node) : -1;
    return index < 0 ? listPlaces(value, node) : [{ parent: within as Node, key, index }];
  });
};

/** @param chain the definition and the profiles it builds on, most derived first */
export const mutantsOf = (chain: readonly StructureDefinition[], examples: readonly Node[]): Mutants => {
  const [definition] = chain;
  const broken: Mutant[] = [];
  const untried: string[] = [];
  const rootOf = (resource: Node): Node | undefined =>
    definition!.type === 'Extension' ? everyExtension(resource, definition!.url)[0] : resource;
  const example = examples.find((each) => rootOf(each) !== undefined);
  for (const element of definition!.differential!.element) {
    const id = element.id!;
    for (const [facet, change] of Object.entries(breaksOf(element))) {
      const rule = `${definition!.id!} ${id} ${facet}`;
      if ((facet === 'min' || facet === 'fixed') && isOnlyDiscriminator(chain, id)) continue;
      const resource = structuredClone(example) ?? {};
      const root = rootOf(resource);
      const above = id.slice(0, id.lastIndexOf('.'));
      const parents = (): readonly Place[] =>
        above.includes('.') ? placesOf(chain, root!, above) : [{ parent: { root: root! }, key: 'root' }];
      const places = root === undefined ? [] : id === 'Extension' ? listPlaces(resource, root) : placesOf(chain, root, id);
      // JSON has no room for a second value of an element that is no list
      if (facet === 'max' && element.max === '1' && places.some(({ index }) => index === undefined)) continue;
      if (root !== undefined && change(places, parents)) broken.push({ rule, resource });
      else untried.push(rule);
    }
  }
  return { broken, untried };
};
