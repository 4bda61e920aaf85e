import { type Answer, suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const finished = async (kickOff: Answer): Promise<Answer> => {
  expect(kickOff.status).toBe(202);
  const url = kickOff.headers.get('content-location') ?? '';
  for (;;) {
    const answer = await server.as('system', 'GET', url);
    if (answer.status !== 202) return answer;
    expect(answer.headers.get('x-progress')).not.toBeNull();
    await pause(50);
  }
};
type Files = readonly { readonly type: string; readonly url: string; readonly count: number }[];
const linesOf = async (url: string): Promise<readonly string[]> => (await server.as('system', 'GET', url)).text.split('\n').filter(Boolean);
const made = async (resource: object): Promise<string> => {
  const answer = await server.as('system', 'POST', (resource as { resourceType: string }).resourceType, resource);
  expect(answer.status).toBe(201);
  return `${String(answer.json['resourceType'])}/${String(answer.json['id'])}`;
};

it('exports what was current at the moment of the request, each resource once', async () => {
  const url = await made({ resourceType: 'Basic', code: { text: 'first' } });
  const deleted = await made({ resourceType: 'Basic', code: { text: 'deleted later' } });
  const kickOff = await server.as('system', 'GET', '$export?_type=Basic,Organization', undefined, { prefer: 'respond-async' });
  // these writes race with the job, and must not be seen whoever wins
  const id = url.split('/')[1];
  await Promise.all([
    server.as('system', 'PUT', url, { resourceType: 'Basic', id, code: { text: 'second' } }),
    server.as('system', 'DELETE', deleted),
    made({ resourceType: 'Basic', code: { text: 'too late' } }),
  ]);
  const done = await finished(kickOff);
  expect([done.status, done.json['requiresAccessToken']]).toEqual([200, true]);
  const output = done.json['output'] as Files;
  const basics = await linesOf(output.find(({ type }) => type === 'Basic')?.url ?? '');
  const texts = basics.map((line) => (JSON.parse(line) as { code: { text?: string } }).code.text);
  expect(texts.filter((text) => text === 'first')).toHaveLength(1);
  expect(texts).toContain('deleted later');
  expect(texts).not.toContain('second');
  expect(texts).not.toContain('too late');
  expect(output.map(({ type }) => type).sort()).toEqual(['Basic', 'Organization']);
  for (const { url: file, count } of output) expect(await linesOf(file)).toHaveLength(count);
});

it('exports patients and a group with what belongs to them, filtered', async () => {
  const patient = await made({ resourceType: 'Patient', gender: 'other' });
  const condition = await made({ resourceType: 'Condition', subject: { reference: patient } });
  const group = await made({ resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: patient } }] });
  const done = await finished(await server.as('system', 'GET', `${group}/$export`));
  const output = done.json['output'] as Files;
  const conditions = await linesOf(output.find(({ type }) => type === 'Condition')?.url ?? '');
  expect(conditions.map((line) => `Condition/${(JSON.parse(line) as { id: string }).id}`)).toEqual([condition]);
  expect(output.find(({ type }) => type === 'Patient')?.count).toBe(1);
  expect(output.some(({ type }) => type === 'AuditEvent' || type === 'Organization')).toBe(false);
  const filtered = await finished(await server.as('system', 'GET', 'Patient/$export?_type=Patient&_typeFilter=Patient%3Fgender%3Dother'));
  const [file] = filtered.json['output'] as Files;
  for (const line of await linesOf(file?.url ?? '')) expect((JSON.parse(line) as { gender: string }).gender).toBe('other');
  expect((await server.as('system', 'GET', 'Group/none/$export')).status).toBe(404);
  expect((await server.as('system', 'GET', '$export?_type=Unicorn')).status).toBe(400);
  expect((await server.as('system', 'GET', '$export?_outputFormat=csv')).status).toBe(400);
});

it('jobs are for who asked: others see nothing, and a cancelled one is gone', async () => {
  expect((await server.as('gp', 'GET', '$export')).status).toBe(403);
  const kickOff = await server.as('system', 'GET', '$export?_type=Basic');
  const url = kickOff.headers.get('content-location') ?? '';
  expect((await server.as('gp', 'GET', url)).status).toBe(404);
  const done = await finished(kickOff);
  const [file] = done.json['output'] as Files;
  expect((await server.as('gp', 'GET', file?.url ?? '')).status).toBe(404);
  expect((await server.as('system', 'DELETE', url)).status).toBe(202);
  expect((await server.as('system', 'GET', url)).status).toBe(404);
  expect((await server.as('system', 'GET', file?.url ?? '')).status).toBe(404);
  expect((await server.as('system', 'GET', '_job/none')).status).toBe(404);
});

it('imports NDJSON in any order, keeps ids, and tells what it refused', async () => {
  const run = String(Date.now());
  const lines = [
    { resourceType: 'Location', id: `l-${run}`, managingOrganization: { reference: `Organization/o-${run}` } },
    { resourceType: 'Organization', id: `o-${run}`, name: 'O', partOf: { reference: `Organization/p-${run}` } },
    { resourceType: 'Organization', id: `p-${run}`, name: 'P' },
    { resourceType: 'Location', id: `x-${run}`, managingOrganization: { reference: 'Organization/none' } },
    { resourceType: 'Patient', id: `y-${run}`, gender: 'blue' },
    { resourceType: 'AuditEvent', id: `z-${run}` },
    { resourceType: 'Patient', id: 'not an id' },
  ].map((resource) => JSON.stringify(resource));
  const body = [...lines, 'nonsense', ''].join('\n');
  const headers = { 'content-type': 'application/fhir+ndjson' };
  const done = await finished(await server.as('system', 'POST', '$import', body, headers));
  expect(done.json['output']).toEqual(
    expect.arrayContaining([
      { type: 'Location', count: 1 },
      { type: 'Organization', count: 2 },
    ]),
  );
  const [errors] = done.json['error'] as Files;
  expect(errors?.count).toBe(5);
  const texts = (await linesOf(errors?.url ?? '')).join('\n');
  expect(texts).toContain('line 8');
  expect((await server.as('system', 'GET', `Location/l-${run}`)).status).toBe(200);
  expect((await server.as('system', 'GET', `Location/x-${run}`)).status).toBe(404);
  // again: nothing changes
  await finished(await server.as('system', 'POST', '$import', body, headers));
  expect((await server.as('system', 'GET', `Location/l-${run}`)).headers.get('etag')).toBe('W/"1"');
  expect((await server.as('gp', 'POST', '$import', body, headers)).status).toBe(403);
  expect((await server.as('system', 'POST', '$import', { resourceType: 'Parameters' })).status).toBe(400);
});

it('imports no change of a Provenance', async () => {
  const agent = [{ who: { reference: 'Organization/D82106' } }];
  const target = [{ reference: 'Organization/D82106' }];
  const provenance = { resourceType: 'Provenance', recorded: '2026-01-01T00:00:00Z', agent, target };
  const url = await made(provenance);
  const id = url.split('/')[1];
  const imported = async (line: object) =>
    finished(await server.as('system', 'POST', '$import', JSON.stringify(line), { 'content-type': 'application/fhir+ndjson' }));
  const count = async () => (await server.as('system', 'GET', 'Provenance?_summary=count')).json['total'];
  const before = await count();
  const changed = await imported({ ...provenance, id, recorded: '2026-02-02T00:00:00Z' });
  expect(changed.json['output']).toEqual([]);
  const [errors] = changed.json['error'] as Files;
  expect(errors?.count).toBe(1);
  expect((await linesOf(errors?.url ?? '')).join()).toContain('Provenance is never updated');
  expect((await server.as('system', 'GET', url)).json).toMatchObject({ recorded: provenance.recorded, meta: { versionId: '1' } });
  // the same again is no change; a new one is made, under its id if it has one, once
  expect((await imported({ ...provenance, id })).json['error']).toEqual([]);
  expect(await count()).toBe(before);
  const own = `own-${String(Date.now())}`;
  for (const line of [provenance, { ...provenance, id: own }, { ...provenance, id: own }])
    expect((await imported(line)).json['output']).toEqual([{ type: 'Provenance', count: 1 }]);
  expect((await server.as('system', 'GET', `Provenance/${own}`)).json).toMatchObject({ id: own, meta: { versionId: '1' } });
  expect(await count()).toBe(Number(before) + 2);
});

it('answers later what is asked to be answered later', async () => {
  const prefer = { prefer: 'respond-async' };
  const search = await finished(await server.as('system', 'GET', 'Organization?_count=2', undefined, prefer));
  const [entry] = search.json['entry'] as readonly { resource: { resourceType: string; type: string }; response: { status: string } }[];
  expect([entry?.response.status, entry?.resource.type]).toEqual(['200', 'searchset']);
  const bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: { resourceType: 'Organization', name: 'later' }, request: { method: 'POST', url: 'Organization' } }],
  };
  const written = await finished(await server.as('system', 'POST', '', bundle, prefer));
  expect(written.text).toContain('"name":"later"');
  const refused = await finished(await server.as('system', 'GET', 'Organization?shoe=44', undefined, prefer));
  expect((refused.json['entry'] as readonly { response: { status: string } }[])[0]?.response.status).toBe('400');
  // one read is answered at once
  expect((await server.as('system', 'GET', 'metadata', undefined, prefer)).status).toBe(200);
});

describe('what Bulk Data clients ask for', () => {
  const manifestOf = async (url: string, headers = {}): Promise<Answer> =>
    finished(await server.as('system', 'GET', url, undefined, headers));
  const file = (done: Answer, index = 0): string => (done.json['output'] as Files)[index]?.url ?? '';

  it('files are asked for as NDJSON, and come compressed', async () => {
    const done = await manifestOf('$export?_type=Patient', { accept: 'application/fhir+json', prefer: 'respond-async' });
    const answer = await server.as('system', 'GET', file(done), undefined, {
      accept: 'application/fhir+ndjson',
      'accept-encoding': 'gzip',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/fhir+ndjson']);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    // and only there
    expect((await server.as('system', 'GET', 'Patient?_count=1', undefined, { accept: 'application/fhir+ndjson' })).status).toBe(406);
  });

  it('_elements, patient', async () => {
    const ann = await made({ resourceType: 'Patient', gender: 'other', birthDate: '1990-01-01' });
    const parameter = [
      { name: 'patient', valueReference: { reference: ann } },
      { name: '_elements', valueString: 'birthDate' },
    ];
    const done = await finished(
      await server.as('system', 'POST', 'Patient/$export?_type=Patient', { resourceType: 'Parameters', parameter }),
    );
    const lines = await linesOf(file(done));
    expect(lines).toHaveLength(1);
    const [line = '{}'] = lines;
    const part = JSON.parse(line) as { birthDate: string; meta: { tag: readonly { code: string }[] } };
    expect([part.birthDate, part.meta.tag.map(({ code }) => code)]).toEqual(['1990-01-01', ['SUBSETTED']]);
    expect(line).not.toContain('gender');
    const nobody = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Patient/none' } }] };
    expect((await server.as('system', 'POST', 'Patient/$export', nobody)).status).toBe(400);
    expect((await server.as('system', 'GET', `$export?patient=${ann}`)).status).toBe(400);
  });

  it('_typeFilter: several in one value, and value sets that are kept here', async () => {
    const set = await made({
      resourceType: 'ValueSet',
      status: 'active',
      compose: { include: [{ system: 'http://hl7.org/fhir/administrative-gender', concept: [{ code: 'other' }] }] },
    });
    const gendersOf = async (filter: string): Promise<readonly string[]> => {
      const done = await manifestOf(`$export?_type=Patient&_typeFilter=${filter}`);
      return [...new Set((await linesOf(file(done))).map((line) => (JSON.parse(line) as { gender: string }).gender))].sort();
    };
    expect(await gendersOf('Patient%3Fgender%3Dother,Patient%3Fgender%3Dmale')).toEqual(['male', 'other']);
    expect(await gendersOf(`Patient%3Fgender%3Ain%3D${encodeURIComponent(set)}`)).toEqual(['other']);
  });

  it('what a lenient client asks for too much is passed over', async () => {
    const url = '$export?_type=Organization,Unicorn&includeAssociatedData=LatestProvenanceResources';
    expect((await server.as('system', 'GET', url)).status).toBe(400);
    const done = await manifestOf(url, { prefer: 'respond-async, handling=lenient' });
    expect((done.json['output'] as Files).map(({ type }) => type)).toEqual(['Organization']);
  });

  it('_since tells what was deleted since', async () => {
    const patient = await made({ resourceType: 'Patient', gender: 'other' });
    const before = await made({ resourceType: 'Condition', subject: { reference: patient } });
    await server.as('system', 'DELETE', before);
    await pause(20);
    const since = new Date().toISOString();
    const after = await made({ resourceType: 'Condition', subject: { reference: patient } });
    await server.as('system', 'DELETE', after);
    await pause(20);
    const done = await manifestOf(`Patient/$export?_type=Condition&_since=${since}`);
    const deleted = done.json['deleted'] as Files;
    expect(deleted.map(({ type, count }) => [type, count])).toEqual([['Bundle', 1]]);
    const [line] = await linesOf(deleted[0]?.url ?? '');
    expect(JSON.parse(line ?? '{}')).toEqual({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ request: { method: 'DELETE', url: after } }],
    });
    expect((await manifestOf('$export?_type=Condition')).json['deleted']).toBeUndefined();
  });
});
