import { checkElementId } from './rules/ids.js';
import { capitalized, type Property, type Shape, type Shapes } from './shapes.js';
import { deepest, isNode, type Frame, type Node, type Walk } from './walk.js';

/** Checks a resource, and every resource inside it, against what R4 says of its type. */
export type StructureCheck = {
  readonly resource: (walk: Walk, resource: unknown) => void;
  /** an object of a known type that is no resource, e.g. an Extension on its own */
  readonly object: (walk: Walk, node: Node, shape: Shape) => void;
};

const describe = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (isNode(value)) return 'an object';
  if (typeof value !== 'string') return JSON.stringify(value);
  return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
};

/** What a resource inside a resource can refer to depends on how it is held (R4 references.html#contained, bundle.html#references). */
const frameIn = (walk: Walk, resource: Node, holder: Node, holderPath: string): Frame => {
  const outer = walk.frame;
  if (holderPath.endsWith('.contained')) return { ...outer, resource, outer };
  const inBundle = holderPath === 'Bundle.entry.resource' || holderPath === 'Bundle.entry.response.outcome';
  return inBundle
    ? { resource, container: resource, entry: holder, bundle: outer.resource, outer }
    : { resource, container: resource, entry: outer.entry, bundle: outer.bundle, outer };
};

const checkCount = (walk: Walk, property: Property, value: unknown): value is readonly unknown[] => {
  if (!Array.isArray(value)) {
    walk.error('structure', `${property.name} must be a JSON array`, 'json.html#repeat');
    return false;
  }
  if (value.length === 0) walk.error('structure', `${property.name} is an empty array; leave it out instead`, 'json.html#repeat');
  return true;
};

/** R4 element.html ele-1: a value, or children other than an id. */
const isEmpty = (node: Node): boolean => {
  for (const key in node) if (key !== 'id') return false;
  return true;
};

const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

/** Told of every resource inside another, when its own structure is right. */
type Held = (walk: Walk, resource: Node, contained: boolean) => void;

export const createStructureCheck = (shapes: Shapes, held: Held = () => undefined): StructureCheck => {
  const checkPrimitive = (walk: Walk, property: Property, value: unknown, node: Node): void => {
    const fault = property.type.primitive!(value);
    if (fault !== undefined) {
      walk.error(isNode(value) ? 'structure' : 'value', `${describe(value)} ${fault}`, `type ${property.type.code}`);
      return;
    }
    const { maxLength } = property.element.definition;
    if (maxLength !== undefined && typeof value === 'string' && value.length > maxLength)
      walk.error('value', `${property.name} is longer than ${maxLength} characters`, `${property.element.path} maxLength`);
    for (const check of property.type.checks) check(walk, value, node);
  };

  /** The primitive value that the id and extensions at the present place belong to (R4 json.html#primitive). */
  const valueBeside = (walk: Walk, { name }: Property, node: Node): unknown => {
    const values = node[name];
    const index = walk.path.at(-1);
    return Array.isArray(values) && typeof index === 'number' ? values[index] : values;
  };

  // R4 terminologies.html#required: the concept shall be from the value set, and a `code` without a value has none
  const checkAbsentCode = (walk: Walk, { type, element }: Property, value: unknown): void => {
    const { binding } = element.definition;
    if (type.code !== 'code' || binding?.strength !== 'required') return;
    // null where no list is has been told
    if (value === null && !element.many) return;
    if (!isPresent(value))
      walk.error('code-invalid', `${element.name} has no code, and one is required`, `binding required ${binding.valueSet ?? ''}`);
  };

  const checkItem = (walk: Walk, property: Property, value: unknown, node: Node): void => {
    const { type, element } = property;
    if (property.sibling) {
      if (!isNode(value)) walk.error('structure', `_${property.name} must be an object with id or extension`, 'json.html#primitive');
      else {
        const beside = valueBeside(walk, property, node);
        checkNode(walk, value, elementShape, isPresent(beside) && value['id'] !== undefined);
        checkAbsentCode(walk, property, beside);
      }
      return;
    }
    if (type.primitive !== undefined) {
      checkPrimitive(walk, property, value, node);
      return;
    }
    if (!isNode(value)) {
      walk.error('structure', `${property.name} must be an object (${type.code}), not ${describe(value)}`, `type ${type.code}`);
      return;
    }
    const before = walk.errors;
    const { shape } = type;
    if (shape === undefined) checkHeld(walk, value, node, element.path);
    else if (shape.resource) checkHeld(walk, value, node, element.path, shape.type);
    else checkNode(walk, value, shape);
    if (walk.errors === before) for (const check of type.checks) check(walk, value, node);
  };

  const checkHeld = (walk: Walk, resource: Node, holder: Node, holderPath: string, only?: string): void => {
    const { frame } = walk;
    walk.frame = frameIn(walk, resource, holder, holderPath);
    if (only !== undefined && resource['resourceType'] !== only)
      walk.error('structure', `must be a ${only}, not ${describe(resource['resourceType'])}`, holderPath);
    else {
      checkResource(walk, resource);
      held(walk, resource, holderPath.endsWith('.contained'));
    }
    walk.frame = frame;
  };

  const checkProperty = (walk: Walk, property: Property, value: unknown, node: Node): void => {
    const { element } = property;
    walk.path.push(element.name);
    walk.rules.push(element);
    if (!element.many) {
      if (Array.isArray(value)) walk.error('structure', `${property.name} must not be a JSON array`, 'json.html#repeat');
      else if (value === null) walk.error('structure', `${property.name} must not be null`, 'json.html#null');
      else checkItem(walk, property, value, node);
    } else if (checkCount(walk, property, value)) checkItems(walk, property, value, node);
    walk.path.pop();
    walk.rules.pop();
  };

  const checkItems = (walk: Walk, property: Property, values: readonly unknown[], node: Node): void => {
    const { element } = property;
    if (values.length > element.max)
      walk.error('structure', `${element.name} may occur ${element.max} times, not ${values.length}`, element.path);
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      walk.path.push(index);
      if (value === null) checkNull(walk, property, node, index);
      else checkItem(walk, property, value, node);
      walk.path.pop();
    }
  };

  // R4 json.html#primitive: null keeps the place of a value that has only an id or extensions, and of one that has neither
  const checkNull = (walk: Walk, property: Property, node: Node, index: number): void => {
    const other = node[property.sibling ? property.name : `_${property.name}`];
    const paired = property.type.primitive !== undefined && Array.isArray(other) && other[index] !== null && other[index] !== undefined;
    if (!paired) walk.error('structure', `${property.name} must not be null`, 'json.html#null');
  };

  /** `hasValue`: it is the id of a primitive whose value stands beside it. */
  const checkNode = (walk: Walk, node: Node, shape: Shape, hasValue = false): void => {
    if (walk.depth >= deepest) {
      walk.error('too-costly', `nested more than ${deepest} levels deep`, 'limit of this server');
      return;
    }
    walk.depth++;
    const before = walk.errors;
    // where but one element is missing, that is what is said
    const empty = !hasValue && isEmpty(node);
    if (empty) walk.noteEmpty();
    if (empty && shape.required.length !== 1) walk.error('invariant', 'must have a value or children', 'ele-1');
    else checkProperties(walk, node, shape);
    if (walk.errors === before) for (const check of shape.checks) check(walk, node, node);
    walk.depth--;
  };

  const checkProperties = (walk: Walk, node: Node, shape: Shape): void => {
    let choices: Property[] | undefined;
    for (const key in node) {
      const property = shape.properties.get(key);
      if (property === undefined) {
        if (key !== 'resourceType' || !shape.resource) unknown(walk, key, shape);
        continue;
      }
      if (property.element.choice) {
        const rival = choices?.find(({ element, name }) => element === property.element && name !== property.name);
        if (rival !== undefined)
          walk.error(
            'structure',
            `only one of ${rival.name} and ${property.name} may be given`,
            property.element.path,
            property.element.name,
          );
        (choices ??= []).push(property);
      }
      checkProperty(walk, property, node[key], node);
    }
    if (node['id'] !== undefined && !shape.resource) checkElementId(walk, node);
    for (const element of shape.required) {
      const given = element.choice
        ? choices?.some((property) => property.element === element) === true
        : node[element.name] !== undefined || node[`_${element.name}`] !== undefined;
      if (!given) walk.error('required', `${shape.path}.${element.name} is required`, `${element.path} min ${element.min}`, element.name);
    }
  };

  const unknown = (walk: Walk, key: string, shape: Shape): void => {
    const name = key.length > 60 ? `${key.slice(0, 60)}…` : key;
    const choice = [...shape.elements.values()].find((element) => element.choice && key.startsWith(element.name));
    const hint = choice === undefined ? '' : `; ${choice.name}[x] may be ${choice.types.map(({ code }) => capitalized(code)).join(', ')}`;
    walk.error('structure', `${shape.path} has no element '${name}'${hint}`, shape.path);
  };

  const checkResource = (walk: Walk, resource: unknown): void => {
    if (!isNode(resource)) {
      walk.error('structure', 'a resource must be a JSON object', 'json.html#resources');
      return;
    }
    const type = resource['resourceType'];
    const shape = typeof type === 'string' ? shapes.find(type) : undefined;
    if (shape === undefined || !shape.resource || shape.abstract) {
      const text = type === undefined ? 'a resource must say its resourceType' : `R4 has no resource type ${describe(type)}`;
      walk.error('structure', text, 'json.html#resources');
      return;
    }
    if (walk.path.length === 0) walk.path.push(shape.type);
    checkNode(walk, resource, shape);
  };

  const elementShape = shapes.get('Element');
  return { resource: checkResource, object: checkNode };
};
