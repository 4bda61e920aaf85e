import { idsOf, maker } from '../helpers/rest.js';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
const create = maker(() => server);
const find = (url: string) => server.as('system', 'GET', url);
const place = async (name: string, partOf?: string): Promise<string> => {
  const { id } = await create({ resourceType: 'Location', name, ...(partOf ? { partOf: { reference: `Location/${partOf}` } } : {}) });
  return id;
};

it('reference parameters take :below and :above where resources are parts of one another', async () => {
  const site = await place('site');
  const building = await place('building', site);
  const ward = await place('ward', building);
  const elsewhere = await place('elsewhere');
  const service = async (where: string): Promise<string> =>
    (await create({ resourceType: 'HealthcareService', location: [{ reference: `Location/${where}` }] })).id;
  const [atSite, atWard, away] = [await service(site), await service(ward), await service(elsewhere)];
  for (const [query, found] of [
    [`location:below=${site}`, [atSite, atWard]],
    [`location:below=Location/${building}`, [atWard]],
    [`location:below=${server.base}/Location/${site},${elsewhere}`, [atSite, atWard, away]],
    [`location:above=${building}`, [atSite]],
    [`location:above=${ward}`, [atSite, atWard]],
    [`location:below=nowhere`, []],
  ] as const)
    expect([query, [...idsOf(await find(`HealthcareService?${query}`))].sort()]).toEqual([query, [...found].sort()]);
  expect([...idsOf(await find(`Location?partof:below=${site}`))].sort()).toEqual([building, ward].sort());
  // within a chain, and from the other side
  expect(idsOf(await find(`Location?_has:HealthcareService:location:location:below=${building}`))).toEqual([ward]);
  const role = await create({ resourceType: 'PractitionerRole', healthcareService: [{ reference: `HealthcareService/${atWard}` }] });
  expect(idsOf(await find(`PractitionerRole?service.location:below=${site}`))).toEqual([role.id]);
});

it('a circle has an end', async () => {
  const [a, b] = ['circle-a', 'circle-b'];
  await server.as('system', 'PUT', `Organization/${a}`, { resourceType: 'Organization', id: a, name: a });
  for (const [id, of] of [
    [b, a],
    [a, b],
  ] as const)
    await server.as('system', 'PUT', `Organization/${id}`, {
      resourceType: 'Organization',
      id,
      name: id,
      partOf: { reference: `Organization/${of}` },
    });
  for (const direction of ['below', 'above'])
    expect([...idsOf(await find(`Organization?partof:${direction}=${a}`))].sort()).toEqual([a, b]);
});

it.each([
  ['Observation?encounter.patient:below=1', 'has no modifier :below'],
  ['HealthcareService?location:below=Patient/1', 'name a Location'],
  ['HealthcareService?location:below=', 'the value is empty'],
])('%s is refused', async (url, text) => {
  const answer = await find(url);
  expect([answer.status, answer.text.includes(text)]).toEqual([400, true]);
});
