import type { Shown } from '../audit/whose.js';
import { KeptText } from '../fhir/kept-text.js';
import { isSame, LastMade } from '../fhir/last-made.js';
import type { Subset } from '../fhir/subset.js';
import type { Stored } from '../store/port.js';
import type { House } from './house.js';
import { entryTexts, type SpliceEntry } from './splice.js';
import { subsetText } from './subset-text.js';

/** The entries of a page, and the records in them, for the audit. */
export type PageContent = { readonly entries: readonly SpliceEntry[] | KeptText; readonly seen: readonly Shown[] };

const asMatch = { search: { mode: 'match' } };
const asIncluded = { search: { mode: 'include' } };

const entriesOf = (
  house: House,
  matches: readonly Stored[],
  included: readonly Stored[],
  subset: Subset | undefined,
): readonly SpliceEntry[] => [
  ...matches.map((row): SpliceEntry => ({ stored: subsetText(house, row, subset), more: asMatch })),
  // R4 search.html#elements: _elements names elements of what is searched for
  ...included.map((row): SpliceEntry => ({
    stored: subsetText(house, row, subset?.kind === 'summary' ? subset : undefined),
    more: asIncluded,
  })),
];

/** The rows of a page: a contained resource is seen in its container, which says whose it is. */
const seenOf = (matches: readonly Stored[], included: readonly Stored[]): readonly Shown[] =>
  [...matches, ...included].map((row) => {
    const mark = row.id.indexOf('#');
    return mark < 0 ? row : { type: row.type, id: row.id.slice(0, mark) };
  });

/** A page of matches and what it includes, as the answer shows it. */
export const shownOnce = (house: House, rows: readonly Stored[], included: readonly Stored[], subset: Subset | undefined): PageContent => ({
  entries: entriesOf(house, rows, included, subset),
  seen: seenOf(rows, included),
});

type Again = { readonly rows: readonly Stored[]; readonly baseUrl: string; readonly entries: KeptText; readonly seen: readonly Shown[] };

/** Pages of records that a store keeps, by the first of them. */
const pagesAgain = new LastMade<Stored, Again>(1000);

/** A page of records that the store shows again, whose text is made once, and what the audit says of it; undefined for others. */
export const shownAgain = ({ baseUrl }: House, rows: readonly Stored[]): PageContent | undefined => {
  const [first] = rows;
  if (first?.kept !== true) return undefined;
  return pagesAgain.get(
    first,
    (made) => made.baseUrl === baseUrl && isSame(made.rows, rows),
    () => {
      const entries = rows.map((stored) => ({ stored, more: asMatch }));
      const text = new KeptText(entryTexts(baseUrl, entries).join(','));
      return { rows, baseUrl, entries: text, seen: rows.map((row) => ({ ...row, again: true })) };
    },
  );
};
