import type { ElementDefinition, ElementDefinitionType } from 'fhir/r4.js';
import type { Definitions, Structure } from './definitions.js';
import { primitives, type PrimitiveCheck } from './primitives.js';
import type { Node, Walk } from './walk.js';

/** A check of one value beyond its shape: a binding, a reference target, an invariant. */
export type Check = (walk: Walk, value: unknown, node: Node) => void;

/** One type that an element may have. */
export type TypeRule = {
  readonly code: string;
  /** the lexical check of a primitive type */
  readonly primitive: PrimitiveCheck | undefined;
  /** the children of the value; of a primitive: those of its `_name` sibling; undefined where any resource may stand */
  readonly shape: Shape | undefined;
  readonly profiles: readonly string[];
  readonly targets: readonly string[];
  readonly checks: Check[];
};

/** An element as R4 defines it. */
export type ElementRule = {
  /** without `[x]` */
  readonly name: string;
  readonly path: string;
  readonly min: number;
  readonly max: number;
  /** whether JSON holds it as an array: the base definition allows more than one */
  readonly many: boolean;
  readonly choice: boolean;
  readonly definition: ElementDefinition;
  readonly types: readonly TypeRule[];
  /** JSON names, one per type for a choice */
  readonly keys: readonly string[];
  /** the `_name` beside each of them */
  readonly siblings: readonly string[];
};

/** A JSON property: an element under one of its types, as value or as the `_name` sibling of a primitive. */
export type Property = {
  readonly name: string;
  readonly element: ElementRule;
  readonly type: TypeRule;
  readonly sibling: boolean;
};

/** The properties that an object of one type, or of one backbone element, may and must have. */
export type Shape = {
  /** the FHIR type; for a backbone element `BackboneElement` or `Element` */
  readonly type: string;
  readonly path: string;
  /** the type and those it specializes, nearest first */
  readonly ancestry: readonly string[];
  readonly resource: boolean;
  readonly abstract: boolean;
  readonly elements: Map<string, ElementRule>;
  readonly properties: Map<string, Property>;
  readonly required: ElementRule[];
  /** invariants and checks of the object as a whole */
  readonly checks: Check[];
};

export type Shapes = {
  readonly find: (type: string) => Shape | undefined;
  readonly get: (type: string) => Shape;
};

/** Adds the checks of an element and of a type to their rules, when the shape is made. */
export type Furnish = {
  readonly shape: (shape: Shape, definition: ElementDefinition) => void;
  readonly element: (element: ElementRule, shape: Shape) => void;
};

const base = 'http://hl7.org/fhir/StructureDefinition/';

/** R4 abstract data types under which a concrete resource stands. */
const anyResource = new Set(['Resource', 'DomainResource']);

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Compiles the snapshots of R4's own types, each when it is first needed. */
export const createShapes = (definitions: Definitions, furnish: Furnish): Shapes => {
  const made = new Map<string, Shape | undefined>();

  const ancestryOf = (structure: Structure): readonly string[] => {
    const parent = structure.baseDefinition === undefined ? undefined : definitions.findStructure(structure.baseDefinition);
    return [structure.type, ...(parent === undefined ? [] : ancestryOf(parent))];
  };

  const compile = (structure: Structure): Shape => {
    const list = structure.snapshot!.element;
    const ancestry = ancestryOf(structure);
    const byPath = new Map<string, Shape>();
    const emptyShape = (path: string, type: string, ancestors: readonly string[]): Shape => ({
      type,
      path,
      ancestry: ancestors,
      resource: structure.kind === 'resource' && path === structure.type,
      abstract: structure.abstract && path === structure.type,
      elements: new Map(),
      properties: new Map(),
      required: [],
      checks: [],
    });
    const root = emptyShape(structure.type, structure.type, ancestry);
    byPath.set(structure.type, root);
    made.set(structure.type, root);
    // a backbone is an element with children of its own in the snapshot
    const parents = new Set(list.map(({ path }) => path.slice(0, path.lastIndexOf('.'))));
    for (const definition of list)
      if (definition.path !== structure.type && parents.has(definition.path)) {
        const type = definition.type?.[0]?.code ?? 'BackboneElement';
        byPath.set(definition.path, emptyShape(definition.path, type, type === 'Element' ? ['Element'] : [type, 'Element']));
      }
    for (const definition of list) {
      if (definition.path === structure.type) continue;
      addElement(byPath.get(definition.path.slice(0, definition.path.lastIndexOf('.')))!, definition, byPath);
    }
    for (const definition of list) {
      const shape = byPath.get(definition.path);
      if (shape !== undefined) furnish.shape(shape, definition);
    }
    for (const shape of byPath.values()) for (const element of shape.elements.values()) furnish.element(element, shape);
    return root;
  };

  const addElement = (owner: Shape, definition: ElementDefinition, byPath: ReadonlyMap<string, Shape>): void => {
    const last = definition.path.slice(definition.path.lastIndexOf('.') + 1);
    const choice = last.endsWith('[x]');
    const name = choice ? last.slice(0, -3) : last;
    const inner = byPath.get(definition.contentReference?.slice(1) ?? definition.path);
    const given: readonly ElementDefinitionType[] = definition.type ?? [{ code: inner?.type ?? 'BackboneElement' }];
    const types = given.map((type) => typeRule(type, definition, inner));
    const keys = choice ? types.map(({ code }) => name + capitalized(code)) : [name];
    const element: ElementRule = {
      name,
      path: definition.path,
      min: definition.min ?? 0,
      max: definition.max === '*' || definition.max === undefined ? Infinity : Number(definition.max),
      many: definition.max === '*' || Number(definition.max) > 1,
      choice,
      definition,
      types,
      keys,
      siblings: keys.map((key) => `_${key}`),
    };
    owner.elements.set(name, element);
    if (element.min > 0) owner.required.push(element);
    element.types.forEach((type, index) => {
      const key = element.keys[index]!;
      owner.properties.set(key, { name: key, element, type, sibling: false });
      if (type.primitive !== undefined && type.code !== 'xhtml')
        owner.properties.set(`_${key}`, { name: key, element, type, sibling: true });
    });
  };

  const typeRule = (type: ElementDefinitionType, definition: ElementDefinition, inner: Shape | undefined): TypeRule => {
    // R4 types Resource.id as a string and Element.id as a string; the text of the standard asks `id` of the former
    const code =
      definition.base?.path === 'Resource.id' || (/^[A-Z][A-Za-z]+\.id$/.test(definition.path) && isResource(definition))
        ? 'id'
        : type.code;
    const own = inner ?? (anyResource.has(code) ? undefined : null);
    return {
      code,
      primitive: primitives.get(code),
      get shape() {
        return own === null ? find(code) : own;
      },
      profiles: type.profile ?? [],
      targets: type.targetProfile ?? [],
      checks: [],
    };
  };

  const isResource = ({ path }: ElementDefinition): boolean =>
    definitions.findStructure(base + path.slice(0, path.indexOf('.')))?.kind === 'resource';

  const find = (type: string): Shape | undefined => {
    if (made.has(type)) return made.get(type);
    const structure = definitions.findStructure(base + type);
    if (structure?.snapshot === undefined || structure.type !== type) {
      made.set(type, undefined);
      return undefined;
    }
    return compile(structure);
  };

  return {
    find,
    get: (type) => {
      const shape = find(type);
      if (shape === undefined) throw new Error(`R4 has no type ${type}`);
      return shape;
    },
  };
};
