import { bankHolidays } from './bank-holidays.js';

const day = 86_400_000;

/** The calendar day of an instant in England, YYYY-MM-DD: a referral of 23:30 summer time belongs to that day, not to UTC's. */
export const localDayOf = (instant: string | number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' }).format(new Date(instant));

/** Monday to Friday and no bank holiday. `date`: YYYY-MM-DD. */
export const isWorkingDay = (date: string): boolean => {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !bankHolidays.has(date);
};

/** The day that lies `count` working days after `date` (YYYY-MM-DD), which itself does not count. */
export const addWorkingDays = (date: string, count: number): string => {
  let at = Date.parse(`${date}T00:00:00Z`);
  for (let left = count; left > 0;) {
    at += day;
    if (isWorkingDay(new Date(at).toISOString().slice(0, 10))) left--;
  }
  return new Date(at).toISOString().slice(0, 10);
};
