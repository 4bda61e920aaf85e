import type { Concept } from '../reference-data/concept.js';
import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import type { SearchCriteria, Searcher } from './criteria.js';

export type GivenCriteria = {
  readonly criteria: SearchCriteria;
  readonly searcher: Searcher;
  readonly unknown: UnknownCriteria;
  /** undefined: none was given, or there is none of that code */
  readonly priority: Concept | undefined;
};
/** The coded criteria that were given and are not in the reference data, or not in effect; and whose organisation is closed. */
export type UnknownCriteria = {
  readonly codes: readonly CodedCriterion[];
  readonly organisationIsClosed: boolean;
  /** whether an organisation, or a clinician, was named that there is not */
  readonly organisation: boolean;
  readonly clinician: boolean;
};
export type CodedCriterion = 'priority' | 'specialty' | 'clinicType' | 'clinicalTerm' | 'bookableType' | 'flow';

const at = (name: string): string => `Parameters.parameter.where(name='searchCriteria').part.where(name='${name}')`;

const enough: Rule<GivenCriteria> = {
  code: 'MISSING_VALUE',
  expression: "Parameters.parameter.where(name='searchCriteria')",
  issue: 'required',
  evaluate: ({ criteria: { specialty, clinicType, clinicalTerm, namedClinician } }) =>
    unless(
      (specialty !== undefined && clinicType !== undefined) || clinicalTerm !== undefined || namedClinician !== undefined,
      'specialty and clinicType, or clinicalTerm, or namedClinician is needed.',
    ),
};

const clinicTypeWithSpecialty: Rule<GivenCriteria> = {
  code: 'MISSING_VALUE',
  expression: at('clinicType'),
  issue: 'required',
  evaluate: ({ criteria: { specialty, clinicType } }) =>
    unless(clinicType === undefined || specialty !== undefined, 'clinicType needs specialty.'),
};

const distanceWithPostcode: Rule<GivenCriteria> = {
  code: 'MISSING_VALUE',
  expression: at('distanceLimit'),
  issue: 'required',
  evaluate: ({ criteria: { distanceLimit, postcode } }) =>
    unless(distanceLimit === undefined || postcode !== undefined, 'distanceLimit needs postcode.'),
};

const waitLimited: Rule<GivenCriteria> = {
  code: 'CONFLICTING_VALUES',
  expression: at('indicativeAppointmentWaitTimeLimit'),
  evaluate: ({ criteria: { waitLimit }, priority }) =>
    unless(waitLimit === undefined || priority?.one('waitLimit') !== 'false', `The wait is not limited for ${priority?.code ?? ''}.`),
};

const knownPostcode: Rule<GivenCriteria> = {
  code: 'INVALID_VALUE',
  expression: at('postcode'),
  evaluate: ({ criteria: { postcode }, searcher }) =>
    unless(postcode === undefined || searcher.position !== undefined, `The postcode ${postcode ?? ''} is not known.`),
};

const knownCode = (criterion: CodedCriterion, name: string, what: string, code = 'INVALID_CODE'): Rule<GivenCriteria> => ({
  code,
  expression: at(name),
  issue: 'code-invalid',
  evaluate: ({ criteria, unknown }) => unless(!unknown.codes.includes(criterion), `${criteria[criterion] ?? ''} is no ${what} in use.`),
});

const openOrganisation: Rule<GivenCriteria> = {
  code: 'ORGANISATION_IS_CLOSED',
  expression: at('organisation'),
  evaluate: ({ criteria: { organisation }, unknown }) =>
    unless(!unknown.organisationIsClosed, `The organisation ${organisation ?? ''} is closed.`),
};

const known = (name: 'organisation' | 'namedClinician', is: (unknown: UnknownCriteria) => boolean, what: string): Rule<GivenCriteria> => ({
  code: 'REFERENCE_NOT_FOUND',
  expression: at(name),
  issue: 'not-found',
  evaluate: ({ criteria, unknown }) => unless(!is(unknown), `There is no ${what} ${criteria[name] ?? ''}.`),
});

const flowOfRequest: Rule<GivenCriteria> = {
  code: 'CONFLICTING_VALUES',
  expression: at('requestFlowType'),
  evaluate: ({ criteria: { flow, requestType } }) =>
    unless(
      flow === undefined || (flow === 'ADVICE_AND_GUIDANCE') === (requestType === 'ADVICE_AND_GUIDANCE_REQUEST'),
      `${flow ?? ''} is not for ${requestType}.`,
    ),
};

/** e-RS facts, shortlist and search rules: of a search, and of one that a shortlist says it comes from. */
export const criteriaRules: readonly Rule<GivenCriteria>[] = [
  enough,
  clinicTypeWithSpecialty,
  distanceWithPostcode,
  waitLimited,
  knownPostcode,
  knownCode('priority', 'priority', 'priority'),
  knownCode('specialty', 'specialty', 'specialty'),
  knownCode('clinicType', 'clinicType', 'clinic type'),
  knownCode('clinicalTerm', 'clinicalTerm', 'concept of SNOMED CT', 'SNOMED_NOT_FOUND'),
  knownCode('bookableType', 'bookableType', 'bookable type'),
  knownCode('flow', 'requestFlowType', 'request flow'),
  openOrganisation,
  flowOfRequest,
];

/** Of a search itself (A010): whom it names is there. A shortlist whose search names nobody has no service in its results. */
export const searchRules: readonly Rule<GivenCriteria>[] = [
  ...criteriaRules,
  known('organisation', ({ organisation }) => organisation, 'organisation'),
  known('namedClinician', ({ clinician }) => clinician, 'clinician'),
];
