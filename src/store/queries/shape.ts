import type { Predicate, SearchPlan, Sight } from '../port.js';
import type { Parameter } from './dialect.js';

const sightShape = (sight: Sight | undefined): string => (sight === undefined || sight === 'all' ? '*' : String(sight.keys.length));

/** Everything of a condition that decides the text of its statement; what is bound stays out. */
const predicateShape = (predicate: Predicate): string => {
  switch (predicate.kind) {
    case 'never':
      return 'never';
    case 'id':
      return `id ${String(predicate.ids.length)}`;
    case 'token':
      return `token ${predicate.param} ${predicate.not === true ? '!' : ''}${predicate.identifying === true ? 'i' : ''}${predicate.any
        .map(({ system, code }) => (system === undefined ? 'c' : code === undefined ? 's' : 'b'))
        .join('')}`;
    case 'reference':
    case 'near':
      return `${predicate.kind} ${predicate.param} ${String(predicate.any.length)}`;
    case 'range':
      return `range ${predicate.param} ${predicate.any.map(({ prefix }) => prefix).join('')}`;
    case 'updated':
      return `updated ${predicate.any.map(({ prefix }) => prefix).join('')}`;
    case 'text':
      return `text ${predicate.param} ${predicate.mode} ${String(predicate.any.length)}`;
    case 'word':
      return `word ${predicate.param}`;
    case 'missing':
      return `missing ${predicate.param} ${String(predicate.missing)}`;
    case 'either':
      return `either(${predicate.of.map(listShape).join(' | ')})`;
    case 'not':
      return `not(${listShape(predicate.where)})`;
    case 'chain':
    case 'has':
      return `${predicate.kind} ${predicate.param} ${predicate.type} ${sightShape(predicate.sight)}(${listShape(predicate.where)})`;
  }
};

const listShape = (where: readonly Predicate[]): string => where.map(predicateShape).join(';');

/** Two searches with the same shape have the same statement. */
export const shapeOf = (plan: SearchPlan, sight: Sight, after: readonly Parameter[] | undefined): string => {
  const sorts = plan.sort.map(({ param, kind, descending }) => `${param} ${kind} ${descending ? '-' : '+'}`).join(',');
  const position = after?.map((part) => (part === null ? '0' : '1')).join('') ?? '';
  return `${plan.contained ?? ''}${plan.type}?${listShape(plan.where)}#${sorts}#${position}#${sightShape(sight)}`;
};
