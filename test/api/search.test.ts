import { idsOf, link, maker, weight } from '../helpers/rest.js';
import { resourcesOf, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();

const create = maker(() => server);
const made = async (resource: object): Promise<string> => (await create(resource)).id;
const find = (url: string) => server.as('system', 'GET', url);

it('finds by quantity in other units, by composite, by words, by _filter', async () => {
  const patient = await made({ resourceType: 'Patient', name: [{ family: 'Quantité' }] });
  const id = await made(weight(71.5, patient, 'weighed without shoes'));
  for (const query of [
    'value-quantity=71500|http://unitsofmeasure.org|g',
    'code-value-quantity=http://loinc.org|29463-7$gt70|http://unitsofmeasure.org|kg',
    'code:text=body',
    '_content=shoes',
    '_filter=value-quantity gt 71 and subject.family eq "quantite"',
    'subject:Patient.name=QUANTITE',
    'patient.family:exact=Quantit%C3%A9',
  ])
    expect([query, idsOf(await find(`Observation?${query}&patient=${patient}`))]).toEqual([query, [id]]);
  for (const query of ['value-quantity=73|http://unitsofmeasure.org|kg', 'code:text=mass', '_text=shoes', 'patient.family:exact=quantite'])
    expect([query, idsOf(await find(`Observation?${query}&patient=${patient}`))]).toEqual([query, []]);
});

it('a walk shows every unchanged match once, in any order, while rows are added and changed', async () => {
  const tag = 'http://walk|1';
  const patient = (n: number) => ({
    resourceType: 'Patient',
    meta: { tag: [{ system: 'http://walk', code: '1' }] },
    // some have no name: they come last, and stay there
    ...(n % 3 === 0 ? {} : { name: [{ family: `Walker${String(n % 4)}` }] }),
    birthDate: `19${String(50 + (n % 7))}-01-01`,
  });
  const ids = await Promise.all(Array.from({ length: 17 }, (_, n) => made(patient(n))));
  for (const sort of ['', '&_sort=family', '&_sort=-family,birthdate', '&_sort=-birthdate', '&_sort=_lastUpdated', '&_sort=-_id']) {
    const seen: string[] = [];
    for (let url: string | undefined = `Patient?_tag=${tag}&_count=4${sort}`; url !== undefined;) {
      const page = await find(url);
      seen.push(...idsOf(page));
      url = link(page, 'next');
      await made(patient(seen.length));
    }
    expect(ids.filter((id) => seen.filter((other) => other === id).length !== 1)).toEqual([]);
    expect(new Set(seen).size).toBe(seen.length);
  }
});

it('a cursor that was edited, or is that of another search, is refused', async () => {
  const next = link(await find('Patient?_count=2'), 'next') ?? '';
  const cursor = new URL(next).searchParams.get('_cursor') ?? '';
  expect((await find(next)).status).toBe(200);
  for (const url of [
    next.replace(cursor, `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`),
    `Patient?_count=2&_cursor=x`,
    `Patient?_count=2&gender=male&_cursor=${cursor}`,
    `Organization?_count=2&_cursor=${cursor}`,
  ])
    expect((await find(url)).status).toBe(400);
});

it('total is given up to 1,000 matches or when it is asked for; _count=0 and _summary=count count', async () => {
  expect((await find('Patient?_count=1')).json['total']).toBeGreaterThan(100);
  expect((await find('Slot?_count=1')).json['total']).toBeUndefined();
  expect((await find('Slot?_count=1&_total=accurate')).json['total']).toBeGreaterThan(1000);
  const counted = await find('Slot?_summary=count');
  expect(counted.json['total']).toBeGreaterThan(1000);
  expect(counted.json['entry']).toBeUndefined();
  expect((await find('Patient?_count=0')).json['entry']).toBeUndefined();
  expect((await find('Patient?_total=none')).json['total']).toBeUndefined();
});

it('_summary and _elements give a tagged part', async () => {
  const [row] = resourcesOf((await find('Patient?_count=1&_elements=birthDate')).json);
  expect(row).toHaveProperty('birthDate');
  expect(row).not.toHaveProperty('name');
  expect(JSON.stringify(row)).toContain('SUBSETTED');
  expect((await find('Patient?_elements=name&_summary=true')).status).toBe(400);
});

it('several types at once, and the compartment of a patient', async () => {
  const patient = await made({ resourceType: 'Patient' });
  const observation = await made(weight(50, patient));
  const other = await made({ resourceType: 'Patient' });
  const both = await find(`?_type=Patient,Observation&_id=${patient},${observation}`);
  expect([...idsOf(both)].sort()).toEqual([patient, observation].sort());
  expect(idsOf(await find(`Patient/${patient}/Observation`))).toEqual([observation]);
  expect(idsOf(await find(`Patient/${patient}/*`))).toEqual([observation]);
  expect(idsOf(await find(`Patient/${other}/Observation`))).toEqual([]);
  expect((await find('Patient/none/Observation')).status).toBe(404);
  const pages: string[] = [];
  for (let url: string | undefined = '?_type=Organization,Location&_count=3'; url !== undefined;) {
    const page = await find(url);
    pages.push(...resourcesOf(page.json).map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`));
    url = link(page, 'next');
  }
  expect(pages.length).toBe(Number((await find('?_type=Organization,Location&_count=0')).json['total']));
  expect(new Set(pages).size).toBe(pages.length);
});

it('a reference is found by an identifier that it carries, or that the resource it leads to has', async () => {
  const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number';
  const own = await server.as('patient', 'GET', 'Patient');
  const [patient] = resourcesOf(own.json, 'Patient') as readonly { id: string; identifier: { system: string; value: string }[] }[];
  const number = patient?.identifier.find(({ system }) => system === nhsNumber)?.value ?? '';
  const query = (value: string) => `ServiceRequest?patient:identifier=${value}&_revinclude=Appointment:based-on&_revinclude=Task:focus`;
  const mine = idsOf(await server.as('patient', 'GET', `ServiceRequest?patient=${patient?.id ?? ''}`), 'ServiceRequest');
  expect(mine.length).toBeGreaterThan(0);
  for (const value of [`${nhsNumber}|${number}`, number]) {
    const found = await server.as('patient', 'GET', query(value));
    expect([value, found.status, idsOf(found, 'ServiceRequest')]).toEqual([value, 200, mine]);
    const included = await server.as('patient', 'GET', `Appointment?patient:identifier=${value}`);
    for (const id of idsOf(found, 'Appointment')) expect(idsOf(included)).toContain(id);
  }
  for (const value of [`http://other|${number}`, `${nhsNumber}|${number}0`, `${number}0`])
    expect([value, idsOf(await server.as('patient', 'GET', query(value)))]).toEqual([value, []]);
  // carried by the reference alone, without a resource that has it
  const observed = { identifier: { system: 'http://wards', value: 'W1' } };
  const id = await made({ ...weight(62, patient?.id ?? ''), focus: [observed] });
  expect(idsOf(await find('Observation?focus:identifier=http://wards|W1'))).toEqual([id]);
});

it('a reference kept in a column is also looked for as the URL it is not', async () => {
  const answer = await find('ServiceRequest?subject=http://elsewhere.example/people/1');
  expect([answer.status, answer.json['total']]).toEqual([200, 0]);
});

it('several types come in one order, page by page, each once', async () => {
  for (const sort of ['_lastUpdated', '-_lastUpdated', '-_id', 'name,-_id']) {
    const seen: { readonly key: string; readonly meta: { readonly lastUpdated: string }; readonly id: string }[] = [];
    for (let url: string | undefined = `?_type=Organization,Location,HealthcareService&_count=7&_sort=${sort}`; url !== undefined;) {
      const page = await find(url);
      for (const row of resourcesOf(page.json) as unknown as readonly { resourceType: string; id: string; meta: { lastUpdated: string } }[])
        seen.push({ ...row, key: `${row.resourceType}/${row.id}` });
      url = link(page, 'next');
    }
    expect(new Set(seen.map(({ key }) => key)).size).toBe(seen.length);
    expect(seen.length).toBe(Number((await find('?_type=Organization,Location,HealthcareService&_count=0')).json['total']));
    if (sort === '-_id')
      expect(seen.map(({ id }) => id)).toEqual(
        seen
          .map(({ id }) => id)
          .sort()
          .reverse(),
      );
    if (sort !== '-_lastUpdated') continue;
    const times = seen.map(({ meta }) => meta.lastUpdated);
    expect(times).toEqual([...times].sort().reverse());
  }
  expect((await find('?_type=Organization,Slot&_sort=name')).status).toBe(400);
});

it(':in takes a value set that is kept here, by reference and by URL', async () => {
  const url = `http://example.org/ValueSet/${String(Date.now())}`;
  const system = 'http://loinc.org';
  const compose = { include: [{ system, concept: [{ code: '29463-7' }] }] };
  const set = await made({ resourceType: 'ValueSet', url, status: 'active', compose });
  const patient = await made({ resourceType: 'Patient' });
  const inside = await made(weight(70, patient));
  const outside = await made({ ...weight(70, patient), code: { coding: [{ system, code: '8302-2' }] } });
  const base = `${server.base}/ValueSet/${set}`;
  for (const name of [`ValueSet/${set}`, base, url]) {
    expect([name, idsOf(await find(`Observation?patient=${patient}&code:in=${name}`))]).toEqual([name, [inside]]);
    expect([name, idsOf(await find(`Observation?patient=${patient}&code:not-in=${name}`))]).toEqual([name, [outside]]);
    expect([name, idsOf(await find(`Observation?patient=${patient}&_filter=code in "${name}"`))]).toEqual([name, [inside]]);
  }
  for (const name of ['ValueSet/none', 'http://example.org/none']) expect((await find(`Observation?code:in=${name}`)).status).toBe(400);
});

it('strings of _filter end with a text, or come before and after it', async () => {
  const tag = `http://filter|${String(Date.now())}`;
  const [system = '', code = ''] = tag.split('|');
  const names = ['McBride', 'Bride', 'bridé', 'Zeta'];
  const ids = await Promise.all(
    names.map((family) => made({ resourceType: 'Patient', meta: { tag: [{ system, code }] }, name: [{ family }] })),
  );
  const matching = async (filter: string): Promise<readonly string[]> => {
    const found = idsOf(await find(`Patient?_tag=${tag}&_filter=${encodeURIComponent(filter)}`));
    return names.filter((_, index) => found.includes(ids[index]!));
  };
  expect(await matching('family ew BRIDE')).toEqual(['McBride', 'Bride', 'bridé']);
  expect(await matching('family ew "eta"')).toEqual(['Zeta']);
  expect(await matching('family gt bride')).toEqual(['McBride', 'Zeta']);
  expect(await matching('family le bride')).toEqual(['Bride', 'bridé']);
  expect(await matching('family lt bride')).toEqual([]);
  expect(await matching('family ne bride')).toEqual(['McBride', 'Zeta']);
});

it(':missing of what every resource has', async () => {
  const id = await made({ resourceType: 'Basic', code: { text: 'never missing' } });
  for (const code of ['_id', '_lastUpdated']) {
    expect(idsOf(await find(`Basic?_id=${id}&${code}:missing=false`))).toEqual([id]);
    expect(idsOf(await find(`Basic?_id=${id}&${code}:missing=true`))).toEqual([]);
    expect((await find(`Basic?${code}:missing=perhaps`)).status).toBe(400);
  }
  expect((await find('Basic?_content:missing=true')).status).toBe(400);
});

it('ap takes a period that reaches into the time around the value', async () => {
  const id = await made({
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'AMB' },
    period: { start: '2001-01-01', end: '2021-01-01' },
  });
  expect(idsOf(await find(`Encounter?_id=${id}&date=ap2015-06-01`))).toEqual([id]);
  expect(idsOf(await find(`Encounter?_id=${id}&date=2015-06-01`))).toEqual([]);
  expect(idsOf(await find(`Encounter?_id=${id}&date=ap1980-06-01`))).toEqual([]);
});

it('telecom is found by its system, by its use, and without either', async () => {
  const value = `Ann-${String(process.pid)}@example.org`;
  const id = await made({ resourceType: 'Patient', telecom: [{ system: 'email', use: 'home', value }] });
  for (const [query, ids] of [
    [`telecom=email|${value}`, [id]],
    [`telecom=home|${value.toLowerCase()}`, [id]],
    [`telecom=${value}`, [id]],
    [`telecom=|${value}`, []],
    [`email=${value}`, [id]],
    [`telecom=phone|${value}`, []],
    [`telecom=work|${value}`, []],
    [`phone=${value}`, []],
  ] as const)
    expect([query, idsOf(await find(`Patient?${query}`))]).toEqual([query, ids]);
});

it('_content finds names of every form, and no codes or identifiers', async () => {
  const family = `Smith-O’Neill${String(process.pid)}`;
  const identifier = [{ system: 'https://example.org/id', value: 'NeverAWord' }];
  const id = await made({ resourceType: 'Patient', identifier, name: [{ family: family.toUpperCase() }], telecom: [{ system: 'email' }] });
  const words = family.toLowerCase().replace(/[-’]/g, ' ');
  expect(idsOf(await find(`Patient?_content=${words}`))).toEqual([id]);
  for (const word of ['NeverAWord', 'email']) expect(idsOf(await find(`Patient?_content=${word}&_id=${id}`))).toEqual([]);
});

it('the compartment of an encounter; by POST too', async () => {
  const encounter = await made({ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } });
  const reference = { reference: `Encounter/${encounter}` };
  const id = await made({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, encounter: reference });
  const post = (url: string, body: string) =>
    server.as('system', 'POST', url, body, { 'content-type': 'application/x-www-form-urlencoded' });
  for (const answer of [
    await find(`Encounter/${encounter}/Observation?status=final`),
    await find(`Encounter/${encounter}/*`),
    await post(`Encounter/${encounter}/Observation/_search`, 'status=final'),
    await post(`Encounter/${encounter}/_search`, '_id=' + id),
  ])
    expect([answer.status, idsOf(answer)]).toEqual([200, [id]]);
  expect(idsOf(await post(`Encounter/${encounter}/Observation/_search`, 'status=amended'))).toEqual([]);
  expect((await server.as('system', 'POST', `Encounter/${encounter}/Observation`, { resourceType: 'Observation' })).status).toBe(405);
  const { compartment } = ((await find('metadata')).json['rest'] as readonly { compartment: unknown }[])[0] ?? {};
  expect(compartment).toContain('http://hl7.org/fhir/CompartmentDefinition/relatedPerson');
});

it('POST _search is GET', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const posted = await server.as('system', 'POST', 'Patient/_search?_count=3', 'gender=female&_total=accurate', form);
  const got = await find('Patient?_count=3&gender=female&_total=accurate');
  expect(idsOf(posted)).toEqual(idsOf(got));
});

describe('what the caller may not see', () => {
  let hidden = '';
  let family = '';
  beforeAll(async () => {
    family = `Hidden${String(Date.now())}`;
    hidden = await made({ resourceType: 'Patient', name: [{ family }] });
    await made({ ...weight(60, hidden), performer: [{ reference: `Patient/${hidden}` }] });
  });
  const asGp = (url: string) => server.as('gp', 'GET', url);
  it('is neither found, counted, nor told of by chains, _has, _filter, compartments and includes', async () => {
    expect(idsOf(await find(`Patient?family=${family}`))).toEqual([hidden]);
    for (const url of [
      `Patient?family=${family}`,
      `Patient?_id=${hidden}`,
      `Patient?_filter=family eq "${family}"`,
      `ServiceRequest?patient.family=${family}`,
      `ServiceRequest?_filter=patient.family eq "${family}"`,
      `ServiceRequest?_revinclude=Observation:subject&patient=${hidden}`,
    ]) {
      const { status, json } = await asGp(`${url}&_total=accurate`);
      expect([url, status, json['total'], json['entry']]).toEqual([url, 200, 0, undefined]);
    }
    expect((await asGp(`Patient/${hidden}/ServiceRequest`)).status).toBe(404);
  });
  it('does not match by what it refers to', async () => {
    const [visible] = idsOf(await asGp('Patient?_count=1'));
    // an observation of nobody the caller may read about, which names a patient whom it may see
    await made({ ...weight(61, hidden), focus: [{ reference: `Patient/${String(visible)}` }] });
    const { status, json } = await asGp(`Patient?_has:Observation:focus:value-quantity=61&_id=${String(visible)}`);
    expect([200, 403]).toContain(status);
    expect(json['entry']).toBeUndefined();
  });
});

it('CapabilityStatement names includes and parameters that work', async () => {
  const statement = (await find('metadata')).json as {
    rest: readonly {
      resource: readonly { type: string; searchInclude: string[]; searchRevInclude: string[]; searchParam: { name: string }[] }[];
    }[];
  };
  const slot = statement.rest[0]?.resource.find(({ type }) => type === 'Slot');
  expect(slot?.searchInclude).toEqual(['*', 'Slot:schedule']);
  expect(slot?.searchRevInclude).toContain('Appointment:slot');
  for (const include of slot?.searchInclude ?? []) expect((await find(`Slot?_count=1&_include=${include}`)).status).toBe(200);
  for (const include of slot?.searchRevInclude ?? []) expect((await find(`Slot?_count=1&_revinclude=${include}`)).status).toBe(200);
  for (const { name } of slot?.searchParam ?? [])
    expect((await find(`Slot?_count=1&${name === '_has' ? '_has:Appointment:slot:_id' : name}=x`)).status).not.toBe(500);
});
