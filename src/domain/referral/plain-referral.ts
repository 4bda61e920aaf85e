import type { ServiceRequest } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';
import type { Decision } from '../command.js';
import { withPresentSystems } from '../older-names.js';
import { refuseBreaches, unless, type Rule } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { createReferral } from './new-referral.js';
import { kindOf, letterIntentionOf, pathwayStartOf, stateOf, ubrnOf } from './referral.js';

type Posted = { readonly request: ServiceRequest; readonly now: string };

const noUbrn: Rule<Posted> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'ServiceRequest.identifier',
  evaluate: ({ request }) => unless(ubrnOf(request) === undefined, 'The server gives the UBRN: leave the identifier out.'),
};

const noState: Rule<Posted> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'ServiceRequest.extension',
  evaluate: ({ request }) => unless(stateOf(request) === undefined, 'The server keeps the state: leave the extension out.'),
};

const dated = [extensions.clinicalInfoFirst, extensions.clinicalInfoLast];

const noLetterDates: Rule<Posted> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'ServiceRequest.extension',
  evaluate: ({ request: { extension = [] } }) =>
    unless(!extension.some(({ url }) => dated.includes(url)), 'The server dates the clinical information: leave the extension out.'),
};

const noAdvice: Rule<Posted> = {
  code: 'INVALID_REQUEST_TYPE',
  expression: 'ServiceRequest.code',
  evaluate: ({ request }) => unless(kindOf(request) !== 'advice', 'A request for advice is made with $ers.createAdviceAndGuidance.'),
};

const noOtherCategory: Rule<Posted> = {
  code: 'INVALID_REQUEST_TYPE',
  expression: 'ServiceRequest.category',
  evaluate: ({ request: { category = [] } }) =>
    unless(
      !category.some(({ coding = [] }) => coding.some(({ system, code }) => system === systems.requestCategory && code !== 'referral')),
      'A referral is of the category referral.',
    ),
};

const submitted: Rule<Posted> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'ServiceRequest.status',
  evaluate: ({ request }) => unless(request.status === 'active', 'A new referral is active: nothing is kept for later, or from before.'),
};

// R4 servicerequest.html: doNotPerform is a modifier, it turns the request into its opposite
const toBeDone: Rule<Posted> = {
  code: 'INAPPROPRIATE_VALUE',
  expression: 'ServiceRequest.doNotPerform',
  evaluate: ({ request }) => unless(request.doNotPerform !== true, 'A referral asks for a service: doNotPerform is not true.'),
};

const notAhead: Rule<Posted> = {
  code: 'INVALID_VALUE',
  expression: 'ServiceRequest.authoredOn',
  evaluate: ({ request: { authoredOn }, now }) =>
    unless(authoredOn === undefined || !(Date.parse(authoredOn) > Date.parse(now)), 'A referral was not authored in the future.'),
};

/** POST ServiceRequest, also in a transaction, is A011: the shortlist is `performer`, the rest as the resource says. */
export const plainReferral = (situation: Situation, sent: ServiceRequest): Promise<Decision> => {
  const request = withPresentSystems(sent);
  refuseBreaches([noUbrn, noState, noLetterDates, noAdvice, noOtherCategory, submitted, toBeDone, notAhead], {
    request,
    now: situation.now,
  });
  const intention = letterIntentionOf(request);
  const pathwayStart = pathwayStartOf(request);
  return createReferral(situation, {
    kind: 'referral',
    patient: request.subject,
    shortlist: request.performer ?? [],
    ...(intention === undefined ? {} : { intention }),
    ...(pathwayStart === undefined ? {} : { pathwayStart }),
    request,
    at: {
      patient: 'ServiceRequest.subject',
      shortlist: 'ServiceRequest.performer',
      priority: 'ServiceRequest.extension',
      referringClinician: 'ServiceRequest.requester',
      intention: 'ServiceRequest.extension',
      pathwayStart: 'ServiceRequest.extension',
    },
  });
};
