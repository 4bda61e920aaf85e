import type { Entry } from '../../store/port.js';

/** Degrees, WGS 84. */
export type Position = { readonly lat: number; readonly lon: number };

/** Where postcodes are looked up: the store keeps them as entries of the server's own. */
export type PostcodeEntries = { readonly findEntry: (kind: 'postcode', key: string) => Promise<Entry | undefined> };

// Royal Mail's forms: one or two letters, a district, and in a full postcode a digit and two letters
const form = /^([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})?$/;

/** `ls1 3ex` as its two halves, LS1 and 3EX; without the second for an outward code alone; undefined for what is no postcode. */
export const readPostcode = (text: string): { readonly outward: string; readonly inward: string | undefined } | undefined => {
  const match = form.exec(text.toUpperCase().replace(/\s/g, ''));
  return match?.[1] === undefined ? undefined : { outward: match[1], inward: match[2] };
};

/** The body of a postcode's entry. */
export const positionText = ({ lat, lon }: Position): string => JSON.stringify([lat, lon]);

const positionOf = (entry: Entry | undefined): Position | undefined => {
  if (!entry) return undefined;
  const [lat = 0, lon = 0] = JSON.parse(entry.body) as readonly number[];
  return { lat, lon };
};

/**
 * Where a postcode is. A full postcode that is not in the directory is placed in the middle of its outward area; undefined when that
 * is unknown too, or the text is no postcode.
 */
export const findPostcode = async (entries: PostcodeEntries, text: string): Promise<Position | undefined> => {
  const read = readPostcode(text);
  if (!read) return undefined;
  const full = read.inward === undefined ? undefined : await entries.findEntry('postcode', read.outward + read.inward);
  return positionOf(full ?? (await entries.findEntry('postcode', read.outward)));
};
