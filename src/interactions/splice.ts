import type { Around, KeptText } from '../fhir/kept-text.js';
import type { Stored } from '../store/port.js';
import type { Success } from './house.js';

export type Link = { readonly relation: 'self' | 'next' | 'previous' | 'first'; readonly url: string };
export type SpliceEntry = { readonly stored: Stored; readonly more: object };

/**
 * A JSON object, whose text ends before its last brace, with its entries (at least one). Made in one piece: a text that is added to another
 * is copied once more when it is sent.
 */
export const withEntries = (opening: string, entries: readonly string[]): string => {
  const last = entries.length - 1;
  return entries.map((entry, index) => `${index === 0 ? `${opening},"entry":[` : ''}${entry}${index === last ? ']}' : ''}`).join(',');
};

/** A body whose greater part is kept; as a text for who does not send it as it is. */
export const textAround = (around: Around): Pick<Success, 'body' | 'around'> => ({
  body: `${around.head}${around.kept.text}${around.end}`,
  around,
});

type Head = { readonly id?: string; readonly type: string; readonly total?: number | undefined; readonly lastUpdated: number };

/** A Bundle until before its entries. */
const openingOf = (head: Head, links: readonly Link[]): string => {
  const made = new Date(head.lastUpdated).toISOString();
  return JSON.stringify({
    resourceType: 'Bundle',
    ...(head.id === undefined ? {} : { id: head.id }),
    meta: { lastUpdated: made },
    type: head.type,
    timestamp: made,
    ...(head.total === undefined ? {} : { total: head.total }),
    link: links,
  }).slice(0, -1);
};

/** The entries of a Bundle as texts. */
export const entryTexts = (baseUrl: string, entries: readonly SpliceEntry[]): readonly string[] => {
  // most entries share what stands beside their resource
  const endings = new Map<object, string>();
  const endingOf = (more: object): string => {
    const known = endings.get(more) ?? JSON.stringify(more).slice(1);
    endings.set(more, known);
    return known;
  };
  // what stands in a type or an id needs no escape
  const base = JSON.stringify(`${baseUrl}/`).slice(0, -1);
  return entries.map(({ stored, more }) => {
    const resource = stored.body === undefined ? '' : `"resource":${stored.body},`;
    return `{"fullUrl":${base}${stored.type}/${stored.id}",${resource}${endingOf(more)}`;
  });
};

/** A Bundle around entries (at least one) that other answers show as well. */
export const bundleAround = (head: Head, links: readonly Link[], entries: KeptText): Pick<Success, 'body' | 'around'> =>
  textAround({ head: `${openingOf(head, links)},"entry":[`, kept: entries, end: ']}' });

/**
 * A Bundle as text: stored resources are spliced in as they are, never parsed (27 us for 20 entries, against 369).
 * `more` is what stands beside the resource in its entry.
 */
export const bundleText = (
  baseUrl: string,
  head: Head,
  links: readonly Link[],
  entries: readonly SpliceEntry[],
  /** an OperationOutcome beside the entries, as text */
  outcome?: string,
): string => {
  const opening = openingOf(head, links);
  const said = outcome === undefined ? [] : [`{"resource":${outcome},"search":{"mode":"outcome"}}`];
  if (entries.length + said.length === 0) return `${opening}}`;
  return withEntries(opening, [...entryTexts(baseUrl, entries), ...said]);
};
