/** A half-open span of time, epoch ms. */
export type Span = { readonly low: number; readonly high: number };

/** The ends of an open Period; beyond every date that JavaScript knows. */
export const earliest = -8.64e15;
export const latest = 8.64e15;

const form = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

const formats = new Map<string, Intl.DateTimeFormat>();
const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  formats.set(zone, made);
  return made;
};

const offsets = new Map<string, Map<number, number>>();

/** Milliseconds that the zone is ahead of UTC at an instant; zones change on whole quarters of an hour, so those are remembered. */
const offsetAt = (zone: string, instant: number): number => {
  const quarter = Math.floor(instant / 900_000);
  let ofZone = offsets.get(zone);
  if (!ofZone) offsets.set(zone, (ofZone = new Map<number, number>()));
  const known = ofZone.get(quarter);
  if (known !== undefined) return known;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(quarter * 900_000)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  const offset = wall - quarter * 900_000;
  if (ofZone.size > 20_000) ofZone.clear();
  ofZone.set(quarter, offset);
  return offset;
};

const utc = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number => {
  const date = new Date(0);
  // Date.UTC reads years below 100 as 19xx
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(hour, minute, second, 0);
  return date.getTime();
};

/** Wall-clock time of a zone as an instant; a time that the spring change skips is taken as the moment of the change. */
const inZone = (wall: number, zone: string): number => {
  const first = wall - offsetAt(zone, wall);
  return wall - offsetAt(zone, first);
};

/**
 * The span that a FHIR date, dateTime or instant covers by its precision (R4 search.html#date); without an offset it is read
 * in `zone`. Undefined for text that is none of these.
 */
export const readDate = (text: string, zone: string): Span | undefined => {
  const match = form.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  if (year === 0 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return undefined;
  if (day < 1 || day > new Date(utc(year, month, 0)).getUTCDate()) return undefined;
  const offset = match[8];
  const at = (wall: number): number => {
    if (offset === undefined) return inZone(wall, zone);
    if (offset === 'Z') return wall;
    const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
    return wall - (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  };
  if (match[2] === undefined) return { low: at(utc(year, 0, 1)), high: at(utc(year + 1, 0, 1)) };
  if (match[3] === undefined) return { low: at(utc(year, month - 1, 1)), high: at(utc(year, month, 1)) };
  if (match[4] === undefined) return { low: at(utc(year, month - 1, day)), high: at(utc(year, month - 1, day + 1)) };
  const minuteStart = at(utc(year, month - 1, day, hour, minute));
  if (match[6] === undefined) return { low: minuteStart, high: minuteStart + 60_000 };
  const start = minuteStart + second * 1000;
  if (match[7] === undefined) return { low: start, high: start + 1000 };
  const low = start + Math.floor(Number(match[7]) * 1000 + 1e-6);
  // one digit stands for a tenth of a second; the index knows milliseconds
  return { low, high: low + 10 ** Math.max(0, 4 - match[7].length) };
};
