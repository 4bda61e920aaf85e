import type { Coding, Extension, HealthcareService } from 'fhir/r4.js';
import { extensions, systems } from '../codes.js';

export type Gender = 'female' | 'male';

/**
 * What e-RS's service search (A010) filters by and shows of a service that R4's HealthcareService has no element for. Ages in years, both
 * inclusive; the wait in days, absent where it does not apply (advice and guidance).
 */
export type ServiceSummary = {
  readonly minimumAge?: number;
  readonly maximumAge?: number;
  readonly genders: readonly Gender[];
  /** eRS-Priority; none: any */
  readonly priorities: readonly string[];
  readonly indicativeWaitDays?: number;
  readonly referralLetterRequired: boolean;
  readonly exclusions?: string;
  /** SNOMED CT findings that the service treats */
  readonly clinicalTerms: readonly Coding[];
  readonly clinician?: { readonly sdsId: string; readonly name: string };
};

/** The summary as the extension that a HealthcareService carries. */
export const summaryExtension = (summary: ServiceSummary): Extension => ({
  url: extensions.serviceSummary,
  extension: [
    ...(summary.minimumAge === undefined ? [] : [{ url: 'minimumAge', valueUnsignedInt: summary.minimumAge }]),
    ...(summary.maximumAge === undefined ? [] : [{ url: 'maximumAge', valueUnsignedInt: summary.maximumAge }]),
    ...summary.genders.map((gender) => ({ url: 'gender', valueCode: gender })),
    ...summary.priorities.map((code) => ({ url: 'priority', valueCoding: { system: systems.priority, code } })),
    ...(summary.indicativeWaitDays === undefined ? [] : [{ url: 'indicativeWaitDays', valueUnsignedInt: summary.indicativeWaitDays }]),
    { url: 'referralLetterRequired', valueBoolean: summary.referralLetterRequired },
    ...(summary.exclusions === undefined ? [] : [{ url: 'exclusions', valueString: summary.exclusions }]),
    ...summary.clinicalTerms.map((valueCoding) => ({ url: 'clinicalTerm', valueCoding })),
    ...(summary.clinician === undefined
      ? []
      : [
          {
            url: 'namedClinician',
            valueReference: { identifier: { system: systems.sdsUser, value: summary.clinician.sdsId }, display: summary.clinician.name },
          },
        ]),
  ],
});

/** Reads the summary back; a service without one treats everybody, at any priority, without a letter. */
export const summaryOf = (service: HealthcareService): ServiceSummary => {
  const details = service.extension?.find(({ url }) => url === extensions.serviceSummary)?.extension ?? [];
  const all = (name: string): readonly Extension[] => details.filter(({ url }) => url === name);
  const one = (name: string): Extension | undefined => details.find(({ url }) => url === name);
  const genders = all('gender').flatMap(({ valueCode }): readonly Gender[] =>
    valueCode === 'female' || valueCode === 'male' ? [valueCode] : [],
  );
  const priorities = all('priority').flatMap(({ valueCoding }) => valueCoding?.code ?? []);
  const clinician = one('namedClinician')?.valueReference;
  const number = (name: string): number | undefined => one(name)?.valueUnsignedInt;
  return {
    ...optional('minimumAge', number('minimumAge')),
    ...optional('maximumAge', number('maximumAge')),
    genders: genders.length > 0 ? genders : ['female', 'male'],
    priorities,
    ...optional('indicativeWaitDays', number('indicativeWaitDays')),
    referralLetterRequired: one('referralLetterRequired')?.valueBoolean ?? false,
    ...optional('exclusions', one('exclusions')?.valueString),
    clinicalTerms: all('clinicalTerm').flatMap(({ valueCoding }) => valueCoding ?? []),
    ...optional(
      'clinician',
      clinician?.identifier?.value === undefined ? undefined : { sdsId: clinician.identifier.value, name: clinician.display ?? '' },
    ),
  };
};

export const takesPriority = ({ priorities }: ServiceSummary, code: string): boolean =>
  priorities.length === 0 || priorities.includes(code);

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
