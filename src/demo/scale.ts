import type { Appointment } from 'fhir/r4.js';
import { appointment, hasAppointment, serviceRequest, task, type Story } from './referrals.js';
import { addWorkingDays, isWorkingDay } from '../domain/calendar/working-days.js';
import { openingsOn, slot, type Opening } from './diary.js';
import { addDays, instantOf, localDay, weekdayOf } from './local-time.js';
import { numberList } from './nhs-number.js';
import { patient, personOf, type Person } from './patients.js';
import { randomOf, type Random } from './random.js';
import { sizes, type Scale } from './scales.js';
import { contactDays, fits, priorities, states, treats, type Dates } from './stories.js';
import { makeWorld, type Service, type World } from './world.js';

/** Numbers from..until, the last one not included. */
export type Range = { readonly from: number; readonly until: number };

const kinds = { booking: 41, referral: 42, ids: 43 } as const;
const horizonDays = 63;
/** of every four referrals one is booked into a slot to come */
const bookedShare = 4;
const tries = 40;

/**
 * The data of a scale in parts that need nothing of each other: any process can make any part, and all of them together are the same
 * as one after the other. A slot that is booked makes its own referral; the other referrals are made by number.
 */
export class ScaleData {
  readonly world: World;
  private readonly numbers: Float64Array;
  private readonly bookable: readonly Service[];
  /** number of the first slot of each bookable service, and the number of all slots at the end */
  private readonly firstSlot: readonly number[];
  private readonly dates: Dates;
  private readonly byFlow: ReadonlyMap<string, readonly Service[]>;

  constructor(
    seed: number,
    readonly scale: Exclude<Scale, 'small'>,
    dates: Dates,
  ) {
    this.world = makeWorld(seed, scale);
    this.dates = dates;
    this.numbers = numberList(sizes[scale].patients);
    this.bookable = this.world.services.filter(({ binding }) => binding === 'DIRECTLY_BOOKABLE');
    this.byFlow = new Map(
      ['DIRECTLY_BOOKABLE', 'REVIEW'].map((kind) => [kind, this.world.services.filter(({ binding, flow }) => (binding ?? flow) === kind)]),
    );
    this.firstSlot = this.shareOut();
  }

  /** How many bookable services, patients, and referrals without a slot there are: the ranges of the parts. */
  get parts(): { readonly diaries: number; readonly patients: number; readonly referrals: number } {
    const { patients, referrals } = sizes[this.scale];
    return { diaries: this.bookable.length, patients, referrals: referrals - this.booked };
  }

  private get booked(): number {
    return Math.floor(sizes[this.scale].referrals / bookedShare);
  }

  /** Gives each diary its part of all slots: as many as the others, or as its sessions have room for. */
  private shareOut(): readonly number[] {
    const { since } = this.dates;
    const days = Array.from({ length: horizonDays }, (_, ahead) => addDays(since, ahead + 1)).filter(isWorkingDay);
    const times = (weekday: number): number => days.filter((day) => weekdayOf(day) === weekday).length;
    const daysOn = Array.from({ length: 7 }, (_, weekday) => times(weekday));
    const room = (service: Service): number =>
      service.sessions.reduce(
        (sum, { weekday, from, until }) => sum + Math.floor((until - from) / service.slotMinutes) * (daysOn[weekday] ?? 0),
        0,
      );
    const order = this.bookable.map((service, index) => ({ index, room: room(service) })).sort((a, b) => a.room - b.room);
    const counts = new Array<number>(order.length).fill(0);
    let left: number = sizes[this.scale].slots;
    order.forEach(({ index, room: most }, at) => {
      const count = Math.min(most, Math.ceil(left / (order.length - at)));
      counts[index] = count;
      left -= count;
    });
    const first = [0];
    for (const count of counts) first.push((first.at(-1) ?? 0) + count);
    return first;
  }

  *patients({ from, until }: Range): Generator<object> {
    for (let n = from; n < until; n++) yield patient(this.world, n, this.person(n));
  }

  private person(n: number): Person {
    return personOf(this.world, n, n === 0 ? '9912003888' : String(this.numbers[n - 1]));
  }

  /** The slots of some diaries, and the referrals that are booked into them. */
  *diaries({ from, until }: Range): Generator<object> {
    const all = this.firstSlot.at(-1) ?? 0;
    for (let index = from; index < until; index++) {
      const service = this.bookable[index];
      const first = this.firstSlot[index] ?? 0;
      const count = (this.firstSlot[index + 1] ?? first) - first;
      let number = first;
      for (const opening of service ? this.openings(service, count) : []) {
        // spread evenly: the slots at which the share of all bookings steps up
        const before = Math.floor((number * this.booked) / all);
        const taken = Math.floor(((number + 1) * this.booked) / all) > before;
        yield slot(opening, taken ? 'busy' : 'free', this.dates.timeZone);
        if (taken) yield* this.records(before, 'BOOKED', opening);
        number++;
      }
    }
  }

  private *openings(service: Service, count: number): Generator<Opening> {
    let left = count;
    for (let ahead = 1; ahead <= horizonDays && left > 0; ahead++)
      for (const opening of openingsOn(service, addDays(this.dates.since, ahead), this.dates.timeZone)) if (left-- > 0) yield opening;
  }

  /** The referrals that have no slot, or whose appointment is over. */
  *referrals({ from, until }: Range): Generator<object> {
    for (let n = from; n < until; n++) {
      const state = unbooked[n % unbooked.length] ?? 'NOT_BOOKED';
      yield* this.records(this.booked + n, state, undefined);
    }
  }

  private *records(n: number, state: Story['state'], opening: Opening | undefined): Generator<object> {
    const random = randomOf(this.world.seed, kinds.referral, n);
    const { person, services } = this.match(random, n, state, opening);
    const referrer = this.world.referrers.get(person.practice.ods)?.[0];
    const [service] = services;
    if (!referrer || !service) return;
    const { since, timeZone } = this.dates;
    const story: Story = {
      id: random.uuid(),
      ubrn: String(70_000_000 + n).padStart(12, '0'),
      state,
      person,
      referrer,
      shortlist: services,
      priority: random.pick(priorities),
      reason: random.below(100),
      authored: instantOf(addDays(since, -1 - random.below(120)), 540 + random.below(480), timeZone),
      opening: opening ?? (hasAppointment(state) ? this.lapsed(service, random) : undefined),
      timeZone,
    };
    yield serviceRequest(story);
    const booked = appointment(story, random.uuid());
    // a slot that is over is not kept: the appointment says when it was
    if (booked) yield opening ? booked : withoutSlot(booked);
    const days = contactDays[state === 'AWAITING_TRIAGE' ? 'AWAITING_TRIAGE' : 'DEFERRED_TO_PROVIDER'][story.priority];
    const waiting = task(story, random.uuid(), addWorkingDays(localDay(story.authored, timeZone), days));
    if (waiting) yield waiting;
  }

  /** A patient and the services that suit each other. */
  private match(
    random: Random,
    n: number,
    state: Story['state'],
    opening: Opening | undefined,
  ): { person: Person; services: readonly Service[] } {
    const { patients } = sizes[this.scale];
    let person = this.person(n % patients);
    if (opening) {
      for (let round = 0; round < tries && !treats(opening.service, person, this.dates.since); round++)
        person = this.person(random.below(patients));
      return { person, services: [opening.service] };
    }
    const choice = this.byFlow.get(fits(state)) ?? [];
    const services: Service[] = [];
    for (let round = 0; round < tries && services.length === 0; round++) {
      const service = random.pick(choice);
      if (treats(service, person, this.dates.since)) services.push(service);
    }
    return { person, services };
  }

  private lapsed(service: Service, random: Random): Opening {
    const start = instantOf(addDays(this.dates.since, -1 - random.below(56)), 540 + random.below(8) * 30, this.dates.timeZone);
    return { service, start, end: start + service.slotMinutes * 60_000, priority: 'ROUTINE' };
  }
}

const withoutSlot = ({ slot: _slot, ...rest }: Appointment): Omit<Appointment, 'slot'> => rest;
const unbooked = states.filter((state) => state !== 'BOOKED');
