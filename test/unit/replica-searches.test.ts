import { readConfig } from '../../src/config.js';
import { createHouse } from '../../src/create-house.js';
import type { Call, House } from '../../src/interactions/house.js';
import { search } from '../../src/interactions/search.js';
import { seeingWrites } from '../../src/interactions/one-state.js';
import { blankStore } from '../../src/loading/blank-store.js';
import type { Reader, Store } from '../../src/store/port.js';
import { callerWith } from '../helpers/callers.js';

/** What was searched where. */
const asked: string[] = [];
const reading = (name: string): Partial<Reader> => ({
  search: ({ type }) => {
    asked.push(`${name} ${type}`);
    return Promise.resolve({ rows: [], next: undefined });
  },
  count: ({ type }) => {
    asked.push(`${name} count ${type}`);
    return Promise.resolve(0);
  },
});
const replica = Object.assign(Object.create(blankStore()) as Store, reading('replica'));
const store = Object.assign(Object.create(blankStore()) as Store, reading('primary'), {
  at: (freshness: 'replica' | 'primary') => (freshness === 'replica' ? replica : store),
  snapshot: <T>(read: (reader: Reader) => Promise<T>) => read(store),
});

const call: Call = { caller: callerWith('system'), lenient: false };
let house: House;
beforeAll(async () => {
  const config = readConfig({ REPLICA_SEARCHES: 'Organization, HealthcareService' });
  house = await createHouse(config, store, { url: 'http://127.0.0.1' }, () => undefined);
}, 120_000);

const whereIs = async (type: string, query: readonly (readonly [string, string])[] = [], at = house): Promise<readonly string[]> => {
  asked.length = 0;
  await search(at, call, type, query);
  return [...asked];
};

it('a type that is named is searched and counted on the copy', async () => {
  expect(await whereIs('Organization', [['name', 'x']])).toEqual(['replica Organization']);
  expect(await whereIs('HealthcareService', [['_summary', 'count']])).toEqual(['replica count HealthcareService']);
});

it('every other type is searched where it is written', async () => {
  expect(await whereIs('Slot', [['status', 'free']])).toEqual(['primary Slot']);
  expect(await whereIs('Patient')).toEqual(['primary Patient']);
});

it('a search of several reads that must agree, and a read of what a transaction has just written, stay at the primary', async () => {
  expect(await whereIs('HealthcareService', [['_include', 'HealthcareService:organization']])).toEqual(['primary HealthcareService']);
  expect(await whereIs('Organization', [], seeingWrites(house))).toEqual(['primary Organization']);
});

it.each(['Slot', 'Appointment', 'ServiceRequest', 'Organization,Schedule', 'organisations'])(
  'what bookings and decisions go by cannot be named: %s',
  (types) => {
    expect(() => readConfig({ REPLICA_SEARCHES: types })).toThrow('REPLICA_SEARCHES');
  },
);
