import type { Rule } from '../rules/rule.js';
import { unless } from '../rules/rule.js';

/** A PractitionerRole as the rules see it. */
export type HeldPost = {
  readonly id: string;
  readonly active: boolean;
  readonly organisation: string | undefined;
  readonly functions: readonly string[];
};

export type GivenReferrer = {
  readonly businessFunction: string | undefined;
  readonly organisation: string | undefined;
  /** the `referringClinician`, as he was named */
  readonly named: string | undefined;
  /** the posts of who is named; undefined: there is no such person */
  readonly posts: readonly HeldPost[] | undefined;
  readonly expression: string;
};

export const isReferringClinician = ({ functions }: HeldPost): boolean => functions.includes('REFERRING_CLINICIAN');

const isAdmin = ({ businessFunction }: GivenReferrer): boolean => businessFunction === 'REFERRING_CLINICIAN_ADMIN';
const here = ({ posts, organisation }: GivenReferrer): readonly HeldPost[] =>
  (posts ?? []).filter((post) => post.organisation === organisation);

const namedByAdmin: Rule<GivenReferrer> = {
  code: 'MISSING_VALUE',
  expression: 'Parameters.parameter',
  issue: 'required',
  evaluate: (x) => unless(!isAdmin(x) || x.named !== undefined, 'An administrator names the referringClinician.', x.expression),
};

const notNamedByOthers: Rule<GivenReferrer> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'Parameters.parameter',
  evaluate: (x) =>
    unless(isAdmin(x) || x.named === undefined, 'Only a REFERRING_CLINICIAN_ADMIN names a referringClinician.', x.expression),
};

const worksHere: Rule<GivenReferrer> = {
  code: 'REFERENCED_USER_NOT_IN_ORG',
  expression: 'Parameters.parameter',
  evaluate: (x) =>
    unless(
      !isAdmin(x) || x.named === undefined || here(x).length > 0,
      'The referringClinician does not work at the organisation.',
      x.expression,
    ),
};

const isActive: Rule<GivenReferrer> = {
  code: 'REFERENCED_USER_IS_NOT_ACTIVE',
  expression: 'Parameters.parameter',
  evaluate: (x) => {
    // who still does something else there is no active clinician there
    const clinical = here(x).filter(isReferringClinician);
    const posts = clinical.length > 0 ? clinical : here(x);
    return unless(
      !isAdmin(x) || posts.length === 0 || posts.some(({ active }) => active),
      'The referringClinician is not active.',
      x.expression,
    );
  },
};

const isClinicianHere: Rule<GivenReferrer> = {
  code: 'REFERENCED_USER_IS_NOT_RC_AT_ORG',
  expression: 'Parameters.parameter',
  evaluate: (x) =>
    unless(
      !isAdmin(x) || here(x).length === 0 || here(x).some(isReferringClinician),
      'The person named is no REFERRING_CLINICIAN at the organisation.',
      x.expression,
    ),
};

/** An administrator refers for a clinician of the same organisation, whom he names; a clinician for himself. */
export const referrerRules: readonly Rule<GivenReferrer>[] = [namedByAdmin, notNamedByOthers, worksHere, isActive, isClinicianHere];

export type GivenRequester = {
  /** ODS code that the caller acts for */
  readonly organisation: string | undefined;
  /** ODS codes of where the requester works */
  readonly organisations: readonly string[];
  readonly expression: string;
};

const ofOwnOrganisation: Rule<GivenRequester> = {
  code: 'ORGANISATION_NOT_APPROPRIATE',
  expression: 'ServiceRequest.requester',
  evaluate: ({ organisation, organisations, expression }) =>
    unless(
      organisation !== undefined && organisations.includes(organisation),
      'The requester must be of the organisation that the caller acts for.',
      expression,
    ),
};

/** The requester of a plain create is the referring organisation, which gives it a relationship to the record: nobody names another one. */
export const requesterRules: readonly Rule<GivenRequester>[] = [ofOwnOrganisation];

const namesHimself: Rule<{ readonly isSelf: boolean; readonly expression: string }> = {
  code: 'FIELD_NOT_PERMITTED',
  expression: 'ServiceRequest.requester',
  evaluate: ({ isSelf, expression }) => unless(isSelf, 'Only a REFERRING_CLINICIAN_ADMIN refers for somebody else.', expression),
};

/** The requester of a plain create is the caller, unless he is an administrator. */
export const selfRules: readonly Rule<{ readonly isSelf: boolean; readonly expression: string }>[] = [namesHimself];
