import { systems } from '../codes.js';

type Coded = { readonly system?: string | undefined; readonly code?: string | undefined };

/** e-RS's clients of STU3 name the same lists by their STU3 names. */
const stu3 = (system: string): string => `${system.replace('/CodeSystem/', '/STU3/CodeSystem/')}-1`;

/** The lists that A004 serves, which its clients also name by where they read them. */
const served: Readonly<Record<string, string>> = {
  [systems.specialty]: '/CodeSystem/SPECIALTY',
  [systems.clinicType]: '/CodeSystem/CLINIC-TYPE',
  [systems.appointmentCancellation]: '/CodeSystem/APPOINTMENT-CANCELLATION-REASON',
  [systems.referralCancellation]: '/CodeSystem/REFERRAL-CANCELLATION-REASON',
  [systems.nonAttendance]: '/CodeSystem/APPOINTMENT-NON-ATTENDANCE-REASON',
  [systems.priority]: '/CodeSystem/PRIORITY',
};

const isNameOf = (system: string, name: string | undefined): boolean =>
  name === system || name === stu3(system) || (name !== undefined && name.endsWith(served[system] ?? '\n'));

/**
 * The code of a coded value in a code system: of several codings that of the system, else one that names none. A value that has codes of other
 * systems alone gives the first with its system, `system|code`, which is no code of any list. undefined: there is no code.
 */
export const codeWithin = (codings: readonly Coded[], system: string): string | undefined => {
  const coded = codings.filter(({ code }) => code !== undefined);
  const own = coded.find((coding) => isNameOf(system, coding.system)) ?? coded.find((coding) => coding.system === undefined);
  const [other] = coded;
  return own?.code ?? (other && `${other.system ?? ''}|${other.code ?? ''}`);
};

/** The value set of all codes of a code system, as this server publishes it. */
export const allCodesOf = (system: string): string =>
  system === systems.snomed ? `${system}?fhir_vs` : system.replace('/CodeSystem/', '/ValueSet/');

/** The code system that such a value set is of. */
export const systemOfAll = (valueSet: string): string => valueSet.replace('?fhir_vs', '').replace('/ValueSet/', '/CodeSystem/');
