import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import { isInEffect, type Concept } from './concept.js';

/** A reason as a caller gave it, and the concept that the reference data has for it. */
export type GivenReason = {
  readonly code: string | undefined;
  readonly concept: Concept | undefined;
  readonly comment: string | undefined;
  /** business function of the caller; a patient acts as his referrer does */
  readonly businessFunction: string | undefined;
  /** the property of the concept that names what it may be used for, and the value that is needed */
  readonly usage: { readonly property: string; readonly value: string } | undefined;
  /** where the reason and the comment stand */
  readonly expression: string;
  readonly commentExpression: string;
  readonly now: string;
};

const given: Rule<GivenReason> = {
  code: 'MISSING_VALUE',
  expression: 'Parameters.parameter',
  issue: 'required',
  evaluate: ({ code, expression }) => unless(code !== undefined && code !== '', 'A coded reason is needed.', expression),
};

const known: Rule<GivenReason> = {
  code: 'INVALID_CODE',
  expression: 'Parameters.parameter',
  issue: 'code-invalid',
  evaluate: ({ code, concept, expression }) =>
    unless(code === undefined || code === '' || concept !== undefined, `${code ?? ''} is no code of the reference data.`, expression),
};

const usable: Rule<GivenReason> = {
  code: 'INVALID_CODE',
  expression: 'Parameters.parameter',
  evaluate: ({ concept, usage, expression }) =>
    unless(
      !concept || usage === undefined || concept.all(usage.property).includes(usage.value),
      `${concept?.code ?? ''} is not for this: its ${usage?.property ?? ''} is not ${usage?.value ?? ''}.`,
      expression,
    ),
};

const permitted: Rule<GivenReason> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Parameters.parameter',
  evaluate: ({ concept, businessFunction, usage, expression }) =>
    unless(
      !concept || usage === undefined || businessFunction === undefined || concept.all('businessFunction').includes(businessFunction),
      `${concept?.code ?? ''} is not for the business function ${businessFunction ?? ''}.`,
      expression,
    ),
};

const current: Rule<GivenReason> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'Parameters.parameter',
  evaluate: ({ concept, now, expression }) =>
    unless(!concept || isInEffect(concept, now), `${concept?.code ?? ''} is not in effect today.`, expression),
};

const commented: Rule<GivenReason> = {
  code: 'MISSING_VALUE',
  expression: 'Parameters.parameter',
  issue: 'required',
  evaluate: ({ concept, comment, commentExpression }) =>
    unless(
      concept?.is('commentIsMandatory') !== true || (comment ?? '').trim() !== '',
      `A comment must come with ${concept?.code ?? ''}.`,
      commentExpression,
    ),
};

/** What holds for every coded reason: all of it read from the concept's properties (A004). */
export const reasonRules: readonly Rule<GivenReason>[] = [given, known, usable, permitted, current, commented];
