import { bankHolidays } from './bank-holidays.js';

const day = 86_400_000;

// made once: a formatter takes as long to make as a thousand texts
const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' });

/** The calendar day of an instant in England, YYYY-MM-DD: a referral of 23:30 summer time belongs to that day, not to UTC's. */
export const localDayOf = (instant: string | number): string => london.format(new Date(instant));

/** The moment at which the day after `date` (YYYY-MM-DD) begins in England, epoch ms. */
export const endOfDay = (date: string): number => {
  const next = Date.parse(`${date}T00:00:00Z`) + day;
  // an hour before midnight UTC the next day has begun only in summer
  const summer = next - 3_600_000;
  return localDayOf(summer) === date ? next : summer;
};

/** Monday to Friday and no bank holiday. `date`: YYYY-MM-DD. */
export const isWorkingDay = (date: string): boolean => {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !bankHolidays.has(date);
};

/** The day that lies `count` days after `date` (YYYY-MM-DD). */
export const addDays = (date: string, count: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + count * day).toISOString().slice(0, 10);

/** The day that lies `count` working days after `date` (YYYY-MM-DD), which itself does not count. */
export const addWorkingDays = (date: string, count: number): string => {
  let at = Date.parse(`${date}T00:00:00Z`);
  for (let left = count; left > 0;) {
    at += day;
    if (isWorkingDay(new Date(at).toISOString().slice(0, 10))) left--;
  }
  return new Date(at).toISOString().slice(0, 10);
};
