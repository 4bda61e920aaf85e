import { bankHolidays } from './bank-holidays.js';

const day = 86_400_000;

const hourMs = 3_600_000;
const mostKept = 1000;
/** by hours since 1970: England's days begin and end with one of them */
const days = new Map<number, string>();
// made once: a formatter takes as long to make as a thousand texts
const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' });

/** The calendar day of an instant in England, YYYY-MM-DD: a referral of 23:30 summer time belongs to that day, not to UTC's. */
export const localDayOf = (instant: string | number): string => {
  const ms = typeof instant === 'number' ? instant : Date.parse(instant);
  const hour = Math.floor(ms / hourMs);
  const known = days.get(hour);
  if (known !== undefined) return known;
  const local = london.format(ms);
  if (days.size >= mostKept) days.clear();
  days.set(hour, local);
  return local;
};

/** The moment at which the day after `date` (YYYY-MM-DD) begins in England, epoch ms. */
export const endOfDay = (date: string): number => {
  const next = Date.parse(`${date}T00:00:00Z`) + day;
  // an hour before midnight UTC the next day has begun only in summer
  const summer = next - hourMs;
  return localDayOf(summer) === date ? next : summer;
};

const numberOf = (date: string): number => Math.round(Date.parse(`${date}T00:00:00Z`) / day);
// R4 datatypes.html#date: a year has four digits
const lastDay = numberOf('9999-12-31');
const dateOf = (number: number): string => new Date(Math.min(number, lastDay) * day).toISOString().slice(0, 10);
const holidays = new Set([...bankHolidays].map(numberOf));

/** Days since 1970 begin with a Thursday. */
const isWorking = (number: number): boolean => {
  const weekday = (((number + 4) % 7) + 7) % 7;
  return weekday !== 0 && weekday !== 6 && !holidays.has(number);
};

/** Monday to Friday and no bank holiday. `date`: YYYY-MM-DD. */
export const isWorkingDay = (date: string): boolean => isWorking(numberOf(date));

/** The day that lies `count` days after `date` (YYYY-MM-DD). */
export const addDays = (date: string, count: number): string => dateOf(numberOf(date) + count);

/** The day that lies `count` working days after `date` (YYYY-MM-DD), which itself does not count. */
export const addWorkingDays = (date: string, count: number): string => {
  let at = numberOf(date);
  for (let left = count; left > 0;) if (isWorking(++at)) left--;
  return dateOf(at);
};
