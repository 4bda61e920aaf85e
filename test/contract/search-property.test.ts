import fc from 'fast-check';
import type { Predicate, Prefix, SearchPlan, Sight, Sort, Store, Value } from '../../src/store/port.js';
import { put } from '../builders/units.js';
import { onEveryEngine } from './engines.js';
import { holds, isSeen, type Row } from './naive-search.js';

// Small domains, so that conditions often hold, overlap and repeat.
const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** rows of contained resources, which plain ones and they themselves refer to */
const inside = ['k', 'l', 'm'];
const codes = ['x', 'y', 'z'];
const systems = ['', 's', 't'];
const texts = ['ann', 'anna', 'hannah', 'bob', 'smith\u001fSmith'];
const words = ['heart', 'lung'];
const places = [
  { latitude: 53.8, longitude: -1.55 },
  { latitude: 53.9, longitude: -1.5 },
  { latitude: 51.5, longitude: 0 },
  { latitude: -80, longitude: 179.9 },
];
const keys = ['organisation:A', 'organisation:B'];

const one = <T>(values: readonly T[]) => fc.constantFrom(...values);
const moment = fc.integer({ min: 0, max: 8 }).map((n) => n * 1000);

const tokenValue = (param: string): fc.Arbitrary<Value> =>
  fc.record({ kind: fc.constant('token' as const), param: fc.constant(param), system: one(systems), code: one(codes) });
const rangeValue = (param: string): fc.Arbitrary<Value> =>
  fc.tuple(moment, fc.integer({ min: 1, max: 3 })).map(([low, width]) => ({ kind: 'range', param, low, high: low + width * 1000 }));
const targets = (type: string, param: string, among = ids): fc.Arbitrary<Value> =>
  one(among).map((id) => ({ kind: 'reference', param, target: { type, id } }));

const generalValues = fc
  .tuple(
    fc.array(tokenValue('code'), { maxLength: 2 }),
    fc.array(rangeValue('date'), { maxLength: 2 }),
    fc.array(
      one(texts).map((value): Value => ({ kind: 'text', param: 'name', value })),
      { maxLength: 2 },
    ),
    fc.array(fc.oneof(targets('Observation', 'derived-from'), targets('#Observation', 'derived-from', inside)), { maxLength: 2 }),
    fc.option(one(places).map((place): Value => ({ kind: 'position', param: 'near', ...place }))),
    fc.array(fc.record({ kind: fc.constant('word' as const), param: one(['_text', '_content'] as const), word: one(words) }), {
      maxLength: 1,
    }),
  )
  .map(([a, b, c, d, e, f]): readonly Value[] => [...a, ...b, ...c, ...d, ...(e ? [e] : []), ...f]);

/** The hot parameters of ServiceRequest have columns: one value each. */
const requestValues = fc
  .tuple(targets('Observation', 'subject'), one(codes), fc.option(rangeValue('authored')), fc.array(tokenValue('code'), { maxLength: 2 }))
  .map(([subject, code, authored, more]): readonly Value[] => [
    subject,
    { kind: 'token', param: 'status', system: '', code },
    ...(authored ? [authored] : []),
    ...more,
  ]);

const rowOf = (type: string, id: string, values: fc.Arbitrary<readonly Value[]>): fc.Arbitrary<Row> =>
  fc.record({ values, accessKeys: fc.subarray(keys), lastUpdated: moment }).map((more) => put(type, id, 0, more));
const rowsOf = fc
  .tuple(
    ...ids.map((id) => rowOf('Observation', id, generalValues)),
    ...inside.map((id) => rowOf('#Observation', id, generalValues)),
    ...ids.slice(0, 6).map((id) => rowOf('ServiceRequest', id, requestValues)),
  )
  .map((rows): readonly Row[] => rows);

const prefix = one<Prefix>(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'po', 'co']);
const asked = fc
  .record({ prefix, low: moment, width: fc.integer({ min: 1, max: 3 }) })
  .map(({ prefix: p, low, width }) => ({ prefix: p, low, high: low + width * 1000 }));
const some = <T>(values: fc.Arbitrary<T>) => fc.array(values, { minLength: 1, maxLength: 3 });
const sight: fc.Arbitrary<Sight> = fc.oneof(
  fc.constant<Sight>('all'),
  fc.subarray(keys).map((own): Sight => ({ keys: own })),
);
const tokens = some(
  fc.oneof(
    one(codes).map((code) => ({ code })),
    one(systems).map((system) => ({ system })),
    fc.record({ system: one(systems), code: one(codes) }),
  ),
);

const predicates = (type: 'Observation' | 'ServiceRequest', depth: number): fc.Arbitrary<Predicate> => {
  const common: readonly fc.Arbitrary<Predicate>[] = [
    some(one(ids)).map((list) => ({ kind: 'id', ids: list })),
    fc.tuple(tokens, fc.boolean()).map(([any, not]) => ({ kind: 'token', param: 'code', any, ...(not ? { not } : {}) })),
    // many values go another way
    fc.record({ system: one(systems), code: one(codes) }).map((value) => ({ kind: 'token', param: 'code', any: Array(10).fill(value) })),
    some(asked).map((any) => ({ kind: 'updated', any })),
    fc.boolean().map((missing) => ({ kind: 'missing', param: 'code', missing })),
  ];
  const general: readonly fc.Arbitrary<Predicate>[] = [
    some(asked).map((any) => ({ kind: 'range', param: 'date', any })),
    fc
      .tuple(one(['starts', 'exact', 'contains', 'ends', 'from', 'below'] as const), some(one([...texts, 'an', 'smith'])))
      .map(([mode, any]) => ({ kind: 'text', param: 'name', mode, any })),
    some(one(ids)).map((list) => ({ kind: 'reference', param: 'derived-from', any: list.map((id) => ({ type: 'Observation', id })) })),
    fc
      .tuple(some(one(places)), one([1, 20, 400, 20_000]))
      .map(([list, km]) => ({ kind: 'near', param: 'near', any: list.map((p) => ({ ...p, km })) })),
    fc.tuple(one(['_text', '_content'] as const), one(words)).map(([param, word]) => ({ kind: 'word', param, word })),
    fc.tuple(one(['date', 'name', 'near', 'derived-from']), fc.boolean()).map(([param, missing]) => ({ kind: 'missing', param, missing })),
  ];
  const narrow: readonly fc.Arbitrary<Predicate>[] = [
    some(one(codes)).map((list) => ({ kind: 'token', param: 'status', any: list.map((code) => ({ code })) })),
    one(codes).map((code) => ({ kind: 'token', param: 'status', not: true, any: [{ code }] })),
    some(one(ids)).map((list) => ({ kind: 'reference', param: 'subject', any: list.map((id) => ({ type: 'Observation', id })) })),
    some(asked).map((any) => ({ kind: 'range', param: 'authored', any })),
    fc.boolean().map((missing) => ({ kind: 'missing', param: 'authored', missing })),
  ];
  const flat = fc.oneof(...common, ...(type === 'Observation' ? general : narrow));
  if (depth === 0) return flat;
  const inner = (of: 'Observation' | 'ServiceRequest') => fc.array(predicates(of, depth - 1), { maxLength: 2 });
  const onward = type === 'Observation' ? 'derived-from' : 'subject';
  const steps: readonly fc.Arbitrary<Predicate>[] = [
    fc
      .array(fc.array(predicates(type, depth - 1), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
      .map((of) => ({ kind: 'either', of })),
    fc.array(predicates(type, depth - 1), { minLength: 1, maxLength: 2 }).map((where) => ({ kind: 'not', where })),
    fc
      .tuple(inner('Observation'), sight)
      .map(([where, seen]) => ({ kind: 'chain', param: onward, type: 'Observation', where, sight: seen })),
    ...(type === 'Observation'
      ? [
          fc
            .tuple(inner('ServiceRequest'), sight)
            .map(([where, seen]): Predicate => ({ kind: 'has', param: 'subject', type: 'ServiceRequest', where, sight: seen })),
          fc
            .tuple(inner('Observation'), sight)
            .map(([where, seen]): Predicate => ({ kind: 'has', param: 'derived-from', type: 'Observation', where, sight: seen })),
        ]
      : []),
  ];
  return fc.oneof({ weight: 2, arbitrary: flat }, ...steps);
};

const sorts = (type: string): fc.Arbitrary<readonly Sort[]> => {
  const order = (param: string, kind: Sort['kind']): fc.Arbitrary<Sort> => fc.boolean().map((descending) => ({ param, kind, descending }));
  const offered =
    type === 'Observation'
      ? [
          order('derived-from', 'reference'),
          order('date', 'range'),
          order('name', 'text'),
          order('code', 'token'),
          order('_lastUpdated', 'updated'),
          order('_id', 'id'),
        ]
      : [order('subject', 'reference'), order('authored', 'range'), order('status', 'token'), order('_lastUpdated', 'updated')];
  return fc.uniqueArray(fc.oneof(...offered), { maxLength: 3, selector: ({ param }) => param });
};

const plans = one(['Observation', 'ServiceRequest'] as const).chain((type) =>
  fc
    .record({
      where: fc.array(predicates(type, 3), { maxLength: 3 }),
      sort: sorts(type),
      count: fc.integer({ min: 1, max: 5 }),
      contained: one([undefined, undefined, 'true', 'both'] as const),
    })
    .map(({ contained, ...rest }): SearchPlan => ({ type, ...rest, ...(contained && type === 'Observation' ? { contained } : {}) })),
);

const sortKey = ({ kind, param, descending }: Sort, row: Row): string | number | undefined => {
  if (kind === 'id') return row.id;
  if (kind === 'updated') return row.lastUpdated;
  const found = row.values.flatMap((value): readonly (string | number)[] => {
    if (value.param !== param) return [];
    if (value.kind === 'reference' && kind === 'reference') return [value.target.id];
    if (value.kind === 'token' && kind === 'token') return [value.code];
    if (value.kind === 'text' && kind === 'text') return [value.value];
    return value.kind === 'range' && kind === 'range' ? [descending ? value.high : value.low] : [];
  });
  return found.sort((a, b) => (a < b ? -1 : 1)).at(descending ? -1 : 0);
};

const isOrdered = (sort: readonly Sort[], a: Row, b: Row): boolean => {
  for (const key of sort) {
    const [left, right] = [sortKey(key, a), sortKey(key, b)];
    if (left === right) continue;
    if (left === undefined) return false;
    if (right === undefined) return true;
    return left < right !== key.descending;
  }
  return true;
};

const walked = async (store: Store, plan: SearchPlan, seen: Sight): Promise<readonly string[]> => {
  const found: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await store.search({ ...plan, ...(after === undefined ? {} : { after }) }, seen);
    found.push(...page.rows.map(({ id }) => id));
    if (page.next === undefined) return found;
    after = page.next;
  }
};

const typesOf = ({ type, contained }: Pick<SearchPlan, 'type' | 'contained'>): readonly string[] =>
  contained === undefined ? [type] : contained === 'both' ? [type, `#${type}`] : [`#${type}`];

/** What other clients write between two pages: rows that are there or not, new values for them, or their end. */
const writes = fc.array(
  one([...ids.slice(4), 'n', 'o', 'p']).chain((id) => fc.record({ row: rowOf('Observation', id, generalValues), gone: fc.boolean() })),
  { minLength: 1, maxLength: 3 },
);

/** A row that refers to nothing: what it matches is its own matter. */
const alone = (row: Row): Row => ({ ...row, values: row.values.filter(({ kind }) => kind !== 'reference') });
const looksElsewhere = (predicate: Predicate): boolean => {
  if (predicate.kind === 'either') return predicate.of.flat().some(looksElsewhere);
  if (predicate.kind === 'not') return predicate.where.some(looksElsewhere);
  return predicate.kind === 'chain' || predicate.kind === 'has';
};

/** Writes a row over whatever is there. */
const write = async (store: Store, { row, gone }: { readonly row: Row; readonly gone: boolean }): Promise<void> => {
  const before = await store.find(row, 'all');
  if (gone && before?.body === undefined) return;
  await store.commit({ puts: [{ ...alone(row), version: before?.version ?? 0, ...(gone ? { body: undefined } : {}) }] });
};

onEveryEngine('search-property', ({ open }) => {
  it('agrees with a naive evaluator on random rows and searches, in any order, page by page', async () => {
    for (const rows of fc.sample(rowsOf, { numRuns: 2, seed: 7 })) {
      const store = await open({ integrity: true });
      await store.commit({ puts: rows });
      await fc.assert(
        fc.asyncProperty(plans, sight, async (plan, seen) => {
          const expected = rows.filter(
            (row) =>
              typesOf(plan).includes(row.type) && isSeen(row, seen, rows) && plan.where.every((predicate) => holds(predicate, row, rows)),
          );
          const found = await walked(store, plan, seen);
          expect([...found].sort()).toEqual(expected.map(({ id }) => id).sort());
          const inOrder = found.map((id) => expected.find((row) => row.id === id)!);
          inOrder.slice(1).forEach((row, index) => {
            expect(isOrdered(plan.sort, inOrder[index]!, row)).toBe(true);
          });
          expect(await store.count(plan, seen, 1000)).toBe(expected.length);
        }),
        { numRuns: 200, seed: 11 },
      );
      await store.close();
    }
    // thousands of statements, on machines that may be busy
  }, 300_000);

  it('a condition that leads to the rows within several brackets leaves none of the others untested', async () => {
    const store = await open({ integrity: true });
    await store.commit({ puts: ids.map((id) => put('Observation', id)) });
    const both: Predicate = {
      kind: 'either',
      of: [
        [
          { kind: 'id', ids: ['a'] },
          { kind: 'missing', param: 'date', missing: false },
        ],
      ],
    };
    const plan: SearchPlan = { type: 'Observation', where: [{ kind: 'either', of: [[both]] }], sort: [], count: 5 };
    expect(await walked(store, plan, 'all')).toEqual([]);
    await store.close();
  });

  it('a walk shows every unchanged match exactly once, whatever is written between its pages', async () => {
    const unchanged = ids.slice(0, 4);
    const fixed = fc.tuple(...unchanged.map((id) => rowOf('Observation', id, generalValues)));
    const walks = plans.filter(({ type, where }) => type === 'Observation' && !where.some(looksElsewhere));
    const store = await open({ integrity: true });
    await fc.assert(
      fc.asyncProperty(fixed, fc.array(writes, { minLength: 1, maxLength: 5 }), walks, async (fresh, rounds, { contained: _, ...plan }) => {
        const rows = fresh.map(alone);
        for (const row of rows) await write(store, { row, gone: false });
        const found: string[] = [];
        let after: string | undefined;
        for (let round = 0; round === 0 || after !== undefined; round++) {
          const page = await store.search({ ...plan, ...(after === undefined ? {} : { after }) }, 'all');
          found.push(...page.rows.map(({ id }) => id));
          after = page.next;
          for (const one of rounds[round] ?? []) await write(store, one);
        }
        const matching = rows.filter((row) => plan.where.every((predicate) => holds(predicate, row, []))).map(({ id }) => id);
        expect(found.filter((id) => unchanged.includes(id)).sort()).toEqual(matching);
      }),
      { numRuns: 120, seed: 5 },
    );
    await store.close();
  }, 300_000);
});
