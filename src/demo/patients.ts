import type { Patient } from 'fhir/r4.js';
import { systems } from '../domain/codes.js';
import { identifier, organisationReference, ukCoreExtension, ukCoreSystem } from './codings.js';
import { postcodeIn } from './directory.js';
import { familyNames, givenNames, streets } from './facts/names.js';
import { randomOf } from './random.js';
import type { Organisation, World } from './world.js';

/** What referrals and letters need to know of a patient. */
export type Person = {
  readonly id: string;
  readonly nhsNumber: string;
  readonly gender: 'female' | 'male';
  readonly given: string;
  readonly family: string;
  /** YYYY-MM-DD */
  readonly born: string;
  readonly practice: Organisation;
};

const kind = 11;
const ethnicCategories = [
  { code: 'A', display: 'White - British' },
  { code: 'C', display: 'White - Any other White background' },
  { code: 'H', display: 'Asian or Asian British - Indian' },
  { code: 'J', display: 'Asian or Asian British - Pakistani' },
  { code: 'N', display: 'Black or Black British - African' },
  { code: 'Z', display: 'Not stated' },
] as const;

/** The patient number `n` of a world, registered with one of its practices. `bornBefore`: YYYY. */
export const personOf = (world: World, n: number, nhsNumber: string): Person => {
  const random = randomOf(world.seed, kind, n);
  const gender = random.pick(['female', 'male'] as const);
  const practice = world.practices[n === 0 ? 0 : random.below(world.practices.length)] ?? world.practices[0]!;
  const year = n === 0 ? 1978 : 1934 + random.below(88);
  const day = new Date(Date.UTC(year, 0, 1 + random.below(365))).toISOString().slice(0, 10);
  return {
    id: random.uuid(),
    nhsNumber,
    gender,
    given: random.pick(givenNames[gender]),
    family: random.pick(familyNames),
    born: day,
    practice,
  };
};

export const patient = (world: World, n: number, person: Person): Patient => {
  const random = randomOf(world.seed, kind + 1, n);
  const { site } = person.practice;
  return {
    resourceType: 'Patient',
    id: person.id,
    extension: [
      {
        url: ukCoreExtension('EthnicCategory'),
        valueCodeableConcept: { coding: [{ system: ukCoreSystem('EthnicCategoryEngland'), ...random.pick(ethnicCategories) }] },
      },
    ],
    identifier: [
      {
        extension: [
          {
            url: ukCoreExtension('NHSNumberVerificationStatus'),
            valueCodeableConcept: {
              coding: [{ system: ukCoreSystem('NHSNumberVerificationStatusEngland'), code: '01', display: 'Number present and verified' }],
            },
          },
        ],
        ...identifier(systems.nhsNumber, person.nhsNumber),
      },
    ],
    active: true,
    name: [{ use: 'official', prefix: [person.gender === 'female' ? 'Ms' : 'Mr'], given: [person.given], family: person.family }],
    telecom: [{ system: 'phone', value: `07700 900${String(random.below(1000)).padStart(3, '0')}`, use: 'mobile' }],
    gender: person.gender,
    birthDate: person.born,
    address: [
      {
        use: 'home',
        line: [`${String(1 + random.below(120))} ${random.pick(streets)}`],
        city: site.place.town,
        postalCode: postcodeIn(site.place),
      },
    ],
    generalPractitioner: [organisationReference(person.practice)],
  };
};
