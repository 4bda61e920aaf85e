import { hoistDerived } from '../../src/store/queries/hoist.js';

describe('derived tables before the statement', () => {
  test.each([
    ['select a from t where a = (select 1 as one)', 'select a from t where a = (select 1 as one)'],
    ['select a from (select b from t) d order by a', 'with q1 as (select b from t) select a from q1 d order by a'],
    [
      'select a from (select b from (select c from t where x in (1, 2)) u) d inner loop join (select e from v) w on w.e = d.b',
      'with q1 as (select c from t where x in (1, 2)), q2 as (select b from q1 u), q3 as (select e from v) select a from q2 d inner loop join q3 w on w.e = d.b',
    ],
    [
      'select n from (select a from t union all select b from (select b from u) v) m',
      'with q1 as (select b from u), q2 as (select a from t union all select b from q1 v) select n from q2 m',
    ],
  ])('%s', (text, hoisted) => {
    expect(hoistDerived(text)).toBe(hoisted);
  });

  it('what may name columns from around it stays where it is, and so does what a text or a name only looks like', () => {
    for (const text of [
      "select a from t where exists (select 1 as one from (select b from u where u.x = t.x) d) and t.c = ') from (select '",
      'select "from (select x" from t',
      'select a from openjson(@x) with (n int) j inner join (t) on 1 = 1',
    ])
      expect(hoistDerived(text)).toBe(text);
  });
});
