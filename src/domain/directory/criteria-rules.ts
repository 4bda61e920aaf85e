import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import type { SearchCriteria, Searcher } from './criteria.js';

export type GivenCriteria = { readonly criteria: SearchCriteria; readonly searcher: Searcher; readonly known: KnownCodes };
/** Whether the coded criteria that were given are in the reference data; true where none was given. */
export type KnownCodes = { readonly specialty: boolean; readonly clinicType: boolean };

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

const waitNotUrgent: Rule<GivenCriteria> = {
  code: 'CONFLICTING_VALUES',
  expression: at('indicativeAppointmentWaitTimeLimit'),
  evaluate: ({ criteria: { waitLimit, priority } }) =>
    unless(waitLimit === undefined || priority !== 'TWO_WEEK_WAIT', 'The wait is not limited for TWO_WEEK_WAIT.'),
};

const knownPostcode: Rule<GivenCriteria> = {
  code: 'INVALID_VALUE',
  expression: at('postcode'),
  evaluate: ({ criteria: { postcode }, searcher }) =>
    unless(postcode === undefined || searcher.position !== undefined, `The postcode ${postcode ?? ''} is not known.`),
};

const knownSpecialty: Rule<GivenCriteria> = {
  code: 'INVALID_CODE',
  expression: at('specialty'),
  issue: 'code-invalid',
  evaluate: ({ criteria: { specialty }, known }) => unless(known.specialty, `${specialty ?? ''} is no specialty of the reference data.`),
};

const knownClinicType: Rule<GivenCriteria> = {
  code: 'INVALID_CODE',
  expression: at('clinicType'),
  issue: 'code-invalid',
  evaluate: ({ criteria: { clinicType }, known }) =>
    unless(known.clinicType, `${clinicType ?? ''} is no clinic type of the reference data.`),
};

/** e-RS facts, shortlist and search rules. */
export const criteriaRules: readonly Rule<GivenCriteria>[] = [
  enough,
  clinicTypeWithSpecialty,
  distanceWithPostcode,
  waitNotUrgent,
  knownPostcode,
  knownSpecialty,
  knownClinicType,
];
