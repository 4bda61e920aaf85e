import { bankHolidays } from './bank-holidays.js';

const day = 86_400_000;

const minuteMs = 60_000;
let latest = { minute: Number.NaN, day: '' };
// made once: a formatter takes as long to make as a thousand texts
const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' });

/** The calendar day of an instant in England, YYYY-MM-DD: a referral of 23:30 summer time belongs to that day, not to UTC's. */
export const localDayOf = (instant: string | number): string => {
  const ms = typeof instant === 'number' ? instant : Date.parse(instant);
  const minute = Math.floor(ms / minuteMs);
  // the same minute is of the same day, and nearly always it is now that is asked for
  if (minute !== latest.minute) latest = { minute, day: london.format(ms) };
  return latest.day;
};

/** The moment at which the day after `date` (YYYY-MM-DD) begins in England, epoch ms. */
export const endOfDay = (date: string): number => {
  const next = Date.parse(`${date}T00:00:00Z`) + day;
  // an hour before midnight UTC the next day has begun only in summer
  const summer = next - 3_600_000;
  return localDayOf(summer) === date ? next : summer;
};

const numberOf = (date: string): number => Math.round(Date.parse(`${date}T00:00:00Z`) / day);
const dateOf = (number: number): string => new Date(number * day).toISOString().slice(0, 10);
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
