import type { Extension } from 'fhir/r4.js';
import { extensions } from '../../domain/codes.js';
import type { ListedService } from '../../domain/directory/criteria.js';
import type { FoundService } from '../../domain/directory/found-services.js';
import { referenceToService } from '../../domain/directory/service.js';
import { KeptText } from '../../fhir/kept-text.js';
import { isSame, LastMade } from '../../fhir/last-made.js';
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
const together = (diaries: readonly (DiaryAvailability | undefined)[]): Availability => {
  let earliest: Start | undefined;
  let all = 0;
  for (const diary of diaries) {
    const start = diary?.first && startOf(diary.first);
    if (start !== undefined && !(start.at >= (earliest?.at ?? Number.POSITIVE_INFINITY))) earliest = start;
    all += diary?.count ?? 0;
  }
  return { first: earliest?.part, count: all };
};

/** The services that an answer shows, and their diaries: each once, and by their places in that list those of each service. */
type Page = {
  readonly services: readonly FoundService[];
  readonly schedules: readonly string[];
  readonly owned: readonly (readonly number[])[];
};

const pageOf = ({ directory }: House, services: readonly FoundService[]): Page => {
  const places = new Map<string, number>();
  const placeOf = (schedule: string): number => {
    const place = places.get(schedule) ?? places.size;
    places.set(schedule, place);
    return place;
  };
  const owned = services.map(({ service }) => directory.schedulesOf(service.id).map(placeOf));
  return { services, schedules: [...places.keys()], owned };
};

/** The diaries in the order that they were asked for in, as a store mostly has them. */
const inOrder = (schedules: readonly string[], read: readonly DiaryAvailability[]): readonly (DiaryAvailability | undefined)[] => {
  if (schedules.every((schedule, place) => read[place]?.schedule === schedule)) return read;
  const found = new Map(read.map((diary) => [diary.schedule, diary]));
  return schedules.map((schedule) => found.get(schedule));
};

/**
 * What each of the services has free: the first free slot, and how many there are in the days to come, as a search of slots would find
 * them. All is of one read, and a service has what its diaries have.
 */
const availabilityOf = async ({ clock, store }: House, { schedules, owned }: Page, days: number): Promise<readonly Availability[]> => {
  const now = clock();
  const read = schedules.length === 0 ? [] : await store.availability(schedules, now, now + days * dayMs);
  const diaries = inOrder(schedules, read);
  return owned.map((places) => together(places.map((place) => diaries[place])));
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

/** searches whose pages are kept, of a hundred kilobytes or two each */
const mostShown = 200;
const pages = new LastMade<readonly FoundService[], Page>(mostShown);

type Shown = { readonly rests: readonly string[]; readonly entries: KeptText };
const shownLast = new LastMade<Page, Shown>(mostShown);

/**
 * The entries of the first `count` of found services, each with what it has free; one and the same text as long as the directory and what
 * is free stay as they are.
 *
 * @param found the same object again until the directory changes, or a diary
 */
export const entriesOf = async (house: House, found: readonly FoundService[], count: number, days: number): Promise<KeptText> => {
  const page = pages.get(
    found,
    ({ services }) => services.length === Math.min(count, found.length),
    () => pageOf(house, found.slice(0, count)),
  );
  const available = await availabilityOf(house, page, days);
  const rests = page.services.map(({ service }, index) => restOf(textsOf(service), available[index] ?? nothingFree, days));
  const shown = shownLast.get(
    page,
    (last) => isSame(last.rests, rests),
    () => ({ rests, entries: new KeptText(page.services.map((one, index) => entryText(one, rests[index] ?? '')).join(',')) }),
  );
  return shown.entries;
};
