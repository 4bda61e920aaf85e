export const version = '0.1.0';

/** the day of the statement of what this version offers */
export const released = '2026-11-25';
