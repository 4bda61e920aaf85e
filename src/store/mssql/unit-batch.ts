import { columnOf, narrowTables, plainType } from '../layout.js';
import type { Claim, EntryPut, Key, Put, Reindex, Unit, WorklistPut } from '../port.js';
import { indexRowsOf, indexTables, kinds, type IndexRows } from '../sqlite/write-values.js';
import { jsonText, meant, sentAs } from '../json-text.js';
import { keyText } from '../key-text.js';
import { batchText, type Shape } from './batch.js';
import { fewAtMost, fewSlotsAtMost, pageAtMost, type Size } from './sent-lists.js';
import type { Inputs } from './database.js';
import type { Terms } from './terms.js';

/** A unit as its batch takes it. The lists are in the order that a refusal names its offender by. */
export type UnitBatch = {
  readonly text: string;
  readonly inputs: Inputs;
  readonly puts: readonly Put[];
  readonly expects: readonly Key[];
  readonly claims: readonly Claim[];
  readonly entries: readonly EntryPut[];
  readonly targets: readonly Key[];
};

/** An "is there still no match" test, compiled: its parameters are named apart from those of the batch. */
export type Test = { readonly text: string; readonly parameters: readonly (string | number | null)[] };

export const byKey = (left: Key, right: Key): number =>
  left.type === right.type ? compare(left.id, right.id) : compare(left.type, right.type);
const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const byName = (left: { readonly kind: string; readonly key: string }, right: typeof left): number =>
  compare(`${left.kind} ${left.key}`, `${right.kind} ${right.key}`);

const greatest = Number.MAX_VALUE;
const cellOf = (cell: string | number | null): string | number | null =>
  typeof cell === 'string' ? keyText(cell) : cell === null ? null : Math.max(-greatest, Math.min(greatest, cell));

/** Every row of an index says which put it belongs to (`n`); a target is its place in the list of targets. */
class Targets {
  readonly keys: Key[] = [];
  private readonly places = new Map<string, number>();

  placeOf(key: Key): number {
    const name = `${key.type}/${key.id}`;
    const known = this.places.get(name);
    if (known !== undefined) return known;
    this.places.set(name, this.keys.length);
    this.keys.push(key);
    return this.keys.length - 1;
  }
}

/** All texts of a unit that stand in the database as numbers. */
export const termsOf = (unit: Unit): ReadonlySet<string> => {
  const texts = new Set<string>();
  const recording = {
    intern: (text: string): number => {
      texts.add(text);
      return 0;
    },
  };
  const add = ({ type }: Key): void => void texts.add(type);
  for (const put of unit.puts ?? []) {
    add(put);
    if (put.body === undefined) continue;
    indexRowsOf(recording, put.type, put.values, (target) => {
      add(target);
      return 0;
    });
    for (const { child, root } of put.accessLinks) {
      add(child);
      add(root);
    }
  }
  for (const { type, id, values } of unit.reindexes ?? []) {
    add({ type, id });
    indexRowsOf(recording, type, values, (target) => {
      add(target);
      return 0;
    });
  }
  unit.expects?.forEach(add);
  return texts;
};

type Lists = Record<string, object[]>;
type Indexed = Pick<Put, 'type' | 'values'>;

const pushTo = (lists: Lists, name: string, row: object): void => void (lists[name] ??= []).push(row);

/** Adds the index rows of one resource, the `n`th of its unit, to the lists that they travel in. */
const pushIndex = (terms: Terms, lists: Lists, { type, values }: Indexed, n: number, placeOf: (target: Key) => number): void => {
  const { rows, narrow }: IndexRows = indexRowsOf({ intern: (text) => terms.number(text) }, type, values, placeOf);
  for (const kind of kinds)
    for (const [p, ...cells] of rows[kind].values())
      pushTo(lists, kind, { n, p, ...Object.fromEntries(cells.map((cell, at) => [`c${String(at)}`, cellOf(cell)])) });
  if (narrow)
    pushTo(lists, narrow.table, { n, ...Object.fromEntries(narrow.columns.map((name, at) => [name, cellOf(narrow.cells[at] ?? null)])) });
};

const valuesOf = (terms: Terms, puts: readonly Put[], targets: Targets): Lists => {
  const lists: Lists = {};
  const push = (name: string, row: object): void => {
    pushTo(lists, name, row);
  };
  puts.forEach((put, n) => {
    if (put.body === undefined) return;
    pushIndex(terms, lists, put, n, (target) => targets.placeOf(target));
    for (const key of new Set(put.accessKeys)) push('keys', { n, key });
    for (const { child, root } of put.accessLinks)
      push('links', { n, ct: terms.number(child.type), ci: child.id, rt: terms.number(root.type), ri: root.id });
  });
  return lists;
};

/** Two values that stand in one index row because only the beginning and the hash of a long text are kept. */
const distinct = (rows: readonly object[]): readonly object[] => [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];

/** Texts as one run of bytes, and where each stands in it, as `substring` counts: no text is escaped on its way. */
const slices = (texts: readonly (string | undefined)[]) => {
  const pieces = texts.map((text) => (text === undefined ? undefined : Buffer.from(text, 'utf8')));
  let next = 1;
  const places = pieces.map((piece) => {
    const start = next;
    next += piece?.length ?? 0;
    return { start, length: piece?.length ?? null };
  });
  return { bytes: Buffer.concat(pieces.flatMap((piece) => piece ?? [])), places };
};

const entryInputs = (entries: readonly EntryPut[]): Inputs => {
  const { bytes, places } = slices(entries.map(({ body }) => body));
  const rows = entries.map(({ kind, key, version, expires }, n) => ({ kind, key, version, expires, ...places[n] }));
  return { entries: numbered(rows), entry_bodies: bytes, entered: entries.length };
};

const worklistInputs = (worklists: readonly WorklistPut[]): Inputs => {
  const placed = worklists.flatMap(({ referral, places }) => places.map((place) => ({ referral, ...place })));
  const { bytes, places } = slices(placed.map(({ item }) => item));
  const rows = placed.map(({ item: _item, ...row }, n) => ({ ...row, ...places[n] }));
  return { listed: jsonText(worklists.map(({ referral }) => ({ referral }))), places: numbered(rows), items: bytes };
};

const putInputs = (terms: Terms, puts: readonly Put[], targets: Targets): Inputs => {
  const { bytes, places } = slices(puts.map(({ body }) => body));
  const sent = puts.map(({ type, id, version, lastUpdated }, n) => ({
    n,
    type: terms.number(type),
    id,
    version,
    last: lastUpdated,
    ...places[n],
  }));
  const lists = Object.entries(valuesOf(terms, puts, targets)).map(([name, rows]) => [name, jsonText(distinct(rows))] as const);
  return {
    puts: jsonText(sent),
    bodies: bytes,
    written: puts.length,
    latest: Math.max(0, ...puts.map(({ lastUpdated }) => lastUpdated)),
    ...Object.fromEntries(lists),
  };
};

type OfSome = Reindex & { readonly params: readonly string[] };
const isOfSome = (reindex: Reindex): reindex is OfSome => reindex.params !== undefined;

/** The lists of index rows of resources that stay as they are, and what these refer to. */
const indexedAgain = (terms: Terms, reindexes: readonly Reindex[]): { readonly lists: Lists; readonly targets: readonly Key[] } => {
  const targets = new Targets();
  const lists: Lists = {};
  reindexes.forEach((reindex, n) => {
    pushIndex(terms, lists, reindex, n, (target) => targets.placeOf(target));
  });
  return { lists, targets: targets.keys };
};

/** New values of some parameters; what they refer to is looked up by the batch, and left out when it is not there. */
const reindexInputs = (terms: Terms, reindexes: readonly OfSome[]): Inputs => {
  const { lists, targets } = indexedAgain(terms, reindexes);
  return {
    re_rows: numbered(reindexes.map(({ type, id, version }) => ({ type: terms.number(type), id, version }))),
    re_params: jsonText(reindexes.flatMap(({ type, params }, n) => params.map((param) => ({ n, name: `${plainType(type)}.${param}` })))),
    re_targets: numbered(targets.map(({ type, id }) => ({ type: terms.number(type), id }))),
    ...Object.fromEntries(kinds.map((kind) => [`re_${kind}`, jsonText(distinct(lists[kind] ?? []))])),
  };
};

/** All values anew: they travel as those of writes do. */
const wholeInputs = (terms: Terms, reindexes: readonly Reindex[]): Inputs => {
  const { lists, targets } = indexedAgain(terms, reindexes);
  return {
    whole: numbered(reindexes.map(({ type, id, version }) => ({ type: terms.number(type), id, version }))),
    targets: numbered(targets.map(({ type, id }) => ({ type: terms.number(type), id }))),
    ...Object.fromEntries(Object.entries(lists).map(([name, rows]) => [name, jsonText(distinct(rows))])),
  };
};

const renamed = (tests: readonly Test[]): { readonly texts: readonly string[]; readonly inputs: Inputs } => ({
  // inside an expression of a batch a join hint is not taken everywhere, and one row is soon found without
  texts: tests.map(({ text }, at) =>
    text.replaceAll('inner loop join', 'inner join').replaceAll(/@(\d+)/g, (_whole, number: string) => `@u${String(at)}_${number}`),
  ),
  inputs: Object.fromEntries(
    tests.flatMap(({ parameters }, at) => parameters.map((value, index) => [`u${String(at)}_${String(index + 1)}`, value] as const)),
  ),
});

const numbered = (rows: readonly object[]): string => jsonText(rows.map((row, n) => ({ n, ...row })));

export type AuditInput = { readonly chain: string; readonly number: number; readonly hash: string; readonly body: string };

const sizeOf = (unit: Unit, targets: readonly Key[]): Size => {
  const { puts = [], reindexes = [] } = unit;
  if (reindexes.length > 0) return reindexes.length <= pageAtMost && puts.length === 0 ? 'page' : 'many';
  const links = puts.flatMap(({ accessLinks }) => accessLinks);
  const lists = [puts, unit.expects, unit.claims, unit.releases, unit.entries, unit.worklists, targets, links];
  if (lists.some((list = []) => list.length > fewAtMost)) return 'many';
  return puts.filter(({ type }) => plainType(type) === 'Slot').length > fewSlotsAtMost ? 'few' : 'few slots';
};

/** The batch of a unit whose terms are known. Rows are locked in the order of their keys, so that few units deadlock. */
export const unitBatch = (
  terms: Terms,
  unit: Unit,
  options: { readonly integrity: boolean; readonly unmatched: readonly Test[]; readonly link: AuditInput | undefined },
): UnitBatch => {
  const puts = [...(unit.puts ?? [])].sort(byKey);
  const expects = [...(unit.expects ?? [])].sort(byKey);
  const claims = [...(unit.claims ?? [])].sort(byName);
  const releases = [...(unit.releases ?? [])].sort(byName);
  const entries = [...(unit.entries ?? [])].sort(byName);
  const again = [...(unit.reindexes ?? [])].sort(byKey);
  const reindexes = again.filter(isOfSome);
  const whole = again.filter((reindex) => !isOfSome(reindex));
  if (whole.length > 0 && puts.length > 0) throw new Error('a unit that indexes resources anew writes none');
  const worklists = unit.worklists ?? [];
  const targets = new Targets();
  const written = puts.length > 0 ? putInputs(terms, puts, targets) : whole.length > 0 ? wholeInputs(terms, whole) : {};
  const tests = renamed(options.unmatched);
  const types = new Set([...puts, ...whole].map(({ type }) => type));
  const shape: Shape = {
    unmatched: tests.texts,
    expects: expects.length > 0,
    releases: releases.length > 0,
    claims: claims.length > 0,
    entries: entries.length > 0,
    worklists: worklists.length > 0,
    reindexes: reindexes.length > 0,
    whole: whole.length > 0,
    audit: options.link !== undefined,
    puts: puts.length > 0,
    updates: puts.some(({ version }) => version > 0),
    deletes: puts.some(({ body }) => body === undefined),
    targets: targets.keys.length > 0,
    kinds: kinds.filter((kind) => kind in written),
    narrow: [...types].flatMap((type) => narrowTables[plainType(type)]?.table ?? []).sort(),
    accessKeys: 'keys' in written,
    accessLinks: 'links' in written,
    integrity: options.integrity,
    size: sizeOf(unit, targets.keys),
  };
  const { link } = options;
  const text = batchText(shape);
  return {
    text,
    inputs: {
      ...(text.includes('@sent_as') ? { sent_as: sentAs, meant } : {}),
      ...written,
      ...tests.inputs,
      ...(shape.targets
        ? {
            targets: numbered(targets.keys.map(({ type, id }) => ({ type: terms.number(type), id }))),
            targeted: targets.keys.length,
          }
        : {}),
      // a narrow table whose rows all go is still named in the text
      ...Object.fromEntries(shape.narrow.filter((table) => !(table in written)).map((table) => [table, '[]'])),
      ...(shape.expects
        ? {
            expects: numbered(expects.map(({ type, id, version }) => ({ type: terms.number(type), id, version }))),
            expected: expects.length,
          }
        : {}),
      ...(shape.releases ? { releases: numbered(releases) } : {}),
      ...(shape.claims ? { claims: numbered(claims), claimed: claims.length } : {}),
      ...(shape.entries ? entryInputs(entries) : {}),
      ...(shape.worklists ? worklistInputs(worklists) : {}),
      ...(shape.reindexes ? reindexInputs(terms, reindexes) : {}),
      ...(link ? { chain: link.chain, link: link.number, hash: link.hash, audit: Buffer.from(link.body, 'utf8') } : {}),
    },
    puts,
    expects,
    claims,
    entries,
    targets: targets.keys,
  };
};

/** What resources and their access links refer to. */
export const targetsOf = (puts: readonly Put[]): readonly Key[] => {
  const all = puts.flatMap(({ values, accessLinks }) => [
    ...values.flatMap((value) => (value.kind === 'reference' ? [value.target] : [])),
    ...accessLinks.flatMap(({ child, root }) => [child, root]),
  ]);
  return [...new Map(all.map((key) => [`${key.type}/${key.id}`, key])).values()];
};

/** The columns through which a row of any type may be referred to. */
export const referenceHomes = (): readonly { readonly table: string; readonly column: string }[] => [
  { table: indexTables.reference[0], column: 'target' },
  ...Object.entries(narrowTables).flatMap(([type, { table, columns }]) =>
    columns.flatMap(({ param, column }) => (columnOf(type, param)?.kind === 'reference' ? [{ table, column }] : [])),
  ),
];
