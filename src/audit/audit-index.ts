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
};

const together = 20;
/** lines of one commit, and letters of them: it is also how long other requests wait for this work, some 20 ms */
const most = { lines: 200, letters: 128 * 1024 };

type Position = { readonly number: number };

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

/** The first of the links, up to some 200 lines and at least one. */
const firstLines = (links: readonly AuditLink[]): readonly AuditLink[] => {
  const sum = { lines: 0, letters: 0 };
  const end = links.findIndex(({ body }) => {
    sum.lines += body.split('\n').length;
    sum.letters += body.length;
    return sum.lines >= most.lines || sum.letters >= most.letters;
  });
  return end < 0 ? links : links.slice(0, end + 1);
};

/**
 * Makes the AuditEvents of the chains readable as resources. It runs when somebody asks for them and when the server is quiet, so that
 * an access itself pays for one line of text and no index. The chains stay what counts: `audit verify` compares the two.
 *
 * @param limit links at most, over all chains
 * @returns links indexed
 */
export const indexAudit = async (parts: AuditIndexParts, limit: number): Promise<number> => {
  const { indexed = new Map<string, number>() } = parts;
  let done = 0;
  const heads = await parts.store.auditChains();
  for (const { chain, number } of heads.filter((head) => (indexed.get(head.chain) ?? 0) < head.number)) {
    for (;;) {
      const entry = await parts.store.findEntry('audit-position', chain);
      const at = entry === undefined ? 0 : (JSON.parse(entry.body) as Position).number;
      indexed.set(chain, at);
      if (at >= number || done >= limit) break;
      const links = firstLines(await parts.store.auditLinks(chain, at, Math.min(together, limit - done)));
      const lines = links.flatMap(({ body }) => body.split('\n'));
      await setImmediate();
      const puts = (await Promise.all(lines.map((line) => putOf(line, parts)))).flatMap((put) => put ?? []);
      const body = JSON.stringify({ number: links.at(-1)?.number ?? at } satisfies Position);
      try {
        await parts.store.commit({ puts, entries: [{ kind: 'audit-position', key: chain, version: entry?.version ?? 0, body }] });
        done += links.length;
      } catch (error) {
        // another process indexed these: go on from where it is
        if (!(error instanceof Stale)) throw error;
      }
    }
  }
  return done;
};
