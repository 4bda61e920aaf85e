/** Searches of slots in the forms of e-RS and BaRS. */
import { randomUUID } from 'node:crypto';
import { idsOf, link } from '../helpers/rest.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';
import { whenTold } from '../helpers/when-told.js';

const server = suiteServer();

describe('the slots of a service as e-RS (A015) and BaRS ask for them, by a GP', () => {
  const asGp = (url: string) => server.as('gp', 'GET', url);
  let service = '';
  let schedules: readonly string[] = [];
  beforeAll(async () => {
    const [slot] = idsOf(await asGp('Slot?status=free&_count=1&_sort=-start'));
    const around = await asGp(`Slot?_id=${String(slot)}&_include=Slot:schedule&_include=Schedule:actor:HealthcareService`);
    service = idsOf(around, 'HealthcareService')[0] ?? '';
    schedules = idsOf(await asGp(`Schedule?actor=HealthcareService/${service}`));
  });
  const all = async (query: string): Promise<readonly string[]> => idsOf(await asGp(`Slot?${query}&_count=1000`), 'Slot');

  it.each(['schedule.actor:HealthcareService', 'Schedule.actor:HealthcareService'])('%s, with an id or a reference', async (name) => {
    const expected = await all(`schedule=${schedules.map((id) => `Schedule/${id}`).join(',')}&status=free`);
    expect(expected.length).toBeGreaterThan(3);
    expect(new Set(await all(`${name}=${service}&status=free`))).toEqual(new Set(expected));
    expect(new Set(await all(`${name}=HealthcareService/${service}&status=free`))).toEqual(new Set(expected));
    expect(await all(`${name}=none&status=free`)).toEqual([]);
  });
  it('appointmentType is appointment-type', async () => {
    const plain = await all(`schedule.actor:HealthcareService=${service}&appointment-type=ROUTINE`);
    expect(await all(`schedule.actor:HealthcareService=${service}&appointmentType=ROUTINE`)).toEqual(plain);
    const shown = await asGp(`Slot?schedule.actor:HealthcareService=${service}&status=free&_count=1`);
    const [slot] = resourcesOf(shown.json) as readonly { appointmentType?: { coding?: readonly { code: string }[] } }[];
    const code = slot?.appointmentType?.coding?.[0]?.code ?? '';
    expect((await all(`schedule.actor:HealthcareService=${service}&appointmentType=${code}`)).length).toBeGreaterThan(0);
    expect(await all(`schedule.actor:HealthcareService=${service}&appointmentType=NONE`)).toEqual([]);
    for (const priority of ['ROUTINE', 'URGENT', 'TWO_WEEK_WAIT'])
      expect((await all(`schedule.actor:HealthcareService=${service}&appointmentType=${priority}&status=free`)).length).toBeGreaterThan(0);
  });
  it('pages are numbered, with links to those before and after; one beyond the end is refused', async () => {
    const query = `schedule.actor:HealthcareService=${service}&status=free&_sort=start`;
    const slots = await all(query);
    const size = Math.ceil(slots.length / 3);
    const seen: string[] = [];
    let url: string | undefined = `Slot?${query}&_count=${String(size)}&page=1`;
    let pages = 0;
    for (; url !== undefined; pages++) {
      const answer: Answer = await asGp(url);
      expect(link(answer, 'previous') === undefined).toBe(pages === 0);
      seen.push(...idsOf(answer, 'Slot'));
      // the diaries come, asked for or not
      expect(idsOf(answer, 'Schedule').length).toBeGreaterThan(0);
      url = link(answer, 'next');
    }
    expect(seen).toEqual(slots);
    const second = await asGp(`Slot?${query}&_count=${String(size)}&page=2`);
    expect(idsOf(await asGp(link(second, 'previous') ?? ''), 'Slot')).toEqual(slots.slice(0, size));
    expect(second.json['total']).toBe(slots.length);
    const beyond = await asGp(`Slot?${query}&_count=${String(size)}&page=${String(pages + 1)}`);
    expect([beyond.status, beyond.text.includes('INVALID_VALUE')]).toEqual([400, true]);
    const none = await asGp('Slot?schedule.actor:HealthcareService=none&status=free&_count=10&page=1');
    expect([none.status, none.json['total']]).toEqual([200, 0]);
    expect((await asGp('Patient?page=1')).status).toBe(400);
  });
  it('includes go on without :iterate, on Slot alone', async () => {
    const includes = ['Slot:schedule', 'Schedule:actor:HealthcareService', 'HealthcareService:organization', 'HealthcareService:location'];
    const query = (name: string) => includes.map((include) => `${name}=${include}`).join('&');
    const url = `Slot?Schedule.actor:HealthcareService=${service}&status=free&_count=2`;
    const plain = await asGp(`${url}&${query('_include')}`);
    expect(idsOf(plain, 'HealthcareService')).toEqual([service]);
    expect(idsOf(plain, 'Organization').length).toBeGreaterThan(0);
    expect(idsOf(plain)).toEqual(idsOf(await asGp(`${url}&${query('_include:iterate')}`)));
    const bars = await asGp(`${url}&${query('_include').replace('HealthcareService:organization', 'HealthcareService:providedBy')}`);
    expect(idsOf(bars)).toEqual(idsOf(plain));
    const schedule = `Schedule?_id=${schedules[0] ?? ''}&_include=Schedule:actor&_include=HealthcareService:organization`;
    expect(idsOf(await asGp(schedule), 'Organization')).toEqual([]);
  });
});

describe('a page of free slots that is asked for again', () => {
  const entriesIn = ({ text }: Answer): string => text.slice(text.indexOf('"entry":'));
  const lengthOf = ({ headers, text }: Answer) => [headers.get('content-length'), String(Buffer.byteLength(text))];

  it('has the same entries, byte for byte, in each form; a slot that changes shows at once', async () => {
    const [slot] = idsOf(await server.as('system', 'GET', 'Slot?status=free&_count=1&_sort=-start'));
    const { json } = await server.as('system', 'GET', `Slot/${String(slot)}`);
    const schedule = (json['schedule'] as { readonly reference: string }).reference;
    const url = `Slot?schedule=${schedule}&status=free&_sort=start&_count=1000`;
    // without compression an answer goes out as it is
    const plain = () => server.as('gp', 'GET', url, undefined, { 'accept-encoding': 'identity' });
    const changed = async (change: object) => {
      const etag = (await server.as('system', 'GET', `Slot/${String(slot)}`)).headers.get('etag') ?? '';
      const answer = await server.as('system', 'PUT', `Slot/${String(slot)}`, { ...json, ...change }, { 'if-match': etag });
      expect(answer.status).toBe(200);
    };
    await changed({ comment: 'Ysbyty Môn – 2nd floor' });
    const [first, second, third] = [await plain(), await plain(), await plain()];
    expect(first.text).toContain('Ysbyty Môn – 2nd floor');
    for (const again of [second, third]) {
      expect(entriesIn(again)).toBe(entriesIn(first));
      expect(lengthOf(again)[0]).toBe(lengthOf(again)[1]);
    }
    // each answer is a Bundle of its own all the same
    expect(third.json['id']).not.toBe(second.json['id']);
    expect(entriesIn(await server.as('gp', 'GET', url, undefined, { 'accept-encoding': 'gzip' }))).toBe(entriesIn(first));
    const xml = await server.as('gp', 'GET', `${url}&_format=xml`);
    expect([xml.headers.get('content-type'), xml.text.includes('Ysbyty Môn – 2nd floor')]).toEqual([
      'application/fhir+xml; charset=utf-8',
      true,
    ]);
    expect(resourcesOf((await server.as('gp', 'GET', `${url}&_elements=status`)).json)[0]).not.toHaveProperty('comment');
    await changed({ comment: 'moved' });
    expect((await plain()).text).toContain('"moved"');
    await changed({ status: 'busy' });
    expect(idsOf(await plain())).not.toContain(slot);
  });

  it('is in the audit each time, with every slot of it', async () => {
    const [slot] = idsOf(await server.as('system', 'GET', 'Slot?status=free&_count=1&_sort=start'));
    const { json } = await server.as('system', 'GET', `Slot/${String(slot)}`);
    const schedule = (json['schedule'] as { readonly reference: string }).reference;
    const correlations = Array.from({ length: 3 }, () => randomUUID());
    const url = `Slot?schedule=${schedule}&status=free&_sort=start&_count=5`;
    const shown: (readonly string[])[] = [];
    for (const correlation of correlations)
      shown.push(idsOf(await server.as('gp', 'GET', url, undefined, { 'x-correlation-id': correlation, 'accept-encoding': 'identity' })));
    for (const [index, correlation] of correlations.entries()) {
      const events = await whenTold(
        async () => (await server.as('system', 'GET', 'AuditEvent?_sort=-date&_count=20')).json,
        (told) => JSON.stringify(told).includes(correlation),
      );
      const [event] = resourcesOf(events).filter((one) => JSON.stringify(one).includes(correlation));
      for (const id of shown[index] ?? []) expect(JSON.stringify(event)).toContain(`Slot/${id}`);
      expect(shown[index]?.length).toBeGreaterThan(0);
    }
  });
});
