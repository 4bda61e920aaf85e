import { resourcesOf, startServer, type Answer, type Running } from '../helpers/running-server.js';

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 180_000);
afterAll(async () => {
  await server.stop();
});

const made = async (resource: object): Promise<string> => {
  const { status, json, text } = await server.as('system', 'POST', (resource as { resourceType: string }).resourceType, resource);
  if (status !== 201) throw new Error(text);
  return String(json['id']);
};
const idsOf = (answer: Answer, type?: string): readonly string[] => resourcesOf(answer.json, type).map(({ id }) => String(id));
const find = (url: string) => server.as('system', 'GET', url);
const link = ({ json }: Answer, relation: string): string | undefined =>
  (json['link'] as readonly { relation: string; url: string }[]).find((each) => each.relation === relation)?.url;
const weight = (value: number, patient: string, note?: string) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7', display: 'Body weight' }] },
  subject: { reference: `Patient/${patient}` },
  valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'kg', unit: 'kg' },
  ...(note === undefined ? {} : { note: [{ text: note }] }),
});

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
    expect(shown(inside)).toEqual([`Observation/${one}#p`, `Observation/${two}#a`, `Observation/${two}#b`]);
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

it('POST _search is GET', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const posted = await server.as('system', 'POST', 'Patient/_search?_count=3', 'gender=female&_total=accurate', form);
  const got = await find('Patient?_count=3&gender=female&_total=accurate');
  expect(idsOf(posted)).toEqual(idsOf(got));
});

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
      seen.push(...idsOf(answer));
      url = link(answer, 'next');
    }
    expect(seen).toEqual(slots);
    const second = await asGp(`Slot?${query}&_count=${String(size)}&page=2`);
    expect(idsOf(await asGp(link(second, 'previous') ?? ''))).toEqual(slots.slice(0, size));
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
    const schedule = `Schedule?_id=${schedules[0] ?? ''}&_include=Schedule:actor&_include=HealthcareService:organization`;
    expect(idsOf(await asGp(schedule), 'Organization')).toEqual([]);
  });
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
