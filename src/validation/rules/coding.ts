import type { Definitions } from '../definitions.js';
import type { Check } from '../shapes.js';
import { isSupplement, type LocalCodeSystems } from '../terminology/code-systems.js';
import { grammarOf, isNameOfOther } from '../terminology/grammars.js';
import { isNode, type Walk } from '../walk.js';

export type CodingOptions = {
  /** what a code is that its own system, known here in full, does not have, where no binding asks for one; and a display of another code */
  readonly unknownCodes: 'warning' | 'error';
};

const wellKnown = [
  'http://snomed.info/sct',
  'http://loinc.org',
  'http://unitsofmeasure.org',
  'http://www.nlm.nih.gov/research/umls/rxnorm',
];

/** A URL that was meant to name a system, and is that of a page or has an end or a beginning of its own. */
const systemFault = (system: string, { find }: LocalCodeSystems): string | undefined => {
  if (system.startsWith('https:')) {
    const plain = `http:${system.slice(6)}`;
    return wellKnown.includes(plain) || find(plain) !== undefined ? `'${system}' is no system of codes: it is ${plain}` : undefined;
  }
  if (/^http:\/\/(?:www\.)?hl7\.org\/fhir\/.*\.html(?:#.*)?$/.test(system)) return `'${system}' is a page, and no system of codes`;
  const meant = wellKnown.find((each) => system !== each && system.startsWith(each));
  return meant === undefined || system.includes('?') ? undefined : `'${system}' is no system of codes: it is ${meant}`;
};

/** Without what displays of one code differ in: case, white space and punctuation. */
const spaced = (text: string): string =>
  text
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();

/** The check of every Coding against its own system, whatever it is bound to. */
export const codingCheck = (definitions: Definitions, systems: LocalCodeSystems, options: CodingOptions): Check => {
  const unknown = (walk: Walk, system: string, code: string): void => {
    walk.report(options.unknownCodes, 'code-invalid', `${system} has no code '${code}'`, 'Coding.code', 'code');
  };

  const checkFormed = (walk: Walk, system: string, code: string, display: unknown): void => {
    if (grammarOf(system)?.(code) === 'out') unknown(walk, system, code);
    else if (typeof display === 'string' && isNameOfOther(system, code, display))
      walk.report(options.unknownCodes, 'invalid', `'${display}' is not what the code '${code}' stands for`, 'Coding.display', 'display');
  };

  return (walk, coding) => {
    if (!isNode(coding)) return;
    const { system, code, display, version } = coding;
    if (typeof system !== 'string') return;
    const local = systems.find(system);
    if (local === undefined) {
      if (typeof code === 'string') checkFormed(walk, system, code, display);
      const fault = systemFault(system, systems);
      if (fault !== undefined) walk.report(options.unknownCodes, 'value', fault, 'Coding.system', 'system');
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
      walk.report(
        options.unknownCodes,
        'invalid',
        `the display of '${code}' is '${concept.display}', not '${display}'`,
        'Coding.display',
        'display',
      );
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
