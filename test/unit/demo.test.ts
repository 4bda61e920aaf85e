import { readFileSync } from 'node:fs';
import type { Appointment, HealthcareService, Organization, Patient, PractitionerRole, ServiceRequest, Slot } from 'fhir/r4.js';
import { specialties } from '../../src/demo/facts/specialties.js';
import { openingsOn } from '../../src/demo/diary.js';
import { generateDemo } from '../../src/demo/generate.js';
import { addDays, instantOf, localDay, localText, offsetAt } from '../../src/demo/local-time.js';
import { checkDigitOf, testNhsNumbers } from '../../src/demo/nhs-number.js';
import { randomOf } from '../../src/demo/random.js';
import { makeWorld } from '../../src/demo/world.js';
import { stateOf } from '../../src/domain/referral/referral.js';
import { summaryOf } from '../../src/domain/directory/service-summary.js';
import { findReferences } from '../../src/fhir/references.js';
import type { Resource } from '../../src/fhir/resource.js';

const london = 'Europe/London';
const demo = (today: string, since?: string): readonly Resource[] => [
  ...generateDemo({ seed: 1, today, timeZone: london, ...(since === undefined ? {} : { since }) }),
];
const november = demo('2026-11-25');
type Types = {
  readonly Appointment: Appointment;
  readonly HealthcareService: HealthcareService;
  readonly Organization: Organization;
  readonly Patient: Patient;
  readonly PractitionerRole: PractitionerRole;
  readonly ServiceRequest: ServiceRequest;
  readonly Slot: Slot;
};
const ofType = <T extends keyof Types>(resources: readonly Resource[], type: T): readonly Types[T][] =>
  resources.filter(({ resourceType }) => resourceType === type) as unknown as readonly Types[T][];
const keyOf = ({ resourceType, id }: Resource): string => `${resourceType}/${String(id)}`;

describe('NHS numbers', () => {
  it('have the check digit of the data dictionary', () => {
    expect(checkDigitOf('943476591')).toBe(9);
    expect(checkDigitOf('991200388')).toBe(8);
    expect(checkDigitOf('999000000')).toBeUndefined();
  });
  it('come from the test range, valid and each once', () => {
    const numbers = testNhsNumbers();
    const some = Array.from({ length: 5000 }, () => String(numbers.next().value));
    expect(new Set(some).size).toBe(5000);
    for (const number of some) {
      expect(number).toMatch(/^999\d{7}$/);
      expect(checkDigitOf(number.slice(0, 9))).toBe(Number(number[9]));
    }
  });
});

it('random sources differ by key and give the same for the same', () => {
  expect(randomOf(1, 2, 3).uuid()).toBe(randomOf(1, 2, 3).uuid());
  expect(randomOf(1, 2, 3).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(Array.from({ length: 20_000 }, (_, n) => randomOf(1, 2, n).uuid())).size).toBe(20_000);
});

describe('local time', () => {
  it.each([
    ['2026-10-24', '2026-10-24T09:00:00+01:00'],
    ['2026-10-25', '2026-10-25T09:00:00+00:00'],
    ['2027-03-27', '2027-03-27T09:00:00+00:00'],
    ['2027-03-28', '2027-03-28T09:00:00+01:00'],
  ])('9:00 on %s is 9:00 on the wall', (day, text) => {
    expect(localText(instantOf(day, 540, london), london)).toBe(text);
  });
  it('keeps order and skips nothing through both nights of a clock change', () => {
    for (const day of ['2026-10-25', '2027-03-28']) {
      const quarters = Array.from({ length: 97 }, (_, n) => instantOf(day, n * 15, london));
      for (let n = 1; n < quarters.length; n++) expect(quarters[n]! - quarters[n - 1]!).toBeGreaterThanOrEqual(0);
      expect((quarters.at(-1)! - quarters[0]!) / 3_600_000).toBe(day.startsWith('2026') ? 25 : 23);
    }
  });
  it('knows the day', () => {
    expect(localDay(Date.parse('2026-06-30T23:30:00Z'), london)).toBe('2026-07-01');
    expect(offsetAt(Date.parse('2026-07-01T00:00:00Z'), london)).toBe(60);
  });
});

describe('diaries', () => {
  const world = makeWorld(1, 'small');
  // eight weeks that hold the change to winter time, and eight that hold the change to summer time
  it.each(['2026-09-28', '2027-03-01'])('hold the opening hours from %s on, without a missing or a double hour', (from) => {
    for (const service of world.services.filter(({ binding }) => binding === 'DIRECTLY_BOOKABLE')) {
      const counts = new Set<number>();
      const starts = new Set<number>();
      for (let week = 0; week < 8; week++) {
        let count = 0;
        for (let day = 0; day < 7; day++)
          for (const { start, end } of openingsOn(service, addDays(from, week * 7 + day), london, new Set())) {
            const wall = localText(start, london).slice(11, 16);
            const session = service.sessions.find(({ from: opens, until }) => {
              const minutes = Number(wall.slice(0, 2)) * 60 + Number(wall.slice(3));
              return minutes >= opens && minutes + service.slotMinutes <= until;
            });
            expect(session).toBeDefined();
            expect(end - start).toBe(service.slotMinutes * 60_000);
            expect(starts.has(start)).toBe(false);
            starts.add(start);
            count++;
          }
        counts.add(count);
      }
      expect(counts.size).toBe(1);
    }
  });
  it('are closed on bank holidays', () => {
    const opened = (day: string): number => world.services.flatMap((service) => openingsOn(service, day, london)).length;
    expect(['2026-12-24', '2026-12-25', '2026-12-28', '2026-12-29'].map((day) => opened(day) > 0)).toEqual([true, false, false, true]);
  });
});

it("services have specialties of e-RS's reference data, and clinic types of those specialties", () => {
  const table = readFileSync('profiles/ers/reference-data.table', 'utf8');
  const known = new Set(
    [...table.matchAll(/^ {2}([A-Z0-9_]+) .*?(?:specialty=(\S+))?$/gm)].map(([, code, of]) => `${of ?? ''}/${code ?? ''}`),
  );
  for (const { ers, clinicTypes } of specialties) {
    expect([ers.code, known.has(`/${ers.code}`)]).toEqual([ers.code, true]);
    for (const { code } of clinicTypes) expect([ers.code, code, known.has(`${ers.code}/${code}`)]).toEqual([ers.code, code, true]);
  }
});

describe('demo data', () => {
  it('is the same for the same seed and day', () => {
    expect(JSON.stringify(demo('2026-11-25'))).toBe(JSON.stringify(november));
  });
  it('has each id once, and no reference that leads nowhere or further ahead than a unit', () => {
    const at = new Map(november.map((resource, index) => [keyOf(resource), index]));
    expect(at.size).toBe(november.length);
    november.forEach((resource, index) => {
      for (const { reference } of findReferences(resource, resource.resourceType)) {
        if (reference === undefined) continue;
        const target = at.get(reference);
        expect([reference, target === undefined]).toEqual([reference, false]);
        expect(target).toBeLessThan(index);
      }
    });
  });
  it('is of the size that the contract names', () => {
    const count = (type: keyof Types) => ofType(november, type).length;
    expect(count('Organization')).toBe(10);
    expect(count('HealthcareService')).toBe(60);
    expect(count('Patient')).toBe(200);
    expect(count('Slot')).toBeGreaterThan(2700);
    expect(count('Slot')).toBeLessThan(3500);
  });
  it('has the organisations, users and patient of the contract', () => {
    const keys = new Set(november.map(keyOf));
    for (const ods of ['D82106', 'RCD', 'R69']) expect(keys).toContain(`Organization/${ods}`);
    const functions = (id: string) =>
      ofType(november, 'PractitionerRole')
        .find((role) => role.id === id)
        ?.code?.flatMap(({ coding }) => coding?.map(({ code }) => code));
    expect(functions('D82106-021600556514')).toEqual(['REFERRING_CLINICIAN']);
    expect(functions('RCD-555032006106')).toEqual(['SERVICE_PROVIDER_CLINICIAN']);
    expect(functions('R69-555032006106')).toEqual(['SERVICE_PROVIDER_CLINICIAN']);
    expect(functions('RCD-555073103100')).toContain('SERVICE_PROVIDER_CLINICIAN_ADMIN');
    expect(JSON.stringify(ofType(november, 'Patient')[0])).toContain('"9912003888"');
  });
  it('has referrals in every state, booked ones with one busy slot each', () => {
    const referrals = ofType(november, 'ServiceRequest');
    const states = new Set(referrals.filter(({ id }) => id?.startsWith('r.')).map(stateOf));
    expect(states.size).toBe(12);
    const appointments = ofType(november, 'Appointment').filter(({ status }) => status === 'booked');
    expect(appointments).toHaveLength(referrals.filter((referral) => stateOf(referral) === 'BOOKED').length);
    const slots = new Map(ofType(november, 'Slot').map((slot) => [`Slot/${String(slot.id)}`, slot]));
    const used = appointments.map(({ slot }) => slot?.[0]?.reference ?? '');
    expect(new Set(used).size).toBe(used.length);
    for (const appointment of appointments) {
      const slot = slots.get(appointment.slot?.[0]?.reference ?? '');
      expect(slot?.status).toBe('busy');
      expect(slot?.start).toBe(appointment.start);
    }
  });
  it('a later start adds days to the diaries and changes nothing that was there', () => {
    const first = new Map(november.map((resource) => [keyOf(resource), JSON.stringify(resource)]));
    const later = demo('2026-12-09', '2026-11-25');
    const added = later.filter((resource) => !first.has(keyOf(resource)));
    expect(new Set(added.map(({ resourceType }) => resourceType))).toEqual(new Set(['Slot']));
    expect(ofType(added, 'Slot').every(({ status, start }) => status === 'free' && start > '2027-01-20')).toBe(true);
    for (const resource of later) expect(first.get(keyOf(resource)) ?? JSON.stringify(resource)).toBe(JSON.stringify(resource));
  });
  it('describes services as the service search needs them', () => {
    const services = ofType(november, 'HealthcareService');
    const flows = services.flatMap(({ characteristic }) => characteristic?.[0]?.coding?.[0]?.code ?? []);
    expect(new Set(flows)).toEqual(new Set(['BOOKABLE', 'REVIEW', 'ADVICE_AND_GUIDANCE']));
    expect(services.map(summaryOf).some(({ maximumAge }) => maximumAge === 17)).toBe(true);
    expect(services.map(summaryOf).some(({ genders }) => genders.length === 1)).toBe(true);
    expect(services.map(summaryOf).some(({ clinician }) => clinician?.sdsId === '555032006106')).toBe(true);
  });
});

/** The check digit of SNOMED CT identifiers (Verhoeff): a mistyped code would not pass. */
const passesVerhoeff = (code: string): boolean => {
  const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
  const times = (a: number, b: number): number =>
    a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b + 10) % 5) : (a - b + 10) % 5;
  return (
    Array.from(code)
      .reverse()
      .reduce((sum, digit, position) => {
        let value = Number(digit);
        for (let turn = 0; turn < position % 8; turn++) value = permutation[value] ?? 0;
        return times(sum, value);
      }, 0) === 0
  );
};

it('SNOMED CT codes have right check digits', () => {
  for (const { snomed, reasons } of specialties)
    for (const { code } of [snomed, ...reasons]) expect([code, passesVerhoeff(code)]).toEqual([code, true]);
  expect(passesVerhoeff('394579003')).toBe(false);
});
