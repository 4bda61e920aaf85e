import type { Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import type { Category } from '../../fhir/outcome.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { refuseBreaches, unless, type Rule } from '../rules/rule.js';
import type { SearchCriteria } from './criteria.js';
import { isClosed } from './organisation.js';

type GivenCommissioner = {
  readonly requestType: SearchCriteria['requestType'];
  readonly found: Found | undefined;
  readonly expression: string;
};

const notForAdvice: Rule<GivenCommissioner> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'Parameters.parameter',
  evaluate: ({ requestType, expression }) =>
    unless(requestType !== 'ADVICE_AND_GUIDANCE_REQUEST', 'No commissioning rules bind a request for advice.', expression),
};

const exists: Rule<GivenCommissioner> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'Parameters.parameter',
  issue: 'not-found',
  evaluate: ({ found, expression }) => unless(found?.type === 'Organization', 'There is no such organisation.', expression),
};

const isOpen: Rule<GivenCommissioner> = {
  code: 'ORGANISATION_IS_CLOSED',
  expression: 'Parameters.parameter',
  evaluate: ({ found, expression }) => unless(!isClosed(found), 'The organisation is closed.', expression),
};

/** The organisation whose commissioning rules apply to a search (A010, A015): none for advice, else one that exists and is open. */
export const checkCommissioner = async (
  facts: Facts,
  organisation: Reference | undefined,
  { requestType, expression }: Omit<GivenCommissioner, 'found'>,
  category: Category = 'business-rule',
): Promise<void> => {
  if (organisation === undefined) return;
  const key = readReference(organisation.reference ?? '', '');
  const { system = systems.organisation, value = '' } = organisation.identifier ?? {};
  const found = key ? await facts.find(key) : await facts.byIdentifier('Organization', system, value);
  const rules = [notForAdvice, exists, isOpen].map((rule) => ({ ...rule, category }));
  refuseBreaches(rules, { requestType, found, expression });
};
