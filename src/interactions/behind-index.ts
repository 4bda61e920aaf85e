import type { Predicate, SearchPlan } from '../store/port.js';
import type { House } from './house.js';

/** The types that a condition looks at, beside that of its plan. */
const typesIn = (predicate: Predicate): readonly string[] => {
  switch (predicate.kind) {
    case 'chain':
    case 'has':
      return [predicate.type, ...predicate.where.flatMap(typesIn)];
    case 'not':
      return predicate.where.flatMap(typesIn);
    case 'either':
      return predicate.of.flat().flatMap(typesIn);
    default:
      return [];
  }
};

/**
 * What is said beside the matches (R4 search.html#mode, `outcome`) while stored resources are indexed anew after an upgrade, so that
 * nobody takes a search that may miss some for one that found all; undefined when it found all.
 */
export const behindWarning = ({ searchIndex }: House, plans: readonly SearchPlan[]): string | undefined => {
  const behind = searchIndex.behind();
  if (behind.size === 0) return undefined;
  const types = plans.flatMap(({ type, where }) => [type, ...where.flatMap(typesIn)]).filter((type) => behind.has(type));
  if (types.length === 0) return undefined;
  const text = `${[...new Set(types)].sort().join(', ')}: what is stored is being indexed anew. Until that is done a search may miss some of it.`;
  const issue = [{ severity: 'warning', code: 'incomplete', details: { text } }];
  return JSON.stringify({ resourceType: 'OperationOutcome', issue });
};
