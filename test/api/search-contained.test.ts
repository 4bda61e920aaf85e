/** R4 search.html#contained. */
import { idsOf, link, maker, weight } from '../helpers/rest.js';
import { resourcesOf, type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();

const create = maker(() => server);
const made = async (resource: object): Promise<string> => (await create(resource)).id;

describe('contained resources', () => {
  const family = `Contained${String(Date.now())}`;
  const patient = (id: string, gender: string, name = family) => ({ resourceType: 'Patient', id, name: [{ family: name }], gender });
  const observation = (contained: readonly object[], subject: string) => ({
    ...weight(80, 'x'),
    contained,
    subject: { reference: subject },
  });
  const find = (url: string) => server.as('system', 'GET', url);
  let own = '';
  let one = '';
  let two = '';
  beforeAll(async () => {
    own = await made({ resourceType: 'Patient', name: [{ family }], gender: 'male' });
    one = await made(observation([patient('p', 'female')], '#p'));
    two = await made({
      ...observation([patient('a', 'male'), patient('b', 'male')], '#a'),
      focus: [{ reference: '#b' }],
    });
  });
  const shown = ({ json }: Answer) =>
    (json['entry'] as readonly { fullUrl: string; search: { mode: string } }[] | undefined)?.map(({ fullUrl }) =>
      fullUrl.slice(server.base.length + 1),
    ) ?? [];

  it('are not found by an ordinary search, of theirs or of all types', async () => {
    expect(idsOf(await find(`Patient?family=${family}`))).toEqual([own]);
    expect((await find(`Patient?family=${family}&_contained=false`)).json['total']).toBe(1);
    expect(idsOf(await find(`?_type=Patient,Observation&_content=${family.toLowerCase()}`))).not.toContain('p');
  });
  it('are found by _contained=true: as their containers, each once, or as themselves', async () => {
    expect(shown(await find(`Patient?family=${family}&_contained=true`))).toEqual([`Observation/${one}`, `Observation/${two}`]);
    const inside = await find(`Patient?family=${family}&_contained=true&_containedType=contained`);
    // without _sort those of one container come in any order
    expect([...shown(inside)].sort()).toEqual([`Observation/${one}#p`, `Observation/${two}#a`, `Observation/${two}#b`].sort());
    expect(resourcesOf(inside.json)[0]).toEqual(patient('p', 'female'));
    expect(inside.json['total']).toBe(3);
    expect(shown(await find(`Patient?family=${family}&gender=female&_contained=true`))).toEqual([`Observation/${one}`]);
    expect(shown(await find(`Patient?family=${family}&_contained=both`))).toEqual([
      `Patient/${own}`,
      `Observation/${one}`,
      `Observation/${two}`,
    ]);
    expect((await find(`Patient?family=${family}&_contained=both&_summary=count`)).json['total']).toBe(4);
  });
  it('have the _id that they have within their container', async () => {
    const family = `Fragment${String(process.pid)}`;
    const inner = { resourceType: 'Patient', id: 'within', name: [{ family }] };
    const container = await made({
      ...{ resourceType: 'Observation', status: 'final', code: { text: 'x' }, contained: [inner], subject: { reference: '#within' } },
    });
    const plain = await made({ resourceType: 'Patient', name: [{ family }] });
    const found = async (query: string) => idsOf(await find(`Patient?family=${family}&${query}`));
    expect(await found('_id=within&_contained=true')).toEqual([container]);
    expect(await found(`_id=within,${plain}&_contained=both`)).toEqual(expect.arrayContaining([container, plain]));
    expect(await found('_id=other&_contained=true')).toEqual([]);
    expect(await found('_id=within')).toEqual([]);
  });

  it('are walked page by page, in an order too', async () => {
    for (const sort of ['', '&_sort=gender', '&_sort=-gender,family']) {
      const seen: string[] = [];
      for (let url: string | undefined = `Patient?family=${family}&_contained=both&_count=1${sort}`; url !== undefined;) {
        const page = await find(url);
        seen.push(...shown(page));
        url = link(page, 'next');
      }
      expect([sort, [...seen].sort()]).toEqual([sort, [`Patient/${own}`, `Observation/${one}`, `Observation/${two}`].sort()]);
    }
  });
  it('are what chains look into', async () => {
    expect(idsOf(await find(`Observation?subject:Patient.family=${family}&subject:Patient.gender=female`))).toEqual([one]);
    expect(idsOf(await find(`Observation?focus:Patient.family=${family}`))).toEqual([two]);
    expect(idsOf(await find(`Observation?subject:missing=true&_id=${one}`))).toEqual([]);
  });
  it('follow their container: changed with it, gone with it, never read on their own', async () => {
    const body = observation([patient('p', 'male', `${family}x`)], '#p');
    expect((await server.as('system', 'PUT', `Observation/${one}`, { ...body, id: one })).status).toBe(200);
    expect(shown(await find(`Patient?family:exact=${family}&gender=female&_contained=true`))).toEqual([]);
    expect(shown(await find(`Patient?family=${family}x&_contained=true`))).toEqual([`Observation/${one}`]);
    expect((await server.as('system', 'PUT', `Observation/${one}`, { ...weight(81, own), id: one })).status).toBe(200);
    expect(shown(await find(`Patient?family=${family}x&_contained=true`))).toEqual([]);
    expect((await server.as('system', 'DELETE', `Observation/${two}`)).status).toBe(204);
    expect((await find(`Patient?family=${family}&_contained=both`)).json['total']).toBe(1);
    expect(
      (await server.as('system', 'PUT', `Observation/${two}`, { ...observation([patient('a', 'other')], '#a'), id: two })).status,
    ).toBe(201);
    expect(shown(await find(`Patient?family=${family}&_contained=true`))).toEqual([`Observation/${two}`]);
    const history = await find('_history?_count=20');
    expect(history.text).not.toContain('"container"');
  });
  it('are not what a reference to their container, or from it, is counted by', async () => {
    const target = await made({ resourceType: 'Patient' });
    const inner = { ...weight(1, target), id: 'o' };
    const list = await made({
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      contained: [inner],
      entry: [{ item: { reference: '#o' } }],
    });
    const refused = await server.as('system', 'DELETE', `Patient/${target}`);
    expect([refused.status, refused.text.includes(`List/${list}`), refused.text.includes('#Observation')]).toEqual([409, true, false]);
    expect(idsOf(await find(`Patient?_id=${target}&_revinclude=Observation:subject&_revinclude=*`), 'Observation')).toEqual([]);
    expect(shown(await find(`Observation?patient=${target}&_contained=true`))).toEqual([`List/${list}`]);
  });
  it('are refused where they mean nothing', async () => {
    expect((await find('Patient?_contained=maybe')).status).toBe(400);
    expect((await find('Patient?_contained=true&_containedType=x')).status).toBe(400);
    expect((await find('?_type=Patient,List&_contained=true')).status).toBe(400);
    expect((await server.as('system', 'DELETE', `Patient?family=${family}&_contained=true`)).status).toBe(400);
  });
  it('are seen by nobody who may not see their container', async () => {
    expect((await server.as('gp', 'GET', `Patient?family=${family}&_contained=both&_summary=count`)).json['total']).toBe(0);
  });
});
