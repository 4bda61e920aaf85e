const formatters = new Map<string, Intl.DateTimeFormat>();

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone);
  if (known) return known;
  const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  const made = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...fields });
  formatters.set(timeZone, made);
  return made;
};

const measuredOffset = (instant: number, timeZone: string): number => {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const field = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const local = Date.UTC(field('year'), field('month') - 1, field('day'), field('hour'), field('minute'), field('second'));
  return Math.round((local - instant) / 60_000);
};

const dayMs = 86_400_000;
/** offsets of whole UTC days; undefined for a day within which the clocks change */
const daily = new Map<string, Map<number, number | undefined>>();

/** Minutes that local time is ahead of UTC at the instant (epoch ms). */
export const offsetAt = (instant: number, timeZone: string): number => {
  const day = Math.floor(instant / dayMs);
  let known = daily.get(timeZone);
  if (!known) daily.set(timeZone, (known = new Map<number, number | undefined>()));
  if (!known.has(day)) {
    const first = measuredOffset(day * dayMs, timeZone);
    known.set(day, measuredOffset((day + 1) * dayMs, timeZone) === first ? first : undefined);
  }
  return known.get(day) ?? measuredOffset(instant, timeZone);
};

/** A calendar day as YYYY-MM-DD, `days` later. */
export const addDays = (day: string, days: number): string => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);

/** 0 Sunday to 6 Saturday. */
export const weekdayOf = (day: string): number => new Date(day).getUTCDay();

/** The day of an instant in a zone, as YYYY-MM-DD. */
export const localDay = (instant: number, timeZone: string): string =>
  new Date(instant + offsetAt(instant, timeZone) * 60_000).toISOString().slice(0, 10);

/**
 * The instant (epoch ms) at which the clocks of the zone show `minutes` after midnight of `day`. In the hour that the clocks repeat it
 * is the first one; in the hour that they skip it is the instant at which they jump.
 */
export const instantOf = (day: string, minutes: number, timeZone: string): number => {
  const wall = Date.parse(day) + minutes * 60_000;
  const before = offsetAt(wall - 86_400_000, timeZone);
  const after = offsetAt(wall + 86_400_000, timeZone);
  for (const offset of [before, after]) {
    const instant = wall - offset * 60_000;
    if (offsetAt(instant, timeZone) === offset) return instant;
  }
  // the clocks never show that time: halve the hours around the jump down to it
  let [earlier, later] = [wall - after * 60_000, wall - before * 60_000];
  while (later - earlier > 1) {
    const middle = Math.floor((earlier + later) / 2);
    if (offsetAt(middle, timeZone) === before) earlier = middle;
    else later = middle;
  }
  return later;
};

/** FHIR instant with the zone's own offset: 2027-03-29T09:00:00+01:00. */
export const localText = (instant: number, timeZone: string): string => {
  const offset = offsetAt(instant, timeZone);
  const sign = offset < 0 ? '-' : '+';
  const pad = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  return `${new Date(instant + offset * 60_000).toISOString().slice(0, 19)}${sign}${pad(offset / 60)}:${pad(offset % 60)}`;
};
