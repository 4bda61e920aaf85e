import { addWorkingDays } from '../domain/calendar/working-days.js';
import type { Resource } from '../fhir/resource.js';
import { adviceRequest, appointment, conversation, keepsSlot, serviceRequest, task, type AdviceStatus, type Story } from './referrals.js';
import { healthcareService, location, organisationsOf, organization, practitioner, practitionerRoles, schedule } from './directory.js';
import { openingsOn, slot, slotId } from './diary.js';
import { letter } from './letters.js';
import { addDays, localDay } from './local-time.js';
import { testNhsNumbers } from './nhs-number.js';
import { patient, personOf, type Person } from './patients.js';
import { randomOf } from './random.js';
import { sizes } from './scales.js';
import { contactDays, storyOf, treats } from './stories.js';
import { makeWorld, type World } from './world.js';

export type DemoOptions = {
  readonly seed: number;
  /** YYYY-MM-DD in `timeZone`: the diaries are filled for the eight weeks after it */
  readonly today: string;
  /** zone of the clinics' clocks */
  readonly timeZone: string;
  /** the day of the first start, when that was earlier: what was made then is made again in the same way */
  readonly since?: string;
};

const horizonDays = 56;
const kinds = { advice: 31, records: 32 } as const;

/**
 * The demo data (contract section 8), in an order in which every reference points back or into the next few records. The same
 * options give the same resources. A Binary carries its bytes as `data`.
 */
export function* generateDemo(options: DemoOptions): Generator<Resource> {
  for (const resource of demoResources(options)) yield resource as unknown as Resource;
}

function* demoResources({ seed, today, timeZone, since = today }: DemoOptions): Generator<object> {
  const world = makeWorld(seed, 'small');
  const taken = new Set<string>();
  yield* directory(world, since);
  const people = peopleOf(world);
  yield* people.map((person, n) => patient(world, n, person));
  const written = new Set<string>();
  for (const story of storiesOf(world, people, { since, timeZone }, taken)) {
    if (story.opening) written.add(slotId(story.opening));
    yield* recordsOf(world, story);
  }
  yield* adviceOf(world, people, { since, timeZone });
  const from = since > today ? since : today;
  for (let ahead = 1; ahead <= horizonDays; ahead++)
    for (const service of world.services)
      for (const opening of openingsOn(service, addDays(from, ahead), timeZone))
        if (!written.has(slotId(opening))) yield slot(opening, 'free', timeZone);
}

/** Organisations, sites, clinicians, services and their diaries. */
export function* directory(world: World, since: string): Generator<object> {
  const organisations = organisationsOf(world);
  const byOds = new Map(organisations.map((organisation) => [organisation.ods, organisation]));
  yield* organisations.map(organization);
  yield* organisations.map(location);
  yield* world.clinicians.map(practitioner);
  for (const clinician of world.clinicians) yield* practitionerRoles(clinician, byOds);
  for (const service of world.services) yield healthcareService(service);
  for (const service of world.services) if (service.binding === 'DIRECTLY_BOOKABLE') yield schedule(service, since);
}

/** The patient that e-RS's public test material uses, and neighbours. */
const peopleOf = (world: World): readonly Person[] => {
  const numbers = testNhsNumbers();
  return Array.from({ length: sizes.small.patients }, (_, n) => personOf(world, n, n === 0 ? '9912003888' : String(numbers.next().value)));
};

type When = { readonly since: string; readonly timeZone: string };

function* storiesOf(world: World, people: readonly Person[], dates: When, taken: Set<string>): Generator<Story> {
  for (let n = 0; n < sizes.small.referrals; n++) {
    const person = people[(n * 7) % people.length];
    const story = person && storyOf(world, n, { person, services: world.services, dates, taken });
    if (story) yield story;
  }
}

/** A referral with its slot, appointment, task and letter. */
export function* recordsOf(world: World, story: Story): Generator<object> {
  const random = randomOf(world.seed, kinds.records, Number(story.ubrn));
  const [appointmentId, taskId, binary, document] = [random.uuid(), random.uuid(), random.uuid(), random.uuid()];
  if (story.opening) yield slot(story.opening, keepsSlot(story.state) ? 'busy' : 'free', story.timeZone);
  yield serviceRequest(story);
  const booked = appointment(story, appointmentId);
  if (booked) yield booked;
  const days = contactDays[story.state === 'AWAITING_TRIAGE' ? 'AWAITING_TRIAGE' : 'DEFERRED_TO_PROVIDER'][story.priority];
  const waiting = task(story, taskId, addWorkingDays(localDay(story.authored, story.timeZone), days));
  if (waiting) yield waiting;
  if (story.shortlist.some(({ letterRequired }) => letterRequired) || random.below(2) === 0) yield* letter(story, { binary, document });
}

const adviceStatuses = ['PROVIDER_RESPONSE_REQUIRED', 'REFERRER_TO_REVIEW_RESPONSE', 'CONVERSATION_ENDED_CLOSED'] as const;

/** Advice requests, each with its conversation. */
function* adviceOf(world: World, people: readonly Person[], dates: When): Generator<object> {
  const services = world.services.filter(({ flow }) => flow === 'ADVICE_AND_GUIDANCE');
  for (let n = 0; n < 18; n++) {
    const random = randomOf(world.seed, kinds.advice, n);
    const person = people[(3 + n * 11) % people.length];
    const suitable = person ? services.filter((service) => treats(service, person, dates.since)) : [];
    const base = person && storyOf(world, 1 + 18 * n, { person, services: world.services, dates, taken: new Set() });
    if (!base || suitable.length === 0) continue;
    const status: AdviceStatus = adviceStatuses[n % adviceStatuses.length] ?? 'PROVIDER_RESPONSE_REQUIRED';
    const story: Story = { ...base, id: random.uuid(), ubrn: String(80_000_000 + n).padStart(12, '0'), shortlist: [random.pick(suitable)] };
    yield adviceRequest(story, status);
    yield* conversation(story, status, random);
  }
}
