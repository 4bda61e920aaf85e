import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';
import type { Demographic } from '../demographics/demographics.js';

export type GivenPatient = {
  /** undefined: there is none, or the caller may not see it */
  readonly demographic: Demographic | undefined;
  readonly expression: string;
};

const exists: Rule<GivenPatient> = {
  code: 'REFERENCE_NOT_FOUND',
  expression: 'ServiceRequest.subject',
  issue: 'not-found',
  evaluate: ({ demographic, expression }) => unless(demographic !== undefined, 'No such patient.', expression),
};

const alive: Rule<GivenPatient> = {
  code: 'PATIENT_ERROR',
  expression: 'ServiceRequest.subject',
  evaluate: ({ demographic, expression }) => unless(demographic?.deceased !== true, 'The patient has died.', expression),
};

const currentNumber: Rule<GivenPatient> = {
  code: 'PATIENT_ERROR',
  expression: 'ServiceRequest.subject',
  evaluate: ({ demographic, expression }) =>
    unless(
      demographic?.supersededBy === undefined,
      `The NHS number was superseded: the record goes on as ${demographic?.supersededBy ?? ''}.`,
      expression,
    ),
};

const registered: Rule<GivenPatient> = {
  code: 'NO_REG_GP_PRACTICE',
  expression: 'ServiceRequest.subject',
  evaluate: ({ demographic, expression }) =>
    unless(
      demographic === undefined || demographic.registeredPractice !== undefined,
      'The patient is registered with no GP practice.',
      expression,
    ),
};

/** What the demographics say against a new request. A restricted record is referred, but its address is shown to nobody. */
export const patientRules: readonly Rule<GivenPatient>[] = [exists, alive, currentNumber, registered];
