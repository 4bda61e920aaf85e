import type { Key, Predicate, Put, Sight, Value } from '../../src/store/port.js';

/** A search in its plainest form: every condition is tried on every row. What the engines' SQL is compared with. */
export type Row = Put;

const keyOf = ({ type, id }: Key): string => `${type}/${id}`;

const inRange = (prefix: string, row: { low: number; high: number }, value: { low: number; high: number }): boolean => {
  const contained = row.low >= value.low && row.high <= value.high;
  switch (prefix) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return row.high > value.high;
    case 'lt':
      return row.low < value.low;
    case 'ge':
      return row.high > value.high || contained;
    case 'le':
      return row.low < value.low || contained;
    case 'sa':
      return row.low >= value.high;
    case 'po':
      return row.low < value.high && row.high > value.low;
    case 'co':
      return row.low <= value.low && row.high >= value.high;
    default:
      return row.high <= value.low;
  }
};

const inText: Readonly<Record<Extract<Predicate, { kind: 'text' }>['mode'], (value: string, asked: string) => boolean>> = {
  exact: (value, asked) => value === asked,
  starts: (value, asked) => value.startsWith(asked),
  contains: (value, asked) => value.includes(asked),
  ends: (value, asked) => value.endsWith(asked),
  from: (value, asked) => value >= asked,
  below: (value, asked) => value < asked,
};

const kilometres = (a: { latitude: number; longitude: number }, b: { latitude: number; longitude: number }): number => {
  const radians = Math.PI / 180;
  const half =
    Math.sin(((a.latitude - b.latitude) * radians) / 2) ** 2 +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.sin(((a.longitude - b.longitude) * radians) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.sqrt(half));
};

export const isSeen = (row: Row, sight: Sight, rows: readonly Row[]): boolean =>
  sight === 'all' ||
  row.accessKeys.some((key) => sight.keys.includes(key)) ||
  rows.some(
    (other) =>
      other.accessKeys.some((key) => sight.keys.includes(key)) &&
      rows.some(({ accessLinks }) => accessLinks.some(({ child, root }) => keyOf(child) === keyOf(row) && keyOf(root) === keyOf(other))),
  );

/** Whether a condition holds for a row, by the index values that the rows were written with. */
export const holds = (predicate: Predicate, row: Row, rows: readonly Row[]): boolean => {
  const all = (where: readonly Predicate[], candidate: Row): boolean => where.every((inner) => holds(inner, candidate, rows));
  const some = (test: (value: Value) => boolean): boolean => row.values.some(test);
  switch (predicate.kind) {
    case 'never':
      return false;
    case 'id':
      return predicate.ids.includes(row.id);
    case 'token': {
      const found = some(
        (value) =>
          value.kind === 'token' &&
          value.param === predicate.param &&
          predicate.any.some(
            ({ system, code }) => (system === undefined || system === value.system) && (code === undefined || code === value.code),
          ),
      );
      return found !== (predicate.not === true);
    }
    case 'reference':
      return some(
        (value) =>
          value.kind === 'reference' && value.param === predicate.param && predicate.any.some((key) => keyOf(key) === keyOf(value.target)),
      );
    case 'range':
      return some(
        (value) =>
          value.kind === 'range' && value.param === predicate.param && predicate.any.some((asked) => inRange(asked.prefix, value, asked)),
      );
    case 'updated': {
      const moment = { low: row.lastUpdated, high: row.lastUpdated + 1 };
      return predicate.any.some((asked) => inRange(asked.prefix, moment, asked));
    }
    case 'text':
      return some(
        (value) =>
          value.kind === 'text' &&
          value.param === predicate.param &&
          predicate.any.some((asked) => inText[predicate.mode](value.value, asked)),
      );
    case 'missing':
      return some((value) => value.param === predicate.param) !== predicate.missing;
    case 'near':
      return some(
        (value) =>
          value.kind === 'position' &&
          value.param === predicate.param &&
          predicate.any.some((circle) => kilometres(circle, value) <= circle.km),
      );
    case 'word':
      return some(
        (value) =>
          value.kind === 'word' && value.word === predicate.word && (predicate.param === '_content' || value.param === predicate.param),
      );
    case 'either':
      return predicate.of.some((where) => all(where, row));
    case 'not':
      return !all(predicate.where, row);
    case 'chain':
      return some(
        (value) =>
          value.kind === 'reference' &&
          value.param === predicate.param &&
          rows.some(
            (other) =>
              keyOf(other) === keyOf(value.target) &&
              // R4 search.html#contained: a chain is followed into contained resources
              [predicate.type, `#${predicate.type}`].includes(other.type) &&
              isSeen(other, predicate.sight ?? 'all', rows) &&
              all(predicate.where, other),
          ),
      );
    case 'has':
      return rows.some(
        (other) =>
          other.type === predicate.type &&
          isSeen(other, predicate.sight ?? 'all', rows) &&
          other.values.some(
            (value) => value.kind === 'reference' && value.param === predicate.param && keyOf(value.target) === keyOf(row),
          ) &&
          all(predicate.where, other),
      );
  }
};
