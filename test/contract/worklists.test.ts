import fc from 'fast-check';
import { Stale, type Store, type WorklistPlace, type WorklistQuery } from '../../src/store/port.js';
import { put } from '../builders/units.js';
import { onEveryEngine } from './engines.js';

const place = (more: Partial<WorklistPlace> = {}): WorklistPlace => ({
  list: 'REVIEW',
  owner: 'RCD',
  authored: 5,
  item: '{"n":1}',
  ...more,
});

onEveryEngine('worklists', ({ open }) => {
  let store: Store;
  beforeEach(async () => {
    store = await open({ integrity: true });
  });
  afterEach(async () => {
    await store.close();
  });
  const fetch = (more: Partial<WorklistQuery> = {}) => store.worklist({ list: 'REVIEW', owner: 'RCD', now: 1000, count: 10, ...more });
  const referrals = async (more: Partial<WorklistQuery> = {}) => (await fetch(more)).rows.map(({ referral }) => referral);
  const list = (referral: string, ...places: readonly WorklistPlace[]) => store.commit({ worklists: [{ referral, places }] });

  it('gives what was placed, as it was placed', async () => {
    const whole = place({ service: 's', specialty: 'CARDIOLOGY', until: 5000, due: 7, item: '{"text":"Zoë £ \\u0000 𝄞"}' });
    await list('a', whole);
    const { authored, until, due, item } = whole;
    expect((await fetch()).rows).toEqual([{ referral: 'a', authored, until, due, item }]);
  });

  it('pages by keyset, the oldest first, each referral once', async () => {
    for (const [index, authored] of [9, 3, 3, 7, 1, 3].entries()) await list(`r${String(index)}`, place({ authored }));
    const seen: string[] = [];
    for (let after: string | undefined, more = true; more;) {
      const page = await fetch({ count: 2, ...(after === undefined ? {} : { after }) });
      seen.push(...page.rows.map(({ referral }) => referral));
      after = page.next;
      more = after !== undefined;
    }
    expect(seen).toEqual(['r4', 'r1', 'r2', 'r5', 'r3', 'r0']);
  });

  it('replaces all places of a referral, and leaves those of others', async () => {
    await list('a', place(), place({ list: 'LETTERS', owner: 'D82106' }));
    await list('b', place());
    await list('a', place({ list: 'LETTERS', owner: 'D82106', item: '{"n":2}' }));
    expect(await referrals()).toEqual(['b']);
    expect((await fetch({ list: 'LETTERS', owner: 'D82106' })).rows).toMatchObject([{ referral: 'a', item: '{"n":2}' }]);
    await list('a');
    expect(await referrals({ list: 'LETTERS', owner: 'D82106' })).toEqual([]);
  });

  it('keeps organisations, lists, services and specialties apart', async () => {
    await list('a', place({ service: 's1', specialty: 'X' }));
    await list('b', place({ service: 's2', specialty: 'Y' }));
    await list('c', place({ owner: 'R69', service: 's1' }));
    expect(await referrals()).toEqual(['a', 'b']);
    expect(await referrals({ owner: 'R69' })).toEqual(['c']);
    expect(await referrals({ owner: '' })).toEqual([]);
    expect(await referrals({ services: ['s1'] })).toEqual(['a']);
    expect(await referrals({ services: ['s2', 's1', 's3'] })).toEqual(['a', 'b']);
    expect(await referrals({ services: [] })).toEqual([]);
    expect(await referrals({ specialty: 'Y' })).toEqual(['b']);
    const { owner: _owner, ...anybody } = { list: 'REVIEW', owner: '', now: 1000, count: 10 };
    expect((await store.worklist(anybody)).rows.map(({ referral }) => referral)).toEqual(['a', 'b', 'c']);
  });

  it('leaves out what is over, at its very moment', async () => {
    await list('a', place({ until: 1000 }));
    await list('b', place({ until: 1001 }));
    expect(await referrals()).toEqual(['b']);
  });

  it('shows what stands, however often it was asked for before', async () => {
    const [owners, lists, referred] = [
      ['RCD', 'R69'],
      ['REVIEW', 'LETTERS'],
      ['a', 'b', 'c', 'd'],
    ];
    const placing = fc.record({
      referral: fc.constantFrom(...referred),
      places: fc.uniqueArray(
        fc
          .record({
            list: fc.constantFrom(...lists),
            owner: fc.constantFrom(...owners),
            authored: fc.nat(3),
            service: fc.constantFrom('s', 't'),
            until: fc.integer({ min: 1, max: 60 }),
            text: fc.nat(2),
          })
          .map(({ text, ...more }) => place({ ...more, item: `{"n":${String(text)}}` })),
        { selector: ({ list }) => list },
      ),
    });
    const asking = fc.record({
      list: fc.constantFrom(...lists),
      owner: fc.constantFrom(...owners),
      services: fc.constantFrom(undefined, ['s']),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(placing, asking), { minLength: 20, maxLength: 40 }), async (steps) => {
        const stands = new Map<string, readonly WorklistPlace[]>();
        for (const referral of referred) await list(referral);
        for (const [now, step] of steps.entries()) {
          if ('places' in step) {
            stands.set(step.referral, step.places);
            await list(step.referral, ...step.places);
            continue;
          }
          const { services, ...more } = step;
          const { rows } = await fetch({ ...more, now, ...(services === undefined ? {} : { services }) });
          const wanted = [...stands].flatMap(([referral, places]) =>
            places
              .filter(
                ({ owner, list: on, service, until = 0 }) =>
                  owner === step.owner && on === step.list && until > now && (!services || service === 's'),
              )
              .map(({ authored, until, item }) => ({ referral, authored, until, item })),
          );
          expect(rows).toEqual(wanted.sort((one, two) => one.authored - two.authored || (one.referral < two.referral ? -1 : 1)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('places nothing of a unit that is refused', async () => {
    await store.commit({ puts: [put('Patient', 'p')] });
    const unit = { puts: [put('Patient', 'p')], worklists: [{ referral: 'a', places: [place()] }] };
    await expect(store.commit(unit)).rejects.toBeInstanceOf(Stale);
    expect(await referrals()).toEqual([]);
  });
});
