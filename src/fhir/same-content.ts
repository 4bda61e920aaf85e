import { isLosslessNumber } from 'lossless-json';
import type { Resource } from './resource.js';

const textOf = (value: unknown): unknown => (isLosslessNumber(value) ? value.value : typeof value === 'number' ? String(value) : value);

const isSame = (a: unknown, b: unknown): boolean => {
  const [x, y] = [textOf(a), textOf(b)];
  if (x === y) return typeof a !== 'string' || typeof b === 'string';
  if (typeof x !== 'object' || typeof y !== 'object' || x === null || y === null || Array.isArray(x) !== Array.isArray(y)) return false;
  const names = Object.keys(x);
  return (
    names.length === Object.keys(y).length &&
    names.every((name) => Object.hasOwn(y, name) && isSame((x as Record<string, unknown>)[name], (y as Record<string, unknown>)[name]))
  );
};

const content = (resource: Resource): object => {
  const { id: _id, meta, ...rest } = resource;
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {};
  return Object.keys(kept).length === 0 ? rest : { ...rest, meta: kept };
};

/** Whether two versions of a resource say the same: everything but the id and what the server stamps, 1.50 and 1.5 being two things. */
export const isSameContent = (a: Resource, b: Resource): boolean => isSame(content(a), content(b));
