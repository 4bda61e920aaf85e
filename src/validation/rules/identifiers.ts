import type { IdentifierRule } from '../definitions.js';
import type { Check } from '../shapes.js';
import { isNode } from '../walk.js';

/**
 * NHS Data Dictionary, NHS NUMBER: the check digit is 11 less the remainder of the sum of the first nine digits weighted 10 to 2; 11
 * stands for 0, and a number whose check digit would be 10 is never issued.
 */
export const hasModulus11 = (digits: string): boolean => {
  if (!/^\d{10}$/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < 9; at++) sum += (digits.charCodeAt(at) - 48) * (10 - at);
  return (11 - (sum % 11)) % 11 === digits.charCodeAt(9) - 48;
};

const checks: Readonly<Record<string, (value: string) => boolean>> = { 'modulus-11': hasModulus11 };

/** The check of every Identifier against what is known of its system. */
export const identifierCheck = (rules: readonly IdentifierRule[]): Check => {
  const bySystem = new Map(
    rules
      .filter(({ pattern, check }) => pattern !== undefined || check !== undefined)
      .map(({ name, system, pattern, check }) => [
        system,
        { name, form: pattern === undefined ? undefined : new RegExp(pattern), passes: check === undefined ? undefined : checks[check] },
      ]),
  );
  return (walk, identifier) => {
    if (!isNode(identifier)) return;
    const { system, value } = identifier;
    if (system === 'urn:ietf:rfc:3986' && typeof value === 'string' && !/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(value))
      walk.error('value', `'${value}' is no full URI, as the system ${system} asks`, 'Identifier.value', 'value');
    const rule = typeof system === 'string' ? bySystem.get(system) : undefined;
    if (rule === undefined || typeof value !== 'string') return;
    walk.under('NamingSystem', () => {
      if (rule.form?.test(value) === false) walk.error('value', `'${value}' has not the form of a ${rule.name}`, rule.name, 'value');
      else if (rule.passes?.(value) === false)
        walk.error('value', `'${value}' is no ${rule.name}: its check digit is wrong`, rule.name, 'value');
    });
  };
};
