import { systems } from '../../domain/codes.js';
import { allCodesOf } from '../../domain/reference-data/code-within.js';
import type { Declared } from '../parameters.js';

type Type = 'string' | 'boolean' | 'unsignedInt' | 'dateTime' | 'Reference' | 'List' | 'DocumentReference';

const parameter = (name: string, type: Type | 'code', documentation: string, min: 0 | 1, max: string): Declared => ({
  name,
  use: 'in',
  min,
  max,
  type: type,
  documentation,
});

export const needed = (name: string, type: Type, documentation: string, max = '1'): Declared =>
  parameter(name, type, documentation, 1, max);
export const optional = (name: string, type: Type, documentation: string, max = '1'): Declared =>
  parameter(name, type, documentation, 0, max);

const coded = (system: string, declared: Declared): Declared => ({
  ...declared,
  binding: { strength: 'required', valueSet: allCodesOf(system) },
});

/** An input that is a code of one code system; what comes with another system is no code of it. */
export const neededCode = (name: string, system: string, documentation: string): Declared =>
  coded(system, parameter(name, 'code', documentation, 1, '1'));
export const optionalCode = (name: string, system: string, documentation: string): Declared =>
  coded(system, parameter(name, 'code', documentation, 0, '1'));

export const group = (name: string, documentation: string, part: readonly Declared[], min: 0 | 1 = 0): Declared => ({
  name,
  use: 'in',
  min,
  max: '1',
  documentation,
  part,
});

/** What A010 searches by; a shortlist may carry the search that found it. */
export const searchCriteria = (min: 0 | 1): Declared =>
  group(
    'searchCriteria',
    'specialty and clinicType, or clinicalTerm, or namedClinician; all that is given must hold',
    [
      (min === 1 ? neededCode : optionalCode)('priority', systems.priority, 'eRS-Priority'),
      optional('ageAndGenderAppropriate', 'boolean', 'only services that treat the age and gender of the patient'),
      optionalCode('specialty', systems.specialty, 'CodeSystem SPECIALTY'),
      optionalCode('clinicType', systems.clinicType, 'CodeSystem CLINIC-TYPE; needs specialty'),
      optionalCode('clinicalTerm', systems.snomed, 'SNOMED CT'),
      optional('namedClinician', 'Reference', 'SDS user id'),
      optional('organisation', 'Reference', 'ODS code of the provider'),
      optional('postcode', 'string', 'where the distance is measured from'),
      optional('distanceLimit', 'unsignedInt', 'miles; needs postcode'),
      optional('indicativeAppointmentWaitTimeLimit', 'unsignedInt', 'days; not with TWO_WEEK_WAIT'),
      optionalCode('bookableType', systems.bookableType, 'eRS-BookableType'),
      optionalCode('requestFlowType', systems.requestFlow, 'eRS-RequestFlowType'),
      optional('commissioningProvisioning', 'string', 'taken and passed over, as by e-RS'),
    ],
    min,
  );

/** What an operation answers with; a single answer is called `return` (R4 operations.html#response). */
export const output = (type: string, documentation: string, name = 'return', min: 0 | 1 = 1): Declared => ({
  name,
  use: 'out',
  min,
  max: '1',
  type: type,
  documentation,
});

export const files = (name: string, documentation: string): Declared => optional(name, 'DocumentReference', documentation, '*');
