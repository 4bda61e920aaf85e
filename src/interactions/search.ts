import { narrowPlan } from '../access/narrow-plan.js';
import { sightOf } from '../access/policy.js';
import { failure } from '../fhir/outcome.js';
import { KeptText } from '../fhir/kept-text.js';
import type { ParsedQuery } from '../fhir/search/parse.js';
import { readSubset } from '../fhir/subset.js';
import { TooCostly, type Page, type Predicate, type SearchPlan, type Sight } from '../store/port.js';
import type { Call, House, Success } from './house.js';
import { behindWarning } from './behind-index.js';
import { shownMatches, withReadableContainers } from './contained.js';
import { findExactly } from './exact-find.js';
import { includedOf } from './includes.js';
import { forOneRead, inOneState } from './one-state.js';
import { shownAgain, shownOnce, type PageContent } from './page-content.js';
import { urlOf, withParameter, type Query } from './query.js';
import { readAhead } from './read-ahead.js';
import { bundleAround, bundleText, type Link } from './splice.js';

/** `total` is counted when it is cheap: up to this many matches, unless `_total=accurate` asks. */
const countedTo = 1000;

export const tooCostly = () =>
  failure('too-costly', 'too-costly', 'The search looks at more than there is time for: add a parameter that matches fewer resources.');

/** Runs a read of the store; what took it too long is the query's fault. */
export const affordable = async <T>(read: Promise<T>): Promise<T> => {
  try {
    return await read;
  } catch (error) {
    throw error instanceof TooCostly ? tooCostly() : error;
  }
};

/** A search as its caller may run it. */
export type Narrowed = ParsedQuery & { readonly sight: Sight };
/** With what its answer says of the index. */
type Told = Narrowed & { readonly warning: string | undefined };

/** Reads and narrows a query; `also` are conditions that the path sets, as a compartment does. */
export const narrowedQuery = async (
  house: House,
  call: Call,
  type: string,
  query: Query,
  also: readonly Predicate[] = [],
): Promise<Narrowed> => {
  const parsed = house.parseQuery(type, query, { lenient: call.lenient, ...(await readAhead(house, call, query)) });
  const within = withReadableContainers(house, call, { ...parsed.plan, where: [...also, ...parsed.plan.where] });
  const plan = narrowPlan(call.caller, within);
  return { ...parsed, plan, sight: sightOf(call.caller, type) };
};

/** R4 search.html on one type, as text. `path` is what stands before `?` in links, below the base. */
export const search = async (
  house: House,
  call: Call,
  type: string,
  query: Query,
  { path = type, also = [] }: { readonly path?: string; readonly also?: readonly Predicate[] } = {},
): Promise<Success> => {
  const narrowed = await narrowedQuery(house, call, type, query, also);
  const found = await findExactly(house, call, narrowed);
  const asked = found ? { ...narrowed, sight: found.sight } : narrowed;
  const success = await searched(house, call, path, asked);
  // a count shows nobody, and yet he was found
  return found ? { ...success, seen: [found.patient, ...(success.seen ?? [])] } : success;
};

const searched = async (house: House, call: Call, path: string, narrowed: Narrowed): Promise<Success> => {
  const asked = { ...narrowed, warning: behindWarning(house, [narrowed.plan]) };
  const oneRead = forOneRead(house, asked.plan.type);
  if (asked.plan.count === 0 || asked.summary === 'count')
    return answer(house, asked, path, { total: await countOf(oneRead, asked), entries: [], seen: [] });
  const { page, ...content } = hasSteps(asked)
    ? await inOneState(house, (at) => contentOf(at, call, asked, path))
    : await contentOf(oneRead, call, asked, path);
  if (asked.page !== undefined) return answer(house, asked, path, { ...content, pages: { at: asked.page, more: page.next !== undefined } });
  const next = page.next === undefined ? undefined : house.signCursor(page.next, fingerprint(path, asked));
  return answer(house, asked, path, { ...content, next });
};

/** Whether more is read than the page: all of it belongs to one state of the store. */
const hasSteps = ({ includes, revincludes, plan, total }: ParsedQuery): boolean =>
  includes.length + revincludes.length > 0 || plan.contained !== undefined || total === 'accurate';

const contentOf = async (house: House, call: Call, asked: Told, path: string) => {
  const subset = readSubset(asked.summary, asked.elements);
  const found = await pageOf(house, asked, path);
  const page = asked.plan.contained === undefined ? found : { ...found, rows: await shownMatches(house, call, asked, found.rows) };
  const included = asked.includes.length + asked.revincludes.length === 0 ? [] : await includedOf(house, call, page.rows, asked);
  const total = await totalOf(house, asked, page);
  const isPlain = included.length === 0 && subset === undefined && asked.warning === undefined;
  return { page, total, ...((isPlain && shownAgain(house, page.rows)) || shownOnce(house, page.rows, included, subset)) };
};

/** What a cursor belongs to: a search of another kind cannot be continued with it. */
export const fingerprint = (path: string, { applied }: Pick<ParsedQuery, 'applied'>): string => {
  const deciding = applied.filter(([name]) => !['_count', '_total', '_format', '_pretty', '_summary', '_elements'].includes(name));
  return JSON.stringify(['search', path, deciding]);
};

export const positionOf = (house: House, asked: ParsedQuery, path: string): string | undefined =>
  asked.cursor === undefined ? undefined : house.openCursor(asked.cursor, fingerprint(path, asked));

const pageOf = async (house: House, asked: Narrowed, path: string): Promise<Page> => {
  let after = positionOf(house, asked, path);
  let page: Page = { rows: [], next: after };
  // e-RS numbers its pages: those before are passed over
  for (let number = asked.page ?? 1; number > 0; number--) {
    page = await affordable(house.store.search({ ...asked.plan, ...(after === undefined ? {} : { after }) }, asked.sight));
    after = page.next;
    if (after === undefined && number > 1)
      throw failure('invalid', 'value', 'There is no such page.', {
        expression: ['page'],
        coding: { system: 'https://fhir.nhs.uk/CodeSystem/ers-error-codes', code: 'INVALID_VALUE' },
      });
  }
  return page;
};

const countOf = (house: House, { plan, sight }: { readonly plan: SearchPlan; readonly sight: Sight }): Promise<number> =>
  affordable(house.store.count(plan, sight, Number.MAX_SAFE_INTEGER));

const totalOf = async (house: House, asked: Narrowed, page: Page): Promise<number | undefined> => {
  if (asked.total === 'none') return undefined;
  // all matches are on the page
  if (asked.cursor === undefined && asked.page === undefined && page.next === undefined) return page.rows.length;
  if (asked.total === 'accurate') return countOf(house, asked);
  // several contained matches may be shown as one container
  if (asked.plan.contained !== undefined) return undefined;
  try {
    const n = await house.store.count(asked.plan, asked.sight, countedTo + 1);
    return n > countedTo ? undefined : n;
  } catch (error) {
    if (error instanceof TooCostly) return undefined;
    throw error;
  }
};

type Answer = PageContent & {
  readonly total: number | undefined;
  readonly next?: string | undefined;
  /** e-RS's numbered pages */
  readonly pages?: { readonly at: number; readonly more: boolean };
};

/** The Bundle; its self link has only what was honoured (R4 search.html#conformance). */
export const answer = (
  house: House,
  { applied, cursor, warning }: Pick<ParsedQuery, 'applied' | 'cursor'> & { readonly warning?: string | undefined },
  path: string,
  { total, entries, seen, next, pages }: Answer,
): Success => {
  const asked = urlOf(path === '' ? house.baseUrl : `${house.baseUrl}/${path}`, applied);
  const at = (position: string) => withParameter(asked, '_cursor', position);
  const links: Link[] = [{ relation: 'self', url: cursor === undefined ? asked : at(cursor) }];
  if (next !== undefined) links.push({ relation: 'next', url: at(next) });
  const numbered = (page: number) =>
    urlOf(
      `${house.baseUrl}/${path}`,
      applied.map(([name, value]) => [name, name === 'page' ? String(page) : value] as const),
    );
  if (pages && pages.at > 1) links.push({ relation: 'previous', url: numbered(pages.at - 1) });
  if (pages?.more) links.push({ relation: 'next', url: numbered(pages.at + 1) });
  const head = { id: house.newId(), type: 'searchset', total, lastUpdated: house.clock() };
  const shown =
    entries instanceof KeptText ? bundleAround(head, links, entries) : { body: bundleText(house.baseUrl, head, links, entries, warning) };
  return { status: 200, ...shown, headers: {}, seen };
};
