import type { Check } from './shapes.js';
import type { CodeSet, Membership } from './terminology/value-sets.js';
import { isNode, type Node, type Walk } from './walk.js';

export type Strength = 'required' | 'extensible' | 'preferred' | 'example';

/** A binding as it is checked: its value set is expanded when the first value comes. */
export type Binding = {
  readonly strength: Strength;
  readonly valueSet: string;
  readonly codes: () => CodeSet | undefined;
};

/** The types whose values carry a code (R4 terminologies.html#binding). */
export const bindable = new Set(['code', 'Coding', 'CodeableConcept', 'Quantity', 'Age', 'Duration', 'Count', 'Distance', 'string', 'uri']);

const quoted = ({ system, code }: Node): string => {
  const text = typeof code === 'string' ? code : 'no code';
  return typeof system === 'string' ? `${system}|${text}` : text;
};

/** What is known here, or else what a terminology server has said. */
const told = (walk: Walk, { valueSet }: Binding, codes: CodeSet, system: string | undefined, code: string): Membership => {
  const status = codes.membership(system, code);
  if (status !== 'unknown') return status;
  // the system of a `code` is implied where the value set has but one
  const [only, ...others] = system === undefined ? codes.systems() : [system];
  return only === undefined || others.length > 0 ? 'unknown' : walk.ask({ valueSet, system: only, code });
};

const codingMembership = (walk: Walk, binding: Binding, codes: CodeSet, coding: Node): Membership => {
  const { system, code } = coding;
  if (typeof code !== 'string') return 'out';
  if (typeof system !== 'string') return codes.membership(undefined, code) === 'out' ? 'out' : 'unknown';
  return told(walk, binding, codes, system, code);
};

/** A value set that nothing here defines. */
const unlistedSet = (url: string): CodeSet => ({
  url,
  title: url,
  membership: () => 'unknown',
  codes: new Map(),
  enumerated: false,
  systems: () => [],
});

const refuse = (walk: Walk, binding: Binding, codes: CodeSet, subject: string): void => {
  const rule = `binding ${binding.strength} ${binding.valueSet}`;
  if (binding.strength === 'required') walk.error('code-invalid', `${subject} is not in ${codes.title}`, rule);
  else walk.warning('code-invalid', `${subject} is not in ${codes.title}; use one of its codes unless none fits`, rule);
};

const doubt = (walk: Walk, binding: Binding, codes: CodeSet, subject: string): void => {
  if (binding.strength !== 'required') return;
  walk.report(
    walk.given.undecided,
    walk.given.undecided === 'error' ? 'code-invalid' : 'not-found',
    `whether ${subject} is in ${codes.title} cannot be told here`,
    `binding ${binding.strength} ${binding.valueSet}`,
  );
};

const checkCode = (walk: Walk, binding: Binding, codes: CodeSet, code: string): void => {
  const status = told(walk, binding, codes, undefined, code);
  if (status === 'out') refuse(walk, binding, codes, `'${code}'`);
  if (status === 'unknown') doubt(walk, binding, codes, `'${code}'`);
};

const checkCoding = (walk: Walk, binding: Binding, codes: CodeSet, coding: Node): void => {
  if (coding['code'] === undefined) {
    if (binding.strength === 'required')
      walk.error('code-invalid', `a code of ${codes.title} is required`, `binding required ${binding.valueSet}`);
    return;
  }
  const status = codingMembership(walk, binding, codes, coding);
  if (status === 'out') refuse(walk, binding, codes, `'${quoted(coding)}'`);
  if (status === 'unknown') doubt(walk, binding, codes, `'${quoted(coding)}'`);
};

const checkConcept = (walk: Walk, binding: Binding, codes: CodeSet, concept: Node): void => {
  const codings = Array.isArray(concept['coding']) ? (concept['coding'] as readonly unknown[]).filter(isNode) : [];
  if (codings.length === 0) {
    if (binding.strength === 'required')
      walk.error('code-invalid', `a code of ${codes.title} is required`, `binding required ${binding.valueSet}`);
    return;
  }
  const statuses = codings.map((coding) => codingMembership(walk, binding, codes, coding));
  if (statuses.includes('in')) return;
  const subject = codings.length === 1 ? `'${quoted(codings[0]!)}'` : 'none of the codings';
  if (statuses.includes('unknown')) doubt(walk, binding, codes, subject);
  else if (codings.length === 1) refuse(walk, binding, codes, subject);
  else refuse(walk, binding, codes, codings.map((coding) => `'${quoted(coding)}'`).join(', '));
};

/** The check of a binding for values of one type; undefined when values of that type carry no code, or the strength asks nothing. */
export const bindingCheck = (binding: Binding, type: string): Check | undefined => {
  if (binding.strength === 'example' || binding.strength === 'preferred' || !bindable.has(type)) return undefined;
  const single = type === 'code' || type === 'string' || type === 'uri';
  const apply = single ? undefined : type === 'CodeableConcept' ? checkConcept : checkCoding;
  const unlisted = unlistedSet(binding.valueSet);
  return (walk, value) => {
    const codes = binding.codes() ?? unlisted;
    if (apply === undefined) checkCode(walk, binding, codes, value as string);
    else if (isNode(value)) apply(walk, binding, codes, value);
  };
};
