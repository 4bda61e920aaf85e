import type { Predicate, Value } from '../../store/port.js';

/** Whether index values of a resource, which need not be stored yet, hold a condition: one of those that `isJudged` names. */
export const meets = (predicate: Predicate, values: readonly Value[]): boolean => {
  if (predicate.kind === 'token' && predicate.not !== true)
    return predicate.any.some(({ system, code }) =>
      values.some(
        (value) =>
          value.kind === 'token' &&
          value.param === predicate.param &&
          (system === undefined || value.system === system) &&
          (code === undefined || value.code === code),
      ),
    );
  if (predicate.kind !== 'reference') return false;
  return predicate.any.some(({ type, id }) =>
    values.some(
      (value) => value.kind === 'reference' && value.param === predicate.param && value.target.type === type && value.target.id === id,
    ),
  );
};

/** A write can be tested against these before it is committed; of other conditions only the index of a stored row can tell. */
export const isJudged = (predicate: Predicate): boolean =>
  (predicate.kind === 'token' && predicate.not !== true) || predicate.kind === 'reference';
