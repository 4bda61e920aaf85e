import { setImmediate } from 'node:timers/promises';
import type { Resource } from '../fhir/resource.js';
import { referenceTo } from '../fhir/resource.js';
import {
  Stale,
  type AuditLink,
  type Predicate,
  type Reader,
  type Put,
  type SearchPlan,
  type Sight,
  type Store,
  type Value,
} from '../store/port.js';
import { withReads } from '../store/reads.js';
import { eventOf } from './audit-line.js';

/** What the index needs of the house. */
export type AuditIndexParts = {
  readonly store: Store;
  /** the index values of an AuditEvent, from R4's own search parameters */
  readonly values: (resource: Resource) => Promise<readonly Value[]>;
  /** up to where chains are indexed for certain; kept from one time to the next, as every run of a server leaves chains that end */
  readonly indexed?: Map<string, number>;
  /** whether the process is to end: what is left is done by others, or by the next one */
  readonly isEnding?: () => boolean;
  /** waits between two commits, of which the last took so long (ms). Where it is given commits are small: a write that comes meanwhile waits for one */
  readonly rest?: (took: number) => Promise<void>;
};

/** links that are read at a time */
const together = 20;
/** lines of one commit, and letters of them. In a national store a line takes the writer 0.7 ms */
type Most = { readonly lines: number; readonly letters: number };
const most: Readonly<Record<'small' | 'large', Most>> = {
  small: { lines: 20, letters: 16 * 1024 },
  large: { lines: 50, letters: 32 * 1024 },
};

/** `number`: the link up to which all is indexed; `lines`: so many of the next one are too (absent: none) */
type Position = { readonly number: number; readonly lines?: number };

const putOf = async (line: string, parts: AuditIndexParts): Promise<Put | undefined> => {
  const body = eventOf(line);
  if (body === undefined) return undefined;
  const resource = JSON.parse(body) as Resource & { readonly meta?: { readonly lastUpdated?: string } };
  return {
    type: 'AuditEvent',
    id: resource.id ?? '',
    version: 0,
    lastUpdated: Date.parse(resource.meta?.lastUpdated ?? ''),
    body,
    values: (await parts.values(resource)).map(asAuditText),
    accessKeys: [],
    accessLinks: [],
  };
};

/**
 * References of AuditEvents are kept as text: they name what is deleted or never was, they must not keep anything from being deleted,
 * and no `_revinclude` or `_has` from the record to its audit may find them.
 */
export const asAuditText = (value: Value): Value =>
  value.kind === 'reference' ? { kind: 'text', param: value.param, value: referenceTo(value.target) } : value;

/** A store whose searches of AuditEvents read that form. */
export const withAuditPlans = (store: Store): Store => withReads(store, auditReads);

const auditReads = (store: Reader) =>
  ({
    search: async (plan: SearchPlan, sight: Sight) => store.search(plan.type === 'AuditEvent' ? await auditPlan(store, plan) : plan, sight),
    count: async (plan: SearchPlan, sight: Sight, limit: number) =>
      store.count(plan.type === 'AuditEvent' ? await auditPlan(store, plan) : plan, sight, limit),
  }) satisfies Partial<Reader>;

/** A search of AuditEvents over that form. A chain becomes the ids of what it finds, at most 1,000. */
const auditPlan = async (store: Reader, plan: SearchPlan): Promise<SearchPlan> => {
  const rewritten = async (predicate: Predicate): Promise<Predicate> => {
    if (predicate.kind === 'reference')
      return { kind: 'text', param: predicate.param, mode: 'exact', any: predicate.any.map((key) => referenceTo(key)) };
    if (predicate.kind === 'either')
      return { ...predicate, of: await Promise.all(predicate.of.map((list) => Promise.all(list.map(rewritten)))) };
    if (predicate.kind === 'not') return { ...predicate, where: await Promise.all(predicate.where.map(rewritten)) };
    if (predicate.kind !== 'chain') return predicate;
    const inner = { type: predicate.type, where: predicate.where, sort: [], count: 1000 };
    const { rows } = await store.search(inner, predicate.sight ?? 'all');
    return rows.length === 0 ? { kind: 'never' } : { kind: 'text', param: predicate.param, mode: 'exact', any: rows.map(referenceTo) };
  };
  return { ...plan, where: await Promise.all(plan.where.map(rewritten)) };
};

type Part = { readonly lines: readonly string[]; readonly to: Position };

/** The lines after a position, of these links: up to the most of one commit, and at least one. */
const partAfter = ({ number, lines: passed = 0 }: Position, links: readonly AuditLink[], most: Most): Part => {
  const lines: string[] = [];
  let [to, letters]: [Position, number] = [{ number }, 0];
  for (const link of links) {
    const all = link.body.split('\n');
    for (let index = to.number === number ? passed : 0; index < all.length; index++) {
      const line = all[index] ?? '';
      if (lines.length > 0 && (lines.length === most.lines || letters + line.length > most.letters)) return { lines, to };
      lines.push(line);
      letters += line.length;
      to = index + 1 === all.length ? { number: link.number } : { ...to, lines: index + 1 };
    }
  }
  return { lines, to };
};

/** From a random one on: processes that do this at the same time seldom do the same. */
const rotated = <T>(list: readonly T[]): readonly T[] => {
  const first = Math.floor(Math.random() * list.length);
  return [...list.slice(first), ...list.slice(0, first)];
};

/**
 * Makes the AuditEvents of the chains readable as resources. It runs when somebody asks for them and when the server is quiet, so that
 * an access itself pays for one line of text and no index. The chains stay what counts: `audit verify` compares the two.
 *
 * @param limit lines at which it ends, over all chains
 */
export const indexAudit = async (parts: AuditIndexParts, limit: number): Promise<void> => {
  const { indexed = new Map<string, number>(), isEnding = () => false, rest } = parts;
  const size = rest === undefined ? most.large : most.small;
  let done = 0;
  const heads = rotated(await parts.store.auditChains());
  for (const { chain, number } of heads.filter((head) => (indexed.get(head.chain) ?? 0) < head.number)) {
    let links: readonly AuditLink[] = [];
    for (;;) {
      const entry = await parts.store.findEntry('audit-position', chain);
      const at: Position = entry === undefined ? { number: 0 } : (JSON.parse(entry.body) as Position);
      indexed.set(chain, at.number);
      if (at.number >= number || done >= limit || isEnding()) break;
      links = links.filter((link) => link.number > at.number);
      if (links.length === 0) links = await parts.store.auditLinks(chain, at.number, together);
      const { lines, to } = partAfter(at, links, size);
      await setImmediate();
      const started = performance.now();
      const puts = (await Promise.all(lines.map((line) => putOf(line, parts)))).flatMap((put) => put ?? []);
      const body = JSON.stringify(to);
      try {
        await parts.store.commit({ puts, entries: [{ kind: 'audit-position', key: chain, version: entry?.version ?? 0, body }] });
        done += lines.length;
      } catch (error) {
        // another process indexed these: go on from where it is
        if (!(error instanceof Stale)) throw error;
      }
      await rest?.(performance.now() - started);
    }
  }
};
