/** Holds on slots: whom they bind, how they end, and what is told to whom, also when several act at once. */
import { codeIn, ersOf, ifMatch } from '../helpers/ers.js';
import { resourcesOf, suiteServer, type Answer } from '../helpers/running-server.js';
import { lapseHolds } from '../../src/interactions/lapse-holds.js';
import type { House } from '../../src/interactions/house.js';

const server = suiteServer();
let ers: ReturnType<typeof ersOf>;
let house: House;
let clinic: string;
let slots: string[];
beforeAll(async () => {
  ers = ersOf(server);
  house = await server.house();
  clinic = (await ers.withSlots()).service;
  slots = (await ers.freeSlots(clinic, 20)).map(({ id }) => String(id));
}, 120_000);
jest.setTimeout(60_000);

const next = (): string => slots.shift() ?? '';
const statusOf = async (slot: string) => (await ers.read(`Slot/${slot}`))['status'];
const versionsOf = async (slot: string) => resourcesOf(await ers.read(`Slot/${slot}/_history?_count=100`)).length;
const hold = (role: 'gp' | 'patient', slot: string) => ers.post(role, `Slot/${slot}/$hold`);
const book = async (role: 'gp' | 'patient', slot: string) =>
  ers.post(role, 'Appointment', ers.appointment((await ers.refer([clinic]))['id'], slot));

/** The claims of a hold: on the slot, and on the place of its holder that it fills. */
const claimsOn = async (slot: string) => {
  const claim = await house.store.findClaim('hold', slot);
  if (!claim) throw new Error('nobody holds the slot');
  const [, holder = '', place = ''] = /^(.*)#\d\.(\d)$/.exec(claim.owner) ?? [];
  const filled = await house.store.findClaim('hold', `${holder}#${place}`);
  if (!filled) throw new Error('the hold fills no place');
  return { holder, claims: [claim, filled] };
};

/** The hold on a slot as it is when its ten minutes are over. */
const runOut = async (slot: string): Promise<void> => {
  const { claims } = await claimsOn(slot);
  await house.store.commit({ releases: claims, claims: claims.map((claim) => ({ ...claim, expires: Date.now() - 1 })) });
};

/** How many of the places of who holds a slot are filled. */
const filledBy = async (slot: string): Promise<number> => {
  const { holder } = await claimsOn(slot);
  const places = await Promise.all(Array.from({ length: 10 }, (_, place) => house.store.findClaim('hold', `${holder}#${String(place)}`)));
  return places.filter((place) => (place?.expires ?? 0) > Date.now()).length;
};

it('a hold that ran out frees its slot exactly once, however many servers see to it', async () => {
  const slot = next();
  expect((await hold('patient', slot)).status).toBe(200);
  expect(await lapseHolds(house)).toBe(0);
  const before = await versionsOf(slot);
  await runOut(slot);
  const freed = await Promise.all(Array.from({ length: 5 }, () => lapseHolds(house)));
  // none of these when a round of the server itself was there first
  expect(freed.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1);
  expect([await statusOf(slot), await versionsOf(slot)]).toEqual(['free', before + 1]);
  expect(await lapseHolds(house)).toBe(0);
});

it('what a provider marks as tentative itself is neither freed, nor held, nor booked', async () => {
  const slot = next();
  // somebody held it before
  await hold('patient', slot);
  await runOut(slot);
  await lapseHolds(house);
  expect(await statusOf(slot)).toBe('free');
  const marked = await server.as(
    'provider',
    'PUT',
    `Slot/${slot}`,
    { ...(await ers.read(`Slot/${slot}`)), status: 'busy-tentative' },
    ifMatch(await ers.versionOf(`Slot/${slot}`)),
  );
  expect(marked.status).toBe(200);
  expect(await lapseHolds(house)).toBe(0);
  const held = await hold('patient', slot);
  expect([held.status, codeIn(held)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
  const booked = await book('patient', slot);
  expect([booked.status, codeIn(booked)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
  expect(await statusOf(slot)).toBe('busy-tentative');
});

it('after his hold ran out its holder books the slot while nobody else has it', async () => {
  const slot = next();
  await hold('patient', slot);
  await runOut(slot);
  expect((await book('patient', slot)).status).toBe(201);
  expect(await statusOf(slot)).toBe('busy');
});

it('who books after his hold ran out is told so when another has the slot, also once it was freed in between', async () => {
  for (const lapse of [false, true]) {
    const slot = next();
    await hold('patient', slot);
    await runOut(slot);
    if (lapse) await lapseHolds(house);
    expect((await book('gp', slot)).status).toBe(201);
    const late = await book('patient', slot);
    expect([late.status, codeIn(late)]).toEqual([409, 'SLOT_NOT_AVAILABLE']);
    expect(late.text).toContain('The hold of the caller ran out');
    // nobody else learns who held it
    expect((await book('gp', slot)).text).toContain('not free any more');
  }
});

it('of many who hold, book and end a lapsed hold at once, one has the slot', async () => {
  for (let round = 0; round < 4; round++) {
    const slot = next();
    await hold('patient', slot);
    await runOut(slot);
    const referrals = await Promise.all([ers.refer([clinic]), ers.refer([clinic])]);
    const [, ...answers] = await Promise.all([
      lapseHolds(house),
      hold('gp', slot),
      hold('patient', slot),
      ...referrals.map(({ id }) => ers.post('gp', 'Appointment', ers.appointment(id, slot))),
    ]);
    expect(answers.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
    const live = resourcesOf(await ers.read(`Appointment?slot=Slot/${slot}&status=booked`), 'Appointment');
    const claim = await house.store.findClaim('hold', slot);
    const held = claim !== undefined && !claim.owner.endsWith('#over');
    expect(live.length).toBeLessThanOrEqual(1);
    expect(await statusOf(slot)).toBe(live.length === 1 ? 'busy' : held ? 'busy-tentative' : 'free');
  }
});

it('a booking by its holder ends the hold: the slot can be held again once it is free', async () => {
  const slot = next();
  await hold('gp', slot);
  const referral = (await ers.refer([clinic]))['id'];
  const booked = await ers.book(referral, slot);
  expect((await hold('patient', slot)).status).toBe(409);
  const cancelled = await server.as(
    'gp',
    'PUT',
    `Appointment/${String(booked['id'])}`,
    {
      ...booked,
      status: 'cancelled',
      cancelationReason: {
        coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/eRS-AppointmentCancellationReason', code: 'PATIENT_HOLIDAY' }],
      },
    },
    ifMatch(await ers.versionOf(`Appointment/${String(booked['id'])}`)),
  );
  expect(cancelled.status).toBe(200);
  expect((await hold('patient', slot)).status).toBe(200);
});

it.each([
  ['a slot that is not there', 'gp', 404, 'REC_NOT_FOUND'],
  ['a provider', 'provider', 403, 'REC_FORBIDDEN'],
  ['an application', 'app', 403, 'REC_FORBIDDEN'],
] as const)('$hold and $release refuse %s', async (what, role, status, code) => {
  const slot = what === 'a slot that is not there' ? 'nowhere' : (slots[0] ?? '');
  for (const operation of ['hold', 'release']) {
    const answer = await ers.post(role, `Slot/${slot}/$${operation}`);
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
  }
});

it('who did not hold a slot cannot give it back', async () => {
  const slot = next();
  await hold('patient', slot);
  const answer = await ers.post('gp', `Slot/${slot}/$release`);
  expect([answer.status, codeIn(answer)]).toEqual([422, 'INVALID_STATE']);
  await runOut(slot);
  const late = await ers.post('patient', `Slot/${slot}/$release`);
  expect([late.status, codeIn(late)]).toEqual([422, 'INVALID_STATE']);
});

it('all that one holder may have are his when he asks for them together', async () => {
  const found = await server.as('system', 'GET', 'Slot?status=free&start=gt2026&_sort=-start&_count=20');
  const [one = '', ...others] = resourcesOf(found.json, 'Slot').map(({ id }) => String(id));
  expect((await hold('gp', one)).status).toBe(200);
  const asked = others.slice(0, 10 - (await filledBy(one)));
  const answers = await Promise.all(asked.map((slot) => hold('gp', slot)));
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
  expect((await hold('gp', others[15] ?? '')).status).toBe(422);
  for (const slot of [one, ...asked]) expect((await server.as('gp', 'POST', `Slot/${slot}/$release`)).status).toBe(200);
});

it('one holder keeps ten slots at once and no more, also when he asks for all of them together', async () => {
  const found = await server.as('system', 'GET', 'Slot?status=free&start=gt2026&_count=200');
  const others = resourcesOf(found.json, 'Slot').map(({ id }) => String(id));
  const [one = '', ...asked] = others.slice(0, 15);
  expect((await hold('patient', one)).status).toBe(200);
  // what the tests before left held counts too
  const left = await filledBy(one);
  expect(left).toBeLessThan(10);
  // what is refused for a moment's race is asked for again
  const answers = await Promise.all(asked.map((slot) => hold('patient', slot)));
  const again: Answer[] = [];
  for (const slot of others.slice(15, 30)) again.push(await hold('patient', slot));
  const held = [...asked, ...others.slice(15, 30)].filter((_, index) => [...answers, ...again][index]?.status === 200);
  expect([held.length, await filledBy(one)]).toEqual([10 - left, 10]);
  const refused = again.at(-1);
  expect([refused?.status, refused && codeIn(refused)]).toEqual([422, 'TOO_MANY_ITEMS']);
  const free = others[31] ?? '';
  const released = await server.as('patient', 'POST', `Slot/${held[0] ?? ''}/$release`);
  expect(released.status).toBe(200);
  expect((await hold('patient', free)).status).toBe(200);
  // another account is not bound by it
  expect((await hold('gp', others[32] ?? '')).status).toBe(200);
  for (const slot of [one, ...held.slice(1), free]) await server.as('patient', 'POST', `Slot/${slot}/$release`);
});
