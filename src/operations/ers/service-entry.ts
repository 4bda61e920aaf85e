import type { Extension } from 'fhir/r4.js';
import { extensions } from '../../domain/codes.js';
import type { ListedService } from '../../domain/directory/criteria.js';
import type { FoundService } from '../../domain/directory/found-services.js';
import { referenceToService } from '../../domain/directory/service.js';
import { isSame, KeptText, LastMade } from '../../fhir/kept-text.js';
import type { House } from '../../interactions/house.js';
import type { DiaryAvailability, Stored } from '../../store/port.js';

/** What a service has free; `first` is its first free slot as a part of its entry. */
export type Availability = { readonly first: string | undefined; readonly count: number };

/** of a service without a diary */
const nothingFree: Availability = { first: undefined, count: 0 };
const dayMs = 86_400_000;

const named = (url: string, value: string): string => `{"url":"${url}",${value}}`;

type Start = { readonly part: string; readonly at: number };
const starts = new WeakMap<Stored, Start>();

/** The start of a slot as a part of an entry, and as a moment; the store shows the same record again as long as it is the first one. */
const startOf = (slot: Stored): Start => {
  const known = starts.get(slot);
  if (known) return known;
  const { start: text = '' } = JSON.parse(slot.body ?? '{}') as { start?: string };
  const start = { part: `${named('firstFreeSlot', `"valueDateTime":${JSON.stringify(text)}`)},`, at: Date.parse(text) };
  starts.set(slot, start);
  return start;
};

/** What the diaries of one service have together. */
const together = (schedules: readonly string[], diaries: ReadonlyMap<string, DiaryAvailability>): Availability => {
  let earliest: Start | undefined;
  let all = 0;
  for (const schedule of schedules) {
    const { first, count = 0 } = diaries.get(schedule) ?? {};
    const start = first && startOf(first);
    if (start !== undefined && !(start.at >= (earliest?.at ?? Number.POSITIVE_INFINITY))) earliest = start;
    all += count;
  }
  return { first: earliest?.part, count: all };
};

/**
 * What each of the services (ids) has free: the first free slot, and how many there are in the days to come, as a search of slots would
 * find them. All is of one read, and a service has what its diaries have.
 */
export const availabilityOf = async (house: House, services: readonly string[], days: number): Promise<readonly Availability[]> => {
  const owned = services.map((service) => house.directory.schedulesOf(service));
  const now = house.clock();
  const schedules = [...new Set(owned.flat())];
  const read = schedules.length === 0 ? [] : await house.store.availability(schedules, now, now + days * dayMs);
  const diaries = new Map(read.map((diary) => [diary.schedule, diary]));
  return owned.map((own) => together(own, diaries));
};

/** eRS-IWT where there is no number of days. */
const waitPart = ({ summary }: ListedService, isLimited: boolean): string => {
  if (summary.indicativeWaitDays === undefined) return '"valueCode":"NOT_APPLICABLE"';
  return isLimited ? '"valueCode":"LIMITED_AVAILABILITY"' : `"valueUnsignedInt":${String(summary.indicativeWaitDays)}`;
};

/** What the directory alone says of a service: the parts of the entry that are the same in every answer. */
const partsOf = ({ flows, binding, specialty, organisation, place, summary }: ListedService): readonly (Extension | undefined)[] => [
  ...flows.map((flow): Extension => ({ url: 'requestFlowType', valueCode: flow })),
  binding === undefined ? undefined : { url: 'bookableType', valueCode: binding },
  specialty === undefined ? undefined : { url: 'specialty', valueCodeableConcept: specialty },
  organisation === undefined ? undefined : { url: 'organisation', valueString: organisation },
  place === undefined ? undefined : { url: 'location', valueReference: place },
  { url: 'referralLetterRequired', valueBoolean: summary.referralLetterRequired },
  summary.minimumAge === undefined ? undefined : { url: 'minimumAge', valueUnsignedInt: summary.minimumAge },
  summary.maximumAge === undefined ? undefined : { url: 'maximumAge', valueUnsignedInt: summary.maximumAge },
  ...summary.genders.map((gender): Extension => ({ url: 'gender', valueCode: gender })),
  summary.exclusions === undefined ? undefined : { url: 'exclusions', valueString: summary.exclusions },
];

// e-RS sets this for services that a commissioner puts first; no such rules are kept here
const opening = `{"extension":[{"url":"${extensions.fetchedService}","extension":[${named('displayProminently', '"valueBoolean":false')},`;

/** What of an answer changes from one moment to another, and the rest of an entry with it. */
type Rest = Availability & { readonly days: number; readonly text: string };
/**
 * An entry but for its distance and what is free: from the wait on while something is, while nothing is, and its end. `last`: all of an
 * entry after its distance, as it was shown last
 */
type Texts = { readonly middle: string; readonly whenFull: string; readonly end: string; last?: Rest };
const texts = new WeakMap<ListedService, Texts>();

const textsOf = (service: ListedService): Texts => {
  const known = texts.get(service);
  if (known) return known;
  const parts = partsOf(service)
    .flatMap((part) => (part === undefined ? [] : [`${JSON.stringify(part)},`]))
    .join('');
  const middle = (isLimited: boolean): string => `${named('indicativeAppointmentWaitTime', waitPart(service, isLimited))},${parts}`;
  const made: Texts = {
    middle: middle(false),
    whenFull: middle(service.flows.includes('BOOKABLE') && service.summary.indicativeWaitDays === 0),
    end: `]}],"item":${JSON.stringify(referenceToService(service))}}`,
  };
  texts.set(service, made);
  return made;
};

const restOf = (texts: Texts, { first, count }: Availability, days: number): string => {
  const { last } = texts;
  if (last?.first === first && last?.count === count && last.days === days) return last.text;
  const { middle, whenFull, end } = texts;
  const free = `{"url":"freeSlots","valueUnsignedInt":${String(count)}},{"url":"freeSlotsWithinDays","valueUnsignedInt":${String(days)}}`;
  // one text, as an answer copies it together with forty-nine others
  const text = [first === undefined ? whenFull : middle, first ?? '', free, end].join('');
  texts.last = { first, count, days, text };
  return text;
};

/** The entry of a found service in the List, as JSON; `rest`: all of it after the distance. */
const entryText = ({ miles }: FoundService, rest: string): string => {
  const distance = miles === undefined ? '' : `${named('distance', `"valueDecimal":${String(Math.round(miles * 10) / 10)}`)},`;
  return opening + distance + rest;
};

type Shown = { readonly rests: readonly string[]; readonly entries: KeptText };
/** What was shown last of searches that find the same again, of a hundred kilobytes or two each. */
const shownLast = new LastMade<readonly FoundService[], Shown>(200);

/** The entries of the first found services; one and the same text as long as the directory and what is free stay as they are. */
export const entriesOf = (found: readonly FoundService[], available: readonly Availability[], days: number): KeptText => {
  const first = found.slice(0, available.length);
  const rests = first.map(({ service }, index) => restOf(textsOf(service), available[index] ?? nothingFree, days));
  const shown = shownLast.get(
    found,
    (last) => isSame(last.rests, rests),
    () => ({ rests, entries: new KeptText(first.map((one, index) => entryText(one, rests[index] ?? '')).join(',')) }),
  );
  return shown.entries;
};
