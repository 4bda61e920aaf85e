import { isLosslessNumber } from 'lossless-json';
import { failure, type Failure } from '../outcome.js';

type Tokens = readonly string[];
type Operation = {
  readonly op: string;
  readonly path: Tokens;
  readonly from: Tokens | undefined;
  readonly value: unknown;
  readonly index: number;
};

/** What one patch may do: operations, and JSON nodes that `copy` adds (twenty copies of a copy would make a million). */
const limits = { operations: 1000, copied: 100_000 } as const;

/**
 * Applies a JSON Patch (RFC 6902) to a JSON tree with LosslessNumber leaves; the tree given is not changed.
 * Throws a Failure: `invalid` for a malformed patch or a path that is not there, `business-rule` for a `test` that does not hold.
 */
export const applyJsonPatch = (document: unknown, patch: unknown): unknown => {
  if (!Array.isArray(patch)) throw failure('invalid', 'structure', 'A JSON Patch is an array of operations (RFC 6902), not a resource.');
  if (patch.length > limits.operations)
    throw failure('too-costly', 'too-costly', `A patch has at most ${String(limits.operations)} operations.`);
  let copied = 0;
  return patch.reduce<unknown>((tree, raw, index) => {
    const operation = readOperation(raw, index);
    if (operation.op === 'copy') {
      copied += sizeOf(valueAt(tree, operation.from ?? [], operation), limits.copied - copied);
      if (copied > limits.copied) throw failure('too-costly', 'too-costly', 'The patch copies too much.');
    }
    return performers[operation.op]?.(tree, operation);
  }, document);
};

const wrong = (index: number, text: string, code = 'value'): Failure =>
  failure('invalid', code, `Operation ${String(index)} of the patch: ${text}`, { expression: [`[${String(index)}]`] });

const readOperation = (raw: unknown, index: number): Operation => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrong(index, 'it is not an object.', 'structure');
  const { op, path, from } = raw as { readonly op?: unknown; readonly path?: unknown; readonly from?: unknown };
  if (typeof op !== 'string' || !Object.hasOwn(performers, op))
    throw wrong(index, `op must be one of ${Object.keys(performers).join(', ')}.`);
  if (typeof path !== 'string') throw wrong(index, 'path must be a JSON Pointer.', 'required');
  const moves = op === 'move' || op === 'copy';
  if (moves && typeof from !== 'string') throw wrong(index, `${op} needs from.`, 'required');
  if (['add', 'replace', 'test'].includes(op) && !Object.hasOwn(raw, 'value')) throw wrong(index, `${op} needs value.`, 'required');
  return {
    op,
    path: tokensOf(path, index),
    from: moves ? tokensOf(from as string, index) : undefined,
    value: (raw as { readonly value?: unknown }).value,
    index,
  };
};

/** RFC 6901. */
const tokensOf = (pointer: string, index: number): Tokens => {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) throw wrong(index, `${pointer} is not a JSON Pointer (RFC 6901).`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
};

const pointerOf = (tokens: Tokens): string => tokens.map((token) => `/${token}`).join('');

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);

const missing = (operation: Operation, tokens: Tokens): Failure =>
  wrong(operation.index, `there is nothing at ${pointerOf(tokens) || 'the root'}.`);

const itemIndex = (token: string, length: number, operation: Operation): number => {
  if (!/^(0|[1-9][0-9]{0,8})$/.test(token)) throw wrong(operation.index, `${token} is not the index of an item.`);
  const index = Number(token);
  if (index >= length) throw wrong(operation.index, `the array has no item ${token}.`);
  return index;
};

const valueAt = (tree: unknown, tokens: Tokens, operation: Operation): unknown =>
  tokens.reduce<unknown>((value, token) => {
    if (Array.isArray(value)) return value[itemIndex(token, value.length, operation)] as unknown;
    if (isObject(value) && Object.hasOwn(value, token)) return value[token];
    throw missing(operation, tokens);
  }, tree);

/** The tree with the container at the end of `tokens` changed; everything off the way is shared with the tree given. */
const changed = (
  tree: unknown,
  tokens: Tokens,
  operation: Operation,
  change: (container: readonly unknown[] | Readonly<Record<string, unknown>>, token: string) => unknown,
): unknown => {
  const [token, ...rest] = tokens;
  if (token === undefined) throw wrong(operation.index, 'the root cannot be removed.');
  if (!isArray(tree) && !isObject(tree)) throw missing(operation, tokens);
  if (rest.length === 0) return change(tree, token);
  if (isArray(tree)) {
    const index = itemIndex(token, tree.length, operation);
    return tree.with(index, changed(tree[index], rest, operation, change));
  }
  if (!Object.hasOwn(tree, token)) throw missing(operation, tokens);
  return { ...tree, [token]: changed(tree[token], rest, operation, change) };
};

const added = (tree: unknown, tokens: Tokens, value: unknown, operation: Operation): unknown =>
  tokens.length === 0
    ? value
    : changed(tree, tokens, operation, (container, token) => {
        if (!isArray(container)) return { ...container, [token]: value };
        const index = token === '-' ? container.length : itemIndex(token, container.length + 1, operation);
        return container.toSpliced(index, 0, value);
      });

const removed = (tree: unknown, tokens: Tokens, operation: Operation): unknown =>
  changed(tree, tokens, operation, (container, token) => {
    if (isArray(container)) return container.toSpliced(itemIndex(token, container.length, operation), 1);
    if (!Object.hasOwn(container, token)) throw missing(operation, tokens);
    const { [token]: _gone, ...rest } = container;
    return rest;
  });

const replaced = (tree: unknown, tokens: Tokens, value: unknown, operation: Operation): unknown =>
  tokens.length === 0
    ? value
    : changed(tree, tokens, operation, (container, token) => {
        if (isArray(container)) return container.with(itemIndex(token, container.length, operation), value);
        if (!Object.hasOwn(container, token)) throw missing(operation, tokens);
        return { ...container, [token]: value };
      });

const performers: Readonly<Record<string, (tree: unknown, operation: Operation) => unknown>> = {
  add: (tree, operation) => added(tree, operation.path, operation.value, operation),
  remove: (tree, operation) => removed(tree, operation.path, operation),
  replace: (tree, operation) => replaced(tree, operation.path, operation.value, operation),
  move: (tree, operation) => {
    const from = operation.from ?? [];
    const into = from.length < operation.path.length && from.every((token, index) => operation.path[index] === token);
    if (into) throw wrong(operation.index, 'a value cannot move into itself.');
    const value = valueAt(tree, from, operation);
    return from.length === 0 ? tree : added(removed(tree, from, operation), operation.path, value, operation);
  },
  copy: (tree, operation) => added(tree, operation.path, valueAt(tree, operation.from ?? [], operation), operation),
  test: (tree, operation) => {
    if (!isSame(valueAt(tree, operation.path, operation), operation.value))
      throw failure(
        'business-rule',
        'processing',
        `Operation ${String(operation.index)} of the patch: the test of ${pointerOf(operation.path)} fails.`,
        {
          expression: [`[${String(operation.index)}]`],
        },
      );
    return tree;
  },
};

/** RFC 6902 section 4.6: numbers are equal by value (1.50 is 1.5), objects without regard to order. */
const isSame = (a: unknown, b: unknown): boolean => {
  const [x, y] = [a, b].map((value) => (isLosslessNumber(value) ? Number(value.value) : value));
  if (x === y) return true;
  if (Array.isArray(x)) return Array.isArray(y) && x.length === y.length && x.every((item, index) => isSame(item, y[index]));
  if (!isObject(x) || !isObject(y)) return false;
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((name) => Object.hasOwn(y, name) && isSame(x[name], y[name]));
};

/** The number of nodes of a tree, counted up to just over `limit`. */
const sizeOf = (value: unknown, limit: number): number => {
  let size = 1;
  if (Array.isArray(value) || isObject(value))
    for (const inner of Object.values(value)) {
      if (size > limit) break;
      size += sizeOf(inner, limit - size);
    }
  return size;
};
