import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import type { Service } from '../directory/service.js';
import { takesPriority } from '../directory/service-summary.js';
import type { LetterIntention } from './referral.js';

export type GivenShortlist = {
  readonly kind: 'referral' | 'triage' | 'advice';
  /** undefined: what was named does not exist */
  readonly services: readonly (Service | undefined)[];
  /** eRS-Priority */
  readonly priority: string;
  readonly intention: LetterIntention | undefined;
  /** services whose organisation is closed */
  readonly ofClosed: readonly string[];
  /** services that the search of the shortlist does not find; empty without a search */
  readonly notInResults: readonly string[];
  /** where the shortlist stands */
  readonly expression: string;
  /** where the intention stands, when it does not stand in the request itself */
  readonly intentionAt?: string;
};

const one = (expression: string, index: number): string => `${expression}[${String(index)}]`;

const mostOf = { referral: 20, triage: 20, advice: 1 } as const;

const notEmpty: Rule<GivenShortlist> = {
  code: 'MISSING_VALUE',
  expression: 'ServiceRequest.performer',
  issue: 'required',
  evaluate: ({ services, expression }) => unless(services.length > 0, 'The shortlist names no service.', expression),
};

const notTooMany: Rule<GivenShortlist> = {
  code: 'TOO_MANY_ITEMS',
  expression: 'ServiceRequest.performer',
  evaluate: ({ services, kind, expression }) =>
    unless(services.length <= mostOf[kind], `The shortlist takes at most ${String(mostOf[kind])} services.`, expression),
};

const allExist: Rule<GivenShortlist> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'ServiceRequest.performer',
  issue: 'not-found',
  evaluate: ({ services, expression }) =>
    services.flatMap((service, index) => unless(service !== undefined, 'A shortlisted service does not exist.', one(expression, index))),
};

const noDuplicates: Rule<GivenShortlist> = {
  code: 'DUPLICATE_SERVICE',
  expression: 'ServiceRequest.performer',
  issue: 'duplicate',
  evaluate: ({ services, expression }) => {
    const ids = services.flatMap((service) => service?.id ?? []);
    return unless(new Set(ids).size === ids.length, 'A service stands twice on the shortlist.', expression);
  },
};

const each = (
  { services, expression }: GivenShortlist,
  holds: (service: Service) => boolean,
  text: (service: Service) => string,
): readonly { readonly text: string; readonly expression: string }[] =>
  services.flatMap((service, index) => (!service || holds(service) ? [] : [{ text: text(service), expression: one(expression, index) }]));

const allActive: Rule<GivenShortlist> = {
  code: 'SERVICE_UNAVAILABLE',
  expression: 'ServiceRequest.performer',
  evaluate: (x) =>
    each(
      x,
      ({ active }) => active,
      ({ name }) => `${name} takes no referrals now.`,
    ),
};

const providedByOpen: Rule<GivenShortlist> = {
  code: 'ORGANISATION_IS_CLOSED',
  expression: 'ServiceRequest.performer',
  evaluate: (x) =>
    each(
      x,
      ({ id }) => !x.ofClosed.includes(id),
      ({ name }) => `The organisation that provides ${name} is closed.`,
    ),
};

const flowsOf = { referral: ['BOOKABLE', 'REVIEW'], triage: ['BOOKABLE', 'REVIEW'], advice: ['ADVICE_AND_GUIDANCE'] } as const;

const rightFlow: Rule<GivenShortlist> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'ServiceRequest.performer',
  evaluate: (x) =>
    each(
      x,
      ({ flows }) => flowsOf[x.kind].some((flow) => flows.includes(flow)),
      ({ name }) => `${name} does not take ${x.kind === 'advice' ? 'requests for advice' : 'referrals'}.`,
    ),
};

const someTriage: Rule<GivenShortlist> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'ServiceRequest.performer',
  evaluate: ({ kind, services, expression }) =>
    unless(
      kind !== 'triage' || services.some((service) => service?.flows.includes('REVIEW') === true),
      'No service on the shortlist does triage.',
      expression,
    ),
};

const priorityTaken: Rule<GivenShortlist> = {
  code: 'UNSUPPORTED_PRIORITY',
  expression: 'ServiceRequest.performer',
  evaluate: (x) =>
    each(
      x,
      ({ summary }) => takesPriority(summary, x.priority),
      ({ name }) => `${name} does not take the priority ${x.priority}.`,
    ),
};

const foundBySearch: Rule<GivenShortlist> = {
  code: 'SHORTLISTED_SERVICE_NOT_IN_RESULTS',
  expression: 'ServiceRequest.performer',
  evaluate: (x) =>
    each(
      x,
      ({ id }) => !x.notInResults.includes(id),
      ({ name }) => `The search criteria do not find ${name}.`,
    ),
};

const letterWhereNeeded: Rule<GivenShortlist> = {
  code: 'CONFLICTING_VALUES',
  expression: 'ServiceRequest.extension',
  evaluate: ({ services, intention, intentionAt }) =>
    unless(
      intention !== 'NOT_INTENDING_TO_ADD' || !services.some((service) => service?.summary.referralLetterRequired === true),
      'A service on the shortlist needs a letter: the intention must be NEED_TO_ADD_LATER.',
      intentionAt,
    ),
};

/** e-RS facts, shortlist rules: 1 to 20 services (1 for advice), each there, once, and fit for the request. */
export const shortlistRules: readonly Rule<GivenShortlist>[] = [
  notEmpty,
  notTooMany,
  allExist,
  noDuplicates,
  allActive,
  providedByOpen,
  rightFlow,
  someTriage,
  priorityTaken,
  foundBySearch,
  letterWhereNeeded,
];
