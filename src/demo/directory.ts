import type { Address, HealthcareService, Location, Organization, Practitioner, PractitionerRole, Schedule } from 'fhir/r4.js';
import { extensions, systems } from '../domain/codes.js';
import type { ServiceSummary } from '../domain/directory/service-summary.js';
import { summaryExtension } from '../domain/directory/service-summary.js';
import {
  clinicianName,
  coding,
  concept,
  displayName,
  ers,
  identifier,
  organisationReference,
  specialtyConcept,
  treatmentFunction,
} from './codings.js';
import { streets } from './facts/names.js';
import type { Place } from './facts/places.js';
import type { Clinician, Organisation, Service, Session, Site, World } from './world.js';

const siteSystem = 'https://fhir.nhs.uk/Id/ods-site-code';

/** An inward code that the Post Office has not given out in the area, so that no real address is meant. */
export const postcodeIn = ({ outward }: Place): string => `${outward} 0ZZ`;

const addressOf = (place: Place, line: string): Address => ({
  use: 'work',
  line: [line],
  city: place.town,
  postalCode: postcodeIn(place),
  country: 'England',
});

const phone = (n: number): string => `01632 ${String(960_000 + (n % 1000)).slice(0, 6)}`;

const organisationTypes = {
  practice: { code: 'prov', display: 'Healthcare Provider' },
  trust: { code: 'prov', display: 'Healthcare Provider' },
  independent: { code: 'prov', display: 'Healthcare Provider' },
  commissioner: { code: 'govt', display: 'Government' },
} as const;

export const organization = ({ ods, name, kind, site }: Organisation, n: number): Organization => ({
  resourceType: 'Organization',
  id: ods,
  identifier: [identifier(systems.organisation, ods)],
  active: true,
  type: [concept('http://terminology.hl7.org/CodeSystem/organization-type', organisationTypes[kind])],
  name,
  telecom: [{ system: 'phone', value: phone(n), use: 'work' }],
  address: [addressOf(site.place, `1 ${streets[n % streets.length] ?? ''}`)],
});

export const location = ({ site, ...organisation }: Organisation, n: number): Location => ({
  resourceType: 'Location',
  id: site.code,
  identifier: [identifier(siteSystem, site.code)],
  status: 'active',
  name: site.name,
  mode: 'instance',
  telecom: [{ system: 'phone', value: phone(n), use: 'work' }],
  address: addressOf(site.place, `1 ${streets[n % streets.length] ?? ''}`),
  position: { longitude: site.lon, latitude: site.lat },
  managingOrganization: organisationReference({ site, ...organisation }),
});

export const practitioner = (clinician: Clinician): Practitioner => ({
  resourceType: 'Practitioner',
  id: clinician.sdsId,
  identifier: [identifier(systems.sdsUser, clinician.sdsId)],
  active: true,
  name: [clinicianName(clinician)],
  gender: clinician.gender,
});

const functionNames: Readonly<Record<string, string>> = {
  REFERRING_CLINICIAN: 'Referring Clinician',
  REFERRING_CLINICIAN_ADMIN: 'Referring Clinician Admin',
  REFERRING_ADMIN: 'Referring Admin',
  SERVICE_PROVIDER_CLINICIAN: 'Service Provider Clinician',
  SERVICE_PROVIDER_CLINICIAN_ADMIN: 'Service Provider Clinician Admin',
  SERVICE_PROVIDER_ADMIN: 'Service Provider Admin',
};

/** A post of a clinician at an organisation, as A030 shows it; its id is `<ODS>-<SDS user id>`. */
export const practitionerRoles = (clinician: Clinician, sites: ReadonlyMap<string, Organisation>): readonly PractitionerRole[] =>
  clinician.posts.map(({ ods, functions }) => {
    const organisation = sites.get(ods);
    if (!organisation) throw new Error(`no organisation ${ods}`);
    return {
      resourceType: 'PractitionerRole',
      id: `${ods}-${clinician.sdsId}`,
      active: true,
      practitioner: {
        reference: `Practitioner/${clinician.sdsId}`,
        identifier: identifier(systems.sdsUser, clinician.sdsId),
        display: displayName(clinician),
      },
      organization: organisationReference(organisation),
      code: functions.map((code) => concept(ers('BusinessFunction-1'), { code, display: functionNames[code] ?? code })),
      location: [{ reference: `Location/${organisation.site.code}` }],
    };
  });

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}:00`;
const dayCodes = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const hoursText = (opening: readonly Session[]): string =>
  opening[0] ? `Monday to Friday ${clock(opening[0].from).slice(0, 5)} to ${clock(opening[0].until).slice(0, 5)}` : 'By appointment';

const flowNames = {
  BOOKABLE: 'A service which supports a patient appointment',
  REVIEW: 'A service which supports the review of a referral',
  ADVICE_AND_GUIDANCE: 'A service which supports advice and guidance',
} as const;
const bindingNames = { DIRECTLY_BOOKABLE: 'Directly Bookable', INDIRECTLY_BOOKABLE: 'Indirectly Bookable' } as const;
const flowTitles = { BOOKABLE: 'Clinic', REVIEW: 'Referral Assessment Service', ADVICE_AND_GUIDANCE: 'Advice and Guidance' } as const;

/** What e-RS's service search filters by and shows beyond R4's own elements. */
export const summaryOf = (service: Service): ServiceSummary => ({
  ...(service.specialty.minimumAge === undefined ? {} : { minimumAge: service.specialty.minimumAge }),
  ...(service.specialty.maximumAge === undefined ? {} : { maximumAge: service.specialty.maximumAge }),
  genders: service.specialty.gender === undefined ? ['female', 'male'] : [service.specialty.gender],
  priorities: service.flow === 'ADVICE_AND_GUIDANCE' ? ['ROUTINE', 'URGENT'] : ['ROUTINE', 'URGENT', 'TWO_WEEK_WAIT'],
  ...(service.flow === 'ADVICE_AND_GUIDANCE' ? {} : { indicativeWaitDays: service.waitDays }),
  referralLetterRequired: service.letterRequired,
  ...(service.exclusions === undefined ? {} : { exclusions: service.exclusions }),
  clinicalTerms: service.specialty.reasons.map((reason) => coding(systems.snomed, reason)),
  ...(service.clinician === undefined ? {} : { clinician: { sdsId: service.clinician.sdsId, name: displayName(service.clinician) } }),
});

export const serviceName = ({ specialty, clinicType, flow, organisation }: Service): string =>
  `${specialty.ers.display} - ${clinicType.display} ${flowTitles[flow]} - ${organisation.site.name}`;

const siteReference = ({ code, name }: Site) => ({
  reference: `Location/${code}`,
  identifier: identifier(siteSystem, code),
  display: name,
});

export const healthcareService = (service: Service): HealthcareService => ({
  resourceType: 'HealthcareService',
  id: service.id,
  extension: [
    { url: extensions.hoursOfOperation, valueString: hoursText(service.opening) },
    { url: extensions.serviceInstructions, valueString: 'Bring a list of your medicines and this letter to your appointment.' },
    {
      url: extensions.serviceContact,
      extension: [
        {
          url: 'purpose',
          valueCodeableConcept: concept('http://terminology.hl7.org/CodeSystem/contactentity-type', { code: 'PATINF', display: 'Patient' }),
        },
        { url: 'telecom', valueContactPoint: { system: 'phone', value: phone(Number(service.id)) } },
      ],
    },
    summaryExtension(summaryOf(service)),
  ],
  identifier: [identifier(systems.service, service.id)],
  active: true,
  providedBy: organisationReference(service.organisation),
  category: [concept(ers('ClinicType'), service.clinicType)],
  type: [concept(ers('AppointmentType'), service.appointmentType)],
  specialty: [specialtyConcept(service.specialty)],
  location: [siteReference(service.organisation.site)],
  name: serviceName(service),
  telecom: [{ system: 'phone', value: phone(Number(service.id)), use: 'work' }],
  characteristic: [
    concept(ers('RequestFlowType'), { code: service.flow, display: flowNames[service.flow] }),
    ...(service.binding === undefined
      ? []
      : [concept(ers('BookableType'), { code: service.binding, display: bindingNames[service.binding] })]),
  ],
  appointmentRequired: service.flow === 'BOOKABLE',
  availableTime: [
    {
      daysOfWeek: service.opening.map(({ weekday }) => dayCodes[weekday] ?? 'mon'),
      ...(service.opening[0]
        ? { availableStartTime: clock(service.opening[0].from), availableEndTime: clock(service.opening[0].until) }
        : {}),
    },
  ],
});

/** The diary of a directly bookable service; `since` is the day on which it was opened. */
export const schedule = (service: Service, since: string): Schedule => ({
  resourceType: 'Schedule',
  id: service.id,
  identifier: [identifier('https://fhir.nhs.uk/Id/ers-schedule', service.id)],
  active: true,
  specialty: [treatmentFunction(service.specialty)],
  actor: [
    { reference: `HealthcareService/${service.id}`, identifier: identifier(systems.service, service.id), display: serviceName(service) },
    ...(service.clinician === undefined
      ? []
      : [
          {
            reference: `Practitioner/${service.clinician.sdsId}`,
            identifier: identifier(systems.sdsUser, service.clinician.sdsId),
            display: displayName(service.clinician),
          },
        ]),
    siteReference(service.organisation.site),
  ],
  planningHorizon: { start: since },
});

/** Every organisation of a world, practices first. */
export const organisationsOf = ({ practices, providers, commissioner }: World): readonly Organisation[] => [
  ...practices,
  ...providers,
  commissioner,
];
