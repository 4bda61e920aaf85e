import type { CodeSystem } from 'fhir/r4.js';
import type { Definitions } from '../../definitions.js';
import { itemsOf } from '../../invariants/native.js';
import type { Check } from '../../shapes.js';
import { isSupplement, type LocalCodeSystems } from '../../terminology/code-systems.js';
import { grammarOf } from '../../terminology/grammars.js';
import { isNode, type Node, type Walk } from '../../walk.js';
import { constraintFault } from './ecl.js';

type Parts = { readonly definitions: Definitions; readonly systems: LocalCodeSystems };

/** What is wrong with the system that an include names. */
const systemFault = ({ definitions }: Parts, system: string): string | undefined => {
  if (system.includes('|')) return `'${system}' has a version, which has an element of its own`;
  const known = definitions.findCodeSystem(system);
  if (isSupplement(known)) return `'${system}' is a supplement; the system is ${known!.supplements ?? 'the one that it supplements'}`;
  return known === undefined && definitions.findValueSet(system) !== undefined
    ? `'${system}' is a value set, and no system of codes`
    : undefined;
};

const isUnknown = ({ systems }: Parts, system: string, code: string): boolean => {
  const local = systems.find(system);
  return local === undefined ? grammarOf(system)?.(code) === 'out' : local.complete && local.find(code) === undefined;
};

const hierarchical = new Set(['is-a', 'descendent-of', 'is-not-a', 'generalizes']);
const ofCodes = new Set(['concept', 'code']);
const ofRelatives = new Set(['parent', 'child']);

const forms: Readonly<Record<string, RegExp>> = {
  boolean: /^(?:true|false)$/,
  integer: /^[+-]?\d+$/,
  decimal: /^[+-]?\d+(?:\.\d+)?$/,
  dateTime: /^\d{4}(?:-\d\d(?:-\d\d(?:T.*)?)?)?$/,
  Coding: /^[A-Za-z][A-Za-z0-9+.-]*:[^\s#|]*(?:\|[^\s#]+)?[#|]\S+$/,
};

/** Properties of R4 (codesystem-concept-properties) by type, where a system does not define them. */
const common: Readonly<Record<string, string>> = { notSelectable: 'boolean', inactive: 'boolean' };

const typeOf = (system: CodeSystem | undefined, property: string): string | undefined =>
  system?.property?.find(({ code }) => code === property)?.type ?? common[property];

const isExpression = (text: string): boolean => {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
};

const valueFault = (parts: Parts, system: string, property: string, op: unknown, value: string): string | undefined => {
  if (op === 'exists') return forms['boolean']!.test(value) ? undefined : 'true or false is asked for';
  if (op === 'regex') return isExpression(value) ? undefined : 'it is no regular expression';
  if (system === 'http://snomed.info/sct' && property === 'constraint') return constraintFault(value);
  const named = ofCodes.has(property) || (ofRelatives.has(property) && parts.systems.find(system) !== undefined);
  if (hierarchical.has(op as string) || (named && (op === '=' || op === 'in' || op === 'not-in')))
    return value
      .split(',')
      .filter((code) => isUnknown(parts, system, code.trim()))
      .map((code) => `${system} has no code '${code}'`)[0];
  const type = typeOf(parts.definitions.findCodeSystem(system), property);
  const form = type === undefined ? undefined : forms[type];
  if (form === undefined) return undefined;
  const values = op === 'in' || op === 'not-in' ? value.split(',') : [value];
  return values.every((each) => form.test(each.trim())) ? undefined : `the property has values of type ${type!}`;
};

const checkFilter = (walk: Walk, parts: Parts, system: string, { property, op, value }: Node): void => {
  if (typeof property !== 'string' || typeof value !== 'string') return;
  if (op === 'regex' && property === 'concept')
    walk.error('invalid', 'a regular expression is compared to codes, not to concepts', 'ValueSet filter', 'property');
  const fault = valueFault(parts, system, property, op, value);
  if (fault !== undefined)
    walk.error('invalid', `the filter by ${property} cannot have the value '${value}': ${fault}`, 'ValueSet filter', 'value');
};

const checkInclude = (walk: Walk, parts: Parts, include: Node, retired: boolean): void => {
  const { system } = include;
  if (typeof system !== 'string') return;
  const fault = systemFault(parts, system);
  if (fault !== undefined) {
    walk.error('invalid', fault, 'ValueSet.compose.include.system', 'system');
    return;
  }
  itemsOf(include, 'concept').forEach(({ code }, index) => {
    if (typeof code !== 'string' || !isUnknown(parts, system, code)) return;
    walk.path.push('concept', index);
    walk.report(
      retired ? 'warning' : 'error',
      'code-invalid',
      `${system} has no code '${code}'`,
      'ValueSet.compose.include.concept',
      'code',
    );
    walk.path.length -= 2;
  });
  itemsOf(include, 'filter').forEach((filter, index) => {
    walk.path.push('filter', index);
    checkFilter(walk, parts, system, filter);
    walk.path.length -= 2;
  });
};

/** What R4 valueset.html says of a ValueSet beyond its invariants. */
export const valueSetCheck =
  (parts: Parts): Check =>
  (walk, value) => {
    const compose = isNode(value) ? value['compose'] : undefined;
    if (!isNode(compose) || !isNode(value)) return;
    for (const part of ['include', 'exclude'])
      itemsOf(compose, part).forEach((include, index) => {
        walk.path.push('compose', part, index);
        checkInclude(walk, parts, include, value['status'] === 'retired');
        walk.path.length -= 3;
      });
  };
