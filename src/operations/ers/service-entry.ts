import type { Extension } from 'fhir/r4.js';
import { extensions } from '../../domain/codes.js';
import type { ListedService } from '../../domain/directory/criteria.js';
import type { FoundService } from '../../domain/directory/found-services.js';
import { referenceToService } from '../../domain/directory/service.js';
import type { House } from '../../interactions/house.js';
import type { Stored } from '../../store/port.js';

export type Availability = { readonly firstFree: string | undefined; readonly count: number };

const dayMs = 86_400_000;
const nothing: Availability = { firstFree: undefined, count: 0 };

type Start = { readonly text: string; readonly at: number };
const starts = new WeakMap<Stored, Start>();

/** The start of a slot as its record says it, and as a moment; the store shows the same record again as long as it is the first one. */
const startOf = (slot: Stored): Start => {
  const known = starts.get(slot);
  if (known) return known;
  const { start: text = '' } = JSON.parse(slot.body ?? '{}') as { start?: string };
  const start = { text, at: Date.parse(text) };
  starts.set(slot, start);
  return start;
};

/**
 * What services have free, by their ids: the first free slot, and how many there are in the days to come, as a search of slots would find
 * them. All is of one read, and a service has what its diaries have.
 */
export const availabilityOf = async (
  house: House,
  services: readonly string[],
  days: number,
): Promise<ReadonlyMap<string, Availability>> => {
  const owners = services.flatMap((service) => house.directory.schedulesOf(service).map((schedule) => ({ service, schedule })));
  if (owners.length === 0) return new Map();
  const now = house.clock();
  const schedules = [...new Set(owners.map(({ schedule }) => schedule))];
  const read = await house.store.availability(schedules, now, now + days * dayMs);
  const diaries = new Map(read.map((diary) => [diary.schedule, { count: diary.count, start: diary.first && startOf(diary.first) }]));
  const found = new Map<string, { firstFree: string | undefined; count: number; at: number }>();
  for (const { service, schedule } of owners) {
    const { start, count = 0 } = diaries.get(schedule) ?? {};
    const before = found.get(service) ?? { firstFree: undefined, count: 0, at: Number.POSITIVE_INFINITY };
    const first = start !== undefined && start.at < before.at ? { firstFree: start.text, at: start.at } : before;
    found.set(service, { firstFree: first.firstFree, at: first.at, count: before.count + count });
  }
  return found;
};

/** eRS-IWT where there is no number of days. */
const waitPart = ({ flows, summary }: ListedService, { firstFree }: Availability): string => {
  if (summary.indicativeWaitDays === undefined) return '"valueCode":"NOT_APPLICABLE"';
  const bookable = flows.includes('BOOKABLE');
  return bookable && firstFree === undefined && summary.indicativeWaitDays === 0
    ? '"valueCode":"LIMITED_AVAILABILITY"'
    : `"valueUnsignedInt":${String(summary.indicativeWaitDays)}`;
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

type Texts = { readonly parts: string; readonly item: string };
const texts = new WeakMap<ListedService, Texts>();

const textsOf = (service: ListedService): Texts => {
  const known = texts.get(service);
  if (known) return known;
  const parts = partsOf(service)
    .flatMap((part) => (part === undefined ? [] : [JSON.stringify(part)]))
    .join(',');
  const made = { parts, item: JSON.stringify(referenceToService(service)) };
  texts.set(service, made);
  return made;
};

const named = (url: string, value: string): string => `{"url":"${url}",${value}}`;

/** The entry of a found service in the List, as JSON; made of texts, as fifty are shown at once. */
export const entryText = ({ service, miles }: FoundService, available: Availability | undefined, days: number): string => {
  const { parts, item } = textsOf(service);
  const { firstFree, count } = available ?? nothing;
  const all = [
    // e-RS sets this for services that a commissioner puts first; no such rules are kept here
    named('displayProminently', '"valueBoolean":false'),
    ...(miles === undefined ? [] : [named('distance', `"valueDecimal":${String(Math.round(miles * 10) / 10)}`)]),
    named('indicativeAppointmentWaitTime', waitPart(service, { firstFree, count })),
    parts,
    ...(firstFree === undefined ? [] : [named('firstFreeSlot', `"valueDateTime":${JSON.stringify(firstFree)}`)]),
    named('freeSlots', `"valueUnsignedInt":${String(count)}`),
    named('freeSlotsWithinDays', `"valueUnsignedInt":${String(days)}`),
  ];
  return `{"extension":[{"url":"${extensions.fetchedService}","extension":[${all.join(',')}]}],"item":${item}}`;
};
