import { Failure, type Category, type Issue } from '../../fhir/outcome.js';
import { systems } from '../codes.js';

/** One thing that a rule found wrong: the element (FHIRPath with indexes) and what to say about it. */
export type Breach = {
  readonly text: string;
  /** without one, the rule's own */
  readonly expression?: string;
};

/**
 * A rule of e-RS as data and one pure function: its code of ers-error-codes, the element it speaks of, and what it finds wrong in `X`.
 * `category` is business-rule unless another is said (a taken slot is a conflict, a stranger is forbidden).
 */
export type Rule<X> = {
  readonly code: string;
  readonly expression: string;
  readonly category?: Category;
  /** R4 valueset-issue-type; without one, business-rule */
  readonly issue?: string;
  readonly evaluate: (x: X) => readonly Breach[];
};

type Found = { readonly category: Category; readonly issue: Issue };

/** What the rules find wrong, in their order. */
export const breachesOf = <X>(rules: readonly Rule<X>[], x: X): readonly Found[] =>
  rules.flatMap((rule) =>
    rule.evaluate(x).map(({ text, expression }) => ({
      category: rule.category ?? 'business-rule',
      issue: {
        severity: 'error' as const,
        code: rule.issue ?? 'business-rule',
        text,
        expression: [expression ?? rule.expression],
        coding: { system: systems.errorCodes, code: rule.code },
      },
    })),
  );

/** Throws one Failure with everything that the rules find wrong; its category is that of the first. */
export const refuseBreaches = <X>(rules: readonly Rule<X>[], x: X): void => {
  const found = breachesOf(rules, x);
  const [first] = found;
  if (first)
    throw new Failure(
      first.category,
      found.filter(({ category }) => category === first.category).map(({ issue }) => issue),
    );
};

/** The usual shape of a rule's answer: one breach when something does not hold. */
export const unless = (holds: boolean, text: string, expression?: string): readonly Breach[] =>
  holds ? [] : [{ text, ...(expression === undefined ? {} : { expression }) }];
