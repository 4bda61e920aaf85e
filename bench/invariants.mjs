// What must hold, read from the API alone. Each check answers with the violations it found, as sentences.
import { allOf, resourcesOf, stateOf } from './asking.mjs';

const isLive = ({ status }) => !['cancelled', 'entered-in-error', 'noshow', 'fulfilled', 'proposed'].includes(status);
const slotIdOf = ({ slot }) => slot?.[0]?.reference.replace('Slot/', '');

/** Runs `check` over the items, a few at a time. */
const over = async (items, check) => {
  const found = [];
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) found.push(...(await check(item)));
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return found;
};

/** At most one current appointment, and the state that goes with it. */
export const checkReferrals = (ask, ids) =>
  over(ids, async (id) => {
    const referral = (await ask('system', 'GET', `ServiceRequest/${id}`)).json;
    const appointments = await allOf(ask, `Appointment?based-on=ServiceRequest/${id}&_count=100`);
    const live = appointments.filter(isLive);
    const state = stateOf(referral);
    const found = [];
    if (live.length > 1)
      found.push(`ServiceRequest/${id} has ${live.length} current appointments: ${live.map((one) => one.id).join(', ')}`);
    if ((live.length === 1) !== (state === 'BOOKED'))
      found.push(`ServiceRequest/${id} is ${state} with ${live.length} current appointments`);
    const tasks = await allOf(ask, `Task?focus=ServiceRequest/${id}&status=requested&intent=order&_count=100`);
    const waits = ['AWAITING_TRIAGE', 'DEFERRED_TO_PROVIDER', 'TRIAGED_PROVIDER_TO_ACTION'].includes(state);
    if (tasks.length > (waits ? 1 : 0)) found.push(`ServiceRequest/${id} is ${state} with ${tasks.length} open tasks`);
    return found;
  });

/** A slot has one live appointment and is busy, or none and is free (or held). */
export const checkSlots = (ask, ids) =>
  over(ids, async (id) => {
    const slot = (await ask('system', 'GET', `Slot/${id}`)).json;
    const live = (await allOf(ask, `Appointment?slot=Slot/${id}&_count=100`)).filter(isLive);
    const found = [];
    if (live.length > 1) found.push(`Slot/${id} has ${live.length} live appointments: ${live.map((one) => one.id).join(', ')}`);
    if (live.length > 0 !== (slot.status === 'busy')) found.push(`Slot/${id} is ${slot.status} with ${live.length} live appointments`);
    return found;
  });

/** Versions 1 to the current one, each there once, none earlier than the one before. */
export const checkHistories = (ask, paths) =>
  over(paths, async (path) => {
    const now = (await ask('system', 'GET', path)).json;
    const versions = (await allOf(ask, `${path}/_history?_count=100`)).map(({ meta }) => meta).reverse();
    const expected = Array.from({ length: Number(now.meta?.versionId) }, (_, index) => String(index + 1));
    const seen = versions.map(({ versionId }) => versionId);
    if (seen.join() !== expected.join()) return [`${path} is at version ${now.meta?.versionId}, its history has ${seen.join(', ')}`];
    const backwards = versions.some(({ lastUpdated }, index) => index > 0 && lastUpdated < versions[index - 1].lastUpdated);
    return backwards ? [`${path}: a version is older than the one before it`] : [];
  });

/** What was answered with success can be read again as it was. */
export const checkAcknowledged = (ask, writes) =>
  over(writes, async ({ type, id, version, text }) => {
    const answer = await ask('system', 'GET', `${type}/${id}/_history/${version}`);
    if (answer.status !== 200) return [`${type}/${id} version ${version} was acknowledged and is not there: ${answer.status}`];
    return answer.text === text ? [] : [`${type}/${id} version ${version} differs from what was acknowledged`];
  });

/** A write repeated under one pair of ids happened once at most. */
export const checkRetried = (ask, retried) =>
  over(retried, async ({ referral, slot }) => {
    const made = (await allOf(ask, `Appointment?based-on=ServiceRequest/${referral}&slot=Slot/${slot}&_count=100`)).filter(isLive);
    return made.length > 1
      ? [`one booking of Slot/${slot} for ServiceRequest/${referral} was repeated and made ${made.length} appointments`]
      : [];
  });

/** While the clients work: a booking that did not change meanwhile has a busy slot and a referral that is BOOKED. */
export const checkPage = async (ask, since) => {
  const path = `Appointment?status=booked&_lastUpdated=ge${since}&_sort=-_lastUpdated&_count=20`;
  const { status, json } = await ask('system', 'GET', path);
  if (status !== 200) return [`a page of bookings answered ${status}`];
  const bookings = resourcesOf(json, 'Appointment');
  const taken = bookings.map(slotIdOf);
  const twice = new Set(taken).size < taken.length ? ['one page shows two live appointments in one slot'] : [];
  const disagreeing = await over(bookings, async ({ id, meta, slot, basedOn }) => {
    const around = [slot[0].reference, basedOn[0].reference].map(async (one) => (await ask('system', 'GET', one)).json);
    const [place, referral] = await Promise.all(around);
    if (place.status === 'busy' && stateOf(referral) === 'BOOKED') return [];
    // read one after the other: what changed in between says nothing
    const again = (await ask('system', 'GET', `Appointment/${id}`)).json;
    if (again.meta.versionId !== meta.versionId) return [];
    return [`Appointment/${id} is booked, its slot ${place.status}, its referral ${stateOf(referral)}`];
  });
  return [...twice, ...disagreeing];
};
