import { compareMoments, compareQuantities, has, hasChoice, isUcum, numberOf, type Natives } from './native.js';
import { containedOf } from '../references.js';
import type { Node } from '../walk.js';

const isPositive = (node: Node): boolean => {
  const value = numberOf(node['value']);
  return value === undefined || value > 0;
};

const unlessEmpty = (node: Node): boolean => (has(node, 'code') || !has(node, 'value')) && (!has(node, 'system') || isUcum(node));

const eventTimes = ['C', 'CM', 'CD', 'CV'];

/** The invariants of R4's data types. */
export const dataTypeInvariants = {
  'ext-1': {
    expression: 'extension.exists() != value.exists()',
    holds: (node) => (node['extension'] !== undefined) !== hasChoice(node, 'value'),
  },
  'age-1': {
    expression:
      '(code.exists() or value.empty()) and (system.empty() or system = %ucum) and (value.empty() or value.hasValue().not() or value > 0)',
    holds: (node) => unlessEmpty(node) && isPositive(node),
  },
  'cnt-3': {
    expression:
      "(code.exists() or value.empty()) and (system.empty() or system = %ucum) and (code.empty() or code = '1') and (value.empty() or value.hasValue().not() or value.toString().contains('.').not())",
    holds: (node) => unlessEmpty(node) && (!has(node, 'code') || node['code'] === '1') && !String(node['value']).includes('.'),
  },
  'dis-1': { expression: '(code.exists() or value.empty()) and (system.empty() or system = %ucum)', holds: unlessEmpty },
  'drt-1': {
    expression: 'code.exists() implies ((system = %ucum) and value.exists())',
    holds: (node) => !has(node, 'code') || (isUcum(node) && has(node, 'value')),
  },
  'mqty-1': {
    expression: "(code.exists() or value.empty()) and (system.empty() or system = 'urn:iso:std:iso:4217')",
    holds: (node) => (has(node, 'code') || !has(node, 'value')) && (!has(node, 'system') || node['system'] === 'urn:iso:std:iso:4217'),
  },
  'sqty-1': { expression: 'comparator.empty()', holds: (node) => !has(node, 'comparator') },
  'qty-3': { expression: 'code.empty() or system.exists()', holds: (node) => !has(node, 'code') || has(node, 'system') },
  'cpt-2': { expression: 'value.empty() or system.exists()', holds: (node) => !has(node, 'value') || has(node, 'system') },
  'att-1': { expression: 'data.empty() or contentType.exists()', holds: (node) => !has(node, 'data') || has(node, 'contentType') },
  'exp-1': { expression: 'expression.exists() or reference.exists()', holds: (node) => has(node, 'expression') || has(node, 'reference') },
  'per-1': {
    expression: 'start.hasValue().not() or end.hasValue().not() or (start <= end)',
    holds: ({ start, end }) => typeof start !== 'string' || typeof end !== 'string' || !((compareMoments(start, end) ?? 0) > 0),
  },
  'rng-2': {
    expression: 'low.empty() or high.empty() or (low <= high)',
    holds: ({ low, high }) => low === undefined || high === undefined || !((compareQuantities(low as Node, high as Node) ?? 0) > 0),
  },
  'rat-1': {
    expression: '(numerator.empty() xor denominator.exists()) and (numerator.exists() or extension.exists())',
    holds: (node) => has(node, 'numerator') === has(node, 'denominator') && (has(node, 'numerator') || has(node, 'extension')),
  },
  'ref-1': {
    expression: "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
    holds: ({ reference }, { frame }) => {
      if (typeof reference !== 'string' || !reference.startsWith('#') || reference === '#') return true;
      return containedOf(frame.container).has(reference.slice(1));
    },
  },
  'tim-1': {
    expression: 'duration.empty() or durationUnit.exists()',
    holds: (node) => !has(node, 'duration') || has(node, 'durationUnit'),
  },
  'tim-2': { expression: 'period.empty() or periodUnit.exists()', holds: (node) => !has(node, 'period') || has(node, 'periodUnit') },
  'tim-4': { expression: 'duration.exists() implies duration >= 0', holds: ({ duration }) => (numberOf(duration) ?? 0) >= 0 },
  'tim-5': { expression: 'period.exists() implies period >= 0', holds: ({ period }) => (numberOf(period) ?? 0) >= 0 },
  'tim-6': { expression: 'periodMax.empty() or period.exists()', holds: (node) => !has(node, 'periodMax') || has(node, 'period') },
  'tim-7': { expression: 'durationMax.empty() or duration.exists()', holds: (node) => !has(node, 'durationMax') || has(node, 'duration') },
  'tim-8': { expression: 'countMax.empty() or count.exists()', holds: (node) => !has(node, 'countMax') || has(node, 'count') },
  'tim-9': {
    expression: "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
    holds: (node) => {
      if (!has(node, 'offset')) return true;
      const when = (node['when'] ?? []) as readonly unknown[];
      return has(node, 'when') && !when.some((code) => eventTimes.includes(code as string));
    },
  },
  'tim-10': { expression: 'timeOfDay.empty() or when.empty()', holds: (node) => !has(node, 'timeOfDay') || !has(node, 'when') },
  'drq-1': { expression: 'path.exists() xor searchParam.exists()', holds: (node) => has(node, 'path') !== has(node, 'searchParam') },
  'drq-2': { expression: 'path.exists() xor searchParam.exists()', holds: (node) => has(node, 'path') !== has(node, 'searchParam') },
  'trd-1': { expression: 'data.empty() or timing.empty()', holds: (node) => !has(node, 'data') || !hasChoice(node, 'timing') },
  'trd-2': { expression: 'condition.exists() implies data.exists()', holds: (node) => !has(node, 'condition') || has(node, 'data') },
} as const satisfies Natives;
