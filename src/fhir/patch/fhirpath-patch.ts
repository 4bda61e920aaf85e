import { isLosslessNumber } from 'lossless-json';
import { failure, type Failure } from '../outcome.js';
import type { Resource } from '../resource.js';
import type { ElementShape, Shapes, TypeShape } from '../shapes.js';
import { locate, type Location, type Step } from './locate.js';

type Part = {
  readonly name?: string;
  readonly part?: readonly Part[];
  readonly resource?: unknown;
  readonly [value: string]: unknown;
};
type Tree = Readonly<Record<string, unknown>>;

/** A value as Parameters carry it: what goes under the property, and what goes under `_property` for a primitive. */
type Given = { readonly suffix: string; readonly value: unknown; readonly beside: unknown };

type Operation = {
  readonly resource: Resource;
  readonly shapes: Shapes;
  readonly part: (name: string) => Part | undefined;
  /** FHIRPath of the operation in the Parameters */
  readonly at: string;
};

const maxOperations = 250;

/**
 * Applies a FHIRPath Patch (R4 fhirpatch.html) to a resource; the resource given is not changed.
 * Throws a Failure `invalid` for a malformed operation, `business-rule` where a path finds not what the operation needs.
 */
export const applyFhirPathPatch = (resource: Resource, parameters: Resource, shapes: Shapes): Resource => {
  const operations = Array.isArray(parameters['parameter']) ? (parameters['parameter'] as readonly Part[]) : [];
  if (operations.length === 0)
    throw failure('invalid', 'required', 'A FHIRPath Patch needs a parameter named operation.', { expression: ['Parameters.parameter'] });
  if (operations.length > maxOperations)
    throw failure('too-costly', 'too-costly', `A patch has at most ${String(maxOperations)} operations.`, {
      expression: ['Parameters.parameter'],
    });
  return operations.reduce<Resource>((patched, operation, index) => {
    const at = `Parameters.parameter[${String(index)}]`;
    if (operation.name !== 'operation')
      throw failure('invalid', 'value', 'Every parameter of a FHIRPath Patch is named operation.', { expression: [at] });
    const parts = operation.part ?? [];
    const step: Operation = { resource: patched, shapes, at, part: (name) => parts.find((part) => part.name === name) };
    const type = text(step, 'type');
    const perform = Object.hasOwn(performers, type) ? performers[type] : undefined;
    if (!perform)
      throw failure('invalid', 'value', `The type of an operation is ${Object.keys(performers).join(', ')}.`, { expression: [at] });
    return perform(step);
  }, resource);
};

const wrong = ({ at }: Operation, message: string, code = 'value'): Failure => failure('invalid', code, message, { expression: [at] });
const unmet = ({ at }: Operation, message: string): Failure => failure('business-rule', 'processing', message, { expression: [at] });

const text = (step: Operation, name: string): string => {
  const part = step.part(name);
  const value = part?.['valueString'] ?? part?.['valueCode'];
  if (typeof value !== 'string') throw wrong(step, `The operation needs the part ${name}.`, 'required');
  return value;
};

const whole = (step: Operation, name: string): number => {
  const value = step.part(name)?.['valueInteger'];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw wrong(step, `The operation needs the part ${name}, a valueInteger from 0.`);
  return value;
};

const given = (step: Operation, shape: TypeShape | undefined): Given => {
  const part = step.part('value');
  if (!part) throw wrong(step, 'The operation needs the part value.', 'required');
  return givenOf(step, part, shape);
};

/** R4 fhirpatch.html: a datatype is `value[x]`; an element with children of its own is given part by part. */
const givenOf = (step: Operation, part: Part, shape: TypeShape | undefined): Given => {
  if (part.resource !== undefined) return { suffix: '', value: part.resource, beside: undefined };
  const names = Object.keys(part).filter((name) => /^_?value[A-Z]/.test(name));
  const name = names[0]?.replace(/^_/, '');
  if (name !== undefined) return { suffix: name.slice('value'.length), value: part[name], beside: part[`_${name}`] };
  if (!part.part || part.part.length === 0) throw wrong(step, 'The part value holds neither value[x] nor parts.', 'required');
  const built = part.part.reduce<Tree>((tree, inner) => {
    const row = rowOf(shape, inner.name ?? '');
    const value = givenOf(step, inner, row && step.shapes(row.type));
    return put(tree, propertyFor(step, shape, inner.name ?? '', value), value);
  }, {});
  return { suffix: '', value: built, beside: undefined };
};

const rowOf = (shape: TypeShape | undefined, name: string): ElementShape | undefined =>
  shape?.byName.get(name) ?? shape?.elements.find(({ choice }) => choice === name);

/** The property under which a value of this type stands: `value` and valueString make `valueString`. */
const propertyFor = (step: Operation, shape: TypeShape | undefined, name: string, value: Given): ElementShape => {
  const row = shape?.byName.get(name) ?? shape?.byName.get(`${name}${value.suffix}`);
  if (!row)
    throw wrong(
      step,
      `${shape?.name ?? 'The element'} has no element ${name}${value.suffix === '' ? '' : ` of the type ${value.suffix}`}.`,
      'structure',
    );
  return row;
};

/** Sets the element, or appends to it where it repeats. */
const put = (tree: Tree, row: ElementShape, { value, beside }: Given): Tree => {
  const without = row.choice === undefined ? tree : withoutChoice(tree, row.choice, row.name);
  if (!row.list) return both(without, row.name, value, beside);
  return editList(
    without,
    row.name,
    (list) => [...list, value],
    (list) => [...list, beside ?? null],
  );
};

const isChoice = (property: string, choice: string): boolean => property.startsWith(choice) && /^[A-Z]/.test(property.slice(choice.length));

const withoutChoice = (tree: Tree, choice: string, except: string): Tree =>
  Object.fromEntries(
    Object.entries(tree).filter(([name]) => {
      const bare = name.replace(/^_/, '');
      return bare === except || !isChoice(bare, choice);
    }),
  );

const both = (tree: Tree, name: string, value: unknown, beside: unknown): Tree => {
  const { [`_${name}`]: _old, ...rest } = tree;
  const set = value === undefined ? omit(rest, name) : { ...rest, [name]: value };
  return beside === undefined ? set : { ...set, [`_${name}`]: beside };
};

const omit = (tree: Tree, name: string): Tree => {
  const { [name]: _value, [`_${name}`]: _beside, ...rest } = tree;
  return rest;
};

type Edit = (list: readonly unknown[]) => readonly unknown[];

/** Edits a list and, for primitives, the list of ids and extensions beside it, which must stay in step (R4 json.html#primitive). */
const editList = (tree: Tree, name: string, edit: Edit, editBeside: Edit = edit): Tree => {
  const values = (tree[name] ?? []) as readonly unknown[];
  const old = tree[`_${name}`] as readonly unknown[] | undefined;
  const length = Math.max(values.length, old?.length ?? 0);
  const padded = (list: readonly unknown[]) => [...list, ...Array<null>(length - list.length).fill(null)];
  const edited = edit(padded(values));
  const beside = editBeside(padded(old ?? []));
  const rest = omit(tree, name);
  if (edited.length === 0) return rest;
  const holds = (list: readonly unknown[]) => list.some((item) => item !== null && item !== undefined);
  return {
    ...(holds(edited) ? { ...rest, [name]: edited } : rest),
    ...(holds(beside) ? { [`_${name}`]: beside } : {}),
  };
};

type Place = { readonly container: Location; readonly last: Step };

const one = (step: Operation, path: string): Location => {
  const found = locate(step.resource, path, step.at);
  const [location] = found;
  if (found.length !== 1 || !location) throw unmet(step, `The path must find one element; it finds ${String(found.length)}: ${path}`);
  return location;
};

const split = (step: Operation, location: Location): Place => {
  const last = location.at(-1);
  if (!last) throw unmet(step, 'The operation cannot be done to the resource as a whole.');
  return { container: location.slice(0, -1), last };
};

/** The one list that the path finds all of. */
const listAt = (step: Operation, path: string): Place & { readonly length: number } => {
  const found = locate(step.resource, path, step.at);
  const [first] = found;
  if (!first) throw unmet(step, `The path finds no list: ${path}`);
  const place = split(step, first);
  const same = found.every(
    (location) => JSON.stringify(location.slice(0, -1)) === JSON.stringify(place.container) && location.at(-1)?.name === place.last.name,
  );
  if (!same || place.last.index === undefined) throw unmet(step, `The path must find one list: ${path}`);
  return { ...place, length: found.length };
};

/** The property of the tree that a step means: `value` is `valueString` where that is there. */
const propertyAt = (tree: Tree, name: string): string => {
  if (Object.hasOwn(tree, name) || Object.hasOwn(tree, `_${name}`)) return name;
  const property = Object.keys(tree).find((candidate) => isChoice(candidate.replace(/^_/, ''), name));
  return property?.replace(/^_/, '') ?? name;
};

type Change = (tree: Tree, shape: TypeShape | undefined) => Tree;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);

/** The resource with the container changed; a primitive's container is what stands beside it. */
const changedAt = (step: Operation, container: Location, change: Change): Resource => {
  const walk = (tree: Tree, shape: TypeShape | undefined, way: Location): Tree => {
    const [next, ...rest] = way;
    const own = typeof tree['resourceType'] === 'string' ? step.shapes(tree['resourceType']) : shape;
    if (!next) return change(tree, own);
    const property = propertyAt(tree, next.name);
    const row = own?.byName.get(property);
    const inner = row && step.shapes(row.type);
    const key = inner?.kind === 'primitive' ? `_${property}` : property;
    const value = tree[key];
    if (next.index === undefined) return { ...tree, [key]: walk(isTree(value) ? value : {}, inner, rest) };
    const list = Array.isArray(value) ? (value as readonly unknown[]) : [];
    const padded = Array.from({ length: Math.max(list.length, next.index + 1) }, (_, index) => list[index] ?? null);
    const item = padded[next.index];
    return { ...tree, [key]: padded.with(next.index, walk(isTree(item) ? item : {}, inner, rest)) };
  };
  return walk(step.resource, undefined, container) as Resource;
};

const performers: Readonly<Record<string, (step: Operation) => Resource>> = {
  add: (step) => {
    const location = one(step, text(step, 'path'));
    const name = text(step, 'name');
    return changedAt(step, location, (tree, shape) => {
      const row = rowOf(shape, name);
      const value = given(step, row && step.shapes(row.type));
      return put(tree, propertyFor(step, shape, name, value), value);
    });
  },
  insert: (step) => {
    const { container, last, length } = listAt(step, text(step, 'path'));
    const index = whole(step, 'index');
    if (index > length) throw unmet(step, `The list has ${String(length)} items: nothing can be inserted at ${String(index)}.`);
    return changedAt(step, container, (tree, shape) => {
      const row = rowOf(shape, last.name);
      const value = given(step, row && step.shapes(row.type));
      return editList(
        tree,
        last.name,
        (list) => list.toSpliced(index, 0, value.value),
        (list) => list.toSpliced(index, 0, value.beside ?? null),
      );
    });
  },
  delete: (step) => {
    const path = text(step, 'path');
    const found = locate(step.resource, path, step.at);
    // R4 fhirpatch.html: deleting what is not there is no error
    if (found.length === 0) return step.resource;
    const { container, last } = split(step, one(step, path));
    return changedAt(step, container, (tree) => {
      const { index } = last;
      return index === undefined ? omit(tree, propertyAt(tree, last.name)) : editList(tree, last.name, (list) => list.toSpliced(index, 1));
    });
  },
  replace: (step) => {
    const { container, last } = split(step, one(step, text(step, 'path')));
    return changedAt(step, container, (tree, shape) => {
      const row = rowOf(shape, last.name);
      const value = given(step, row && step.shapes(row.type));
      const { index } = last;
      if (index === undefined) return put(tree, { ...propertyFor(step, shape, last.name, value), list: false }, value);
      return editList(
        tree,
        last.name,
        (list) => list.with(index, value.value),
        (list) => list.with(index, value.beside ?? null),
      );
    });
  },
  move: (step) => {
    const { container, last, length } = listAt(step, text(step, 'path'));
    const source = whole(step, 'source');
    const destination = whole(step, 'destination');
    if (source >= length || destination >= length)
      throw unmet(step, `The list has ${String(length)} items: source and destination must be below that.`);
    const edit: Edit = (list) => list.toSpliced(source, 1).toSpliced(destination, 0, list[source]);
    return changedAt(step, container, (tree) => editList(tree, last.name, edit));
  },
};
