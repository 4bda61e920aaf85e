import type { Definitions } from '../definitions.js';
import type { Check } from '../shapes.js';
import { isSupplement, type LocalCodeSystems } from '../terminology/code-systems.js';
import { grammarOf } from '../terminology/grammars.js';
import { isNode, type Walk } from '../walk.js';

export type CodingOptions = {
  /** what a code is that its own system, known here in full, does not have, where no binding asks for one */
  readonly unknownCodes: 'warning' | 'error';
};

const spaced = (text: string): string => text.trim().replaceAll(/\s+/g, ' ').toLowerCase();

/** The check of every Coding against its own system, whatever it is bound to. */
export const codingCheck = (definitions: Definitions, systems: LocalCodeSystems, options: CodingOptions): Check => {
  const unknown = (walk: Walk, system: string, code: string): void => {
    walk.report(options.unknownCodes, 'code-invalid', `${system} has no code '${code}'`, 'Coding.code', 'code');
  };

  return (walk, coding) => {
    if (!isNode(coding)) return;
    const { system, code, display, version } = coding;
    if (typeof system !== 'string') return;
    const local = systems.find(system);
    if (local === undefined) {
      if (typeof code === 'string' && grammarOf(system)?.(code) === 'out') unknown(walk, system, code);
      if (isSupplement(definitions.findCodeSystem(system)))
        walk.error('value', `${system} is a supplement, and no system of codes itself`, 'Coding.system', 'system');
      else if (definitions.findValueSet(system) !== undefined)
        walk.report(options.unknownCodes, 'value', `${system} is a value set, and no system of codes`, 'Coding.system', 'system');
      return;
    }
    if (typeof code !== 'string' || (version !== undefined && local.version !== undefined && version !== local.version)) return;
    const concept = local.find(code);
    if (concept === undefined) {
      if (local.complete) unknown(walk, system, code);
      return;
    }
    if (typeof display === 'string' && concept.display !== undefined && spaced(display) !== spaced(concept.display))
      walk.warning('invalid', `the display of '${code}' is '${concept.display}', not '${display}'`, 'Coding.display', 'display');
  };
};

/** The check of every Quantity whose unit is coded in a system of a known grammar: UCUM. */
export const quantityCheck =
  (options: CodingOptions): Check =>
  (walk, quantity) => {
    if (!isNode(quantity)) return;
    const { system, code } = quantity;
    if (typeof system !== 'string' || typeof code !== 'string' || grammarOf(system)?.(code) !== 'out') return;
    walk.report(options.unknownCodes, 'code-invalid', `'${code}' is no unit of ${system}`, 'Quantity.code', 'code');
  };
