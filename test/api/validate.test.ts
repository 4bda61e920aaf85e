import { type Answer, suiteServer } from '../helpers/running-server.js';

type Issue = {
  readonly severity: string;
  readonly code: string;
  readonly details: { readonly text: string };
  readonly diagnostics?: string;
  readonly expression?: readonly string[];
};

const server = suiteServer();
beforeAll(async () => {});

const ask = async (method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  server.as('system', method, url, body, headers);
const issuesOf = ({ json }: Answer): readonly Issue[] => (json['issue'] ?? []) as readonly Issue[];
const errorsOf = (answer: Answer): readonly (readonly [string, string | undefined])[] =>
  issuesOf(answer)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, expression }) => [code, expression?.[0]]);
const parametersOf = (...parameter: readonly object[]) => ({ resourceType: 'Parameters', parameter });
const valueOf = ({ json }: Answer, name: string): unknown => {
  const found = ((json['parameter'] ?? []) as readonly Readonly<Record<string, unknown>>[]).find((each) => each['name'] === name);
  return Object.entries(found ?? {}).find(([key]) => key.startsWith('value'))?.[1];
};

const patient = { resourceType: 'Patient', name: [{ family: 'Test' }], gender: 'male' };
const withNumber = (value: string) => ({ ...patient, identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value }] });
/** R4 allows it, the check digit of the NHS number does not. */
const misnumbered = withNumber('9912003889');
const misgendered = { ...patient, gender: 'man' };
const ukCore = 'https://fhir.hl7.org.uk/StructureDefinition';

const storedPatient = async (): Promise<string> => {
  const { json } = await ask('POST', 'Patient', patient, { prefer: 'return=representation' });
  return json['id'] as string;
};

describe('$validate', () => {
  it('of a resource without faults answers without errors', async () => {
    const answer = await ask('POST', 'Patient/$validate', patient);
    expect([answer.status, answer.json['resourceType'], errorsOf(answer)]).toEqual([200, 'OperationOutcome', []]);
    expect(issuesOf(answer).length).toBeGreaterThan(0);
  });

  it.each([
    ['a bare resource', misgendered],
    ['Parameters', parametersOf({ name: 'resource', resource: misgendered })],
  ])('finds the fault of %s, and says where, what and by which rule', async (_, body) => {
    const answer = await ask('POST', 'Patient/$validate', body);
    expect([answer.status, errorsOf(answer)]).toEqual([200, [['code-invalid', 'Patient.gender']]]);
    expect(issuesOf(answer)[0]).toMatchObject({
      details: { text: expect.stringContaining("'man'") as string },
      diagnostics: expect.stringContaining('administrative-gender') as string,
    });
  });

  it('holds the resource to the default profile and the national identifiers', async () => {
    expect(errorsOf(await ask('POST', 'Patient/$validate', misnumbered))).toEqual([['value', 'Patient.identifier[0].value']]);
  });

  it('holds the resource to the profile asked for, in the query and in Parameters', async () => {
    const observation = { resourceType: 'Observation', status: 'final', code: { text: 'Weight' } };
    const profile = `${ukCore}/UKCore-Observation-VitalSigns-BodyWeight`;
    expect(errorsOf(await ask('POST', 'Observation/$validate', observation))).not.toContainEqual(['required', 'Observation.subject']);
    const inQuery = await ask('POST', `Observation/$validate?profile=${profile}`, observation);
    const inBody = parametersOf({ name: 'resource', resource: observation }, { name: 'profile', valueUri: profile });
    expect(errorsOf(inQuery).length).toBeGreaterThan(0);
    expect(errorsOf(await ask('POST', 'Observation/$validate', inBody))).toEqual(errorsOf(inQuery));
  });

  it('refuses a profile asked for that nobody here knows', async () => {
    const answer = await ask('POST', `Patient/$validate?profile=${ukCore}/None`, patient);
    expect([answer.status, errorsOf(answer)]).toEqual([400, [['not-found', 'profile']]]);
  });

  it('warns of an unknown profile in meta.profile', async () => {
    const answer = await ask('POST', 'Patient/$validate', { ...patient, meta: { profile: ['http://example.org/unknown'] } });
    expect(errorsOf(answer)).toEqual([]);
    expect(issuesOf(answer)).toContainEqual(expect.objectContaining({ severity: 'warning', code: 'not-found' }));
  });

  it.each([
    ['no resource', 'Patient/$validate', parametersOf({ name: 'mode', valueCode: 'create' }), 'required'],
    ['an unknown mode', 'Patient/$validate?mode=destroy', patient, 'value'],
    ['a body that is no JSON', 'Patient/$validate', '{"resourceType":', 'structure'],
  ])('answers 400 to %s', async (_, url, body, code) => {
    const answer = await ask('POST', url, body);
    expect([answer.status, issuesOf(answer)[0]?.code]).toEqual([400, code]);
  });

  it('finds a resource of another type than the URL says', async () => {
    expect(errorsOf(await ask('POST', 'Observation/$validate', patient))).toEqual([['invalid', 'Patient']]);
  });

  it('of an instance validates what is stored', async () => {
    const id = await storedPatient();
    const answer = await ask('GET', `Patient/${id}/$validate?profile=${ukCore}/UKCore-Patient`);
    expect([answer.status, errorsOf(answer)]).toEqual([200, []]);
    expect((await ask('GET', 'Patient/none/$validate')).status).toBe(404);
    expect((await ask('GET', 'Patient/$validate')).status).toBe(400);
  });

  it('for an update wants the instance and its id; for a deletion nothing', async () => {
    const id = await storedPatient();
    const update = `Patient/${id}/$validate?mode=update`;
    expect(errorsOf(await ask('POST', update, { ...patient, id }))).toEqual([]);
    expect(errorsOf(await ask('POST', update, { ...patient, id: 'other' }))).toEqual([['invalid', 'Patient.id']]);
    expect(errorsOf(await ask('POST', 'Patient/$validate?mode=update', patient))).toEqual([['required', 'Patient']]);
    expect(errorsOf(await ask('GET', `Patient/${id}/$validate?mode=delete`))).toEqual([]);
  });
});

describe('every write is validated: a broken rule of R4 is 400, one of a profile alone 422', () => {
  const faults = [
    ['R4', misgendered, 400, 'gender'],
    ['a profile', misnumbered, 422, 'identifier[0].value'],
  ] as const;

  it.each(faults)('create: %s', async (_, body, status, at) => {
    const answer = await ask('POST', 'Patient', body);
    expect([answer.status, errorsOf(answer)[0]?.[1]]).toEqual([status, `Patient.${at}`]);
  });

  it.each(faults)('update: %s', async (_, body, status, at) => {
    const id = await storedPatient();
    const answer = await ask('PUT', `Patient/${id}`, { ...body, id });
    expect([answer.status, errorsOf(answer)[0]?.[1]]).toEqual([status, `Patient.${at}`]);
  });

  it.each([
    ['R4', { op: 'replace', path: '/gender', value: 'man' }, 400],
    ['a profile', { op: 'add', path: '/identifier', value: misnumbered.identifier }, 422],
  ])('patch: %s', async (_, change, status) => {
    const id = await storedPatient();
    const answer = await ask('PATCH', `Patient/${id}`, [change], { 'content-type': 'application/json-patch+json' });
    expect(answer.status).toBe(status);
    expect((await ask('GET', `Patient/${id}`)).json['meta']).toMatchObject({ versionId: '1' });
  });

  it.each(faults)('transaction: %s; nothing of it is stored', async (_, body, status, at) => {
    const family = `Unstored${String(status)}`;
    const entry = [{ ...patient, name: [{ family }] }, body].map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } }));
    const answer = await ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
    expect([answer.status, errorsOf(answer)[0]?.[1]]).toEqual([status, `Bundle.entry[1].resource.${at}`]);
    expect((await ask('GET', `Patient?family=${family}`)).json['total']).toBe(0);
  });

  it('batch: each entry has its own answer', async () => {
    const entry = [patient, misgendered, misnumbered].map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } }));
    const { status, json } = await ask('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    const answers = json['entry'] as readonly { readonly response: { readonly status: string } }[];
    expect([status, answers.map(({ response }) => response.status.slice(0, 3))]).toEqual([200, ['201', '400', '422']]);
  });

  it('what is right, and what names a profile that nobody here knows, is stored', async () => {
    expect((await ask('POST', 'Patient', withNumber('9912003888'))).status).toBe(201);
    expect((await ask('POST', 'Patient', { ...patient, meta: { profile: ['http://example.org/unknown'] } })).status).toBe(201);
  });
});

const genders = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const gender = 'http://hl7.org/fhir/administrative-gender';

const codesOf = ({ json }: Answer): readonly string[] =>
  ((json['expansion'] as { readonly contains?: readonly { readonly code: string }[] } | undefined)?.contains ?? []).map(({ code }) => code);

describe('ValueSet/$expand', () => {
  const own = {
    resourceType: 'ValueSet',
    status: 'active',
    compose: { include: [{ system: gender }], exclude: [{ system: gender, concept: [{ code: 'unknown' }] }] },
  };

  it.each<readonly [string, string, string, unknown, readonly string[]]>([
    ['a value set by its URL', 'GET', `ValueSet/$expand?url=${genders}`, undefined, ['male', 'female', 'other', 'unknown']],
    ['a stored value set', 'GET', 'ValueSet/administrative-gender/$expand', undefined, ['male', 'female', 'other', 'unknown']],
    ['codes by a part of their text', 'GET', `ValueSet/$expand?url=${genders}&filter=FEM`, undefined, ['female']],
    ['a page', 'GET', `ValueSet/$expand?url=${genders}&offset=1&count=2`, undefined, ['female', 'other']],
    [
      'what POST names',
      'POST',
      'ValueSet/$expand',
      parametersOf({ name: 'url', valueUri: genders }),
      ['male', 'female', 'other', 'unknown'],
    ],
    ['what POST brings', 'POST', 'ValueSet/$expand', parametersOf({ name: 'valueSet', resource: own }), ['male', 'female', 'other']],
  ])('lists %s', async (_, method, url, body, codes) => {
    const answer = await ask(method, url, body);
    expect([answer.status, codesOf(answer)]).toEqual([200, codes]);
  });

  it.each([
    ['nothing named', '', 400, 'required'],
    ['a value set that nobody here knows', '?url=http://example.org/none', 404, 'not-found'],
    ['a count that is no number', `?url=${genders}&count=few`, 400, 'value'],
    ['codes of SNOMED CT', '?url=http://hl7.org/fhir/ValueSet/clinical-findings', 422, 'too-costly'],
  ])('refuses %s', async (_, query, status, code) => {
    const answer = await ask('GET', `ValueSet/$expand${query}`);
    expect([answer.status, issuesOf(answer)[0]?.code]).toEqual([status, code]);
  });
});

describe('$validate-code', () => {
  it.each([
    ['a code of the value set', `code=male&system=${gender}`, true],
    ['another code', `code=man&system=${gender}`, false],
    ['a code of another system', 'code=male&system=http://example.org/codes', false],
    ['a code with the display of another', `code=male&system=${gender}&display=Female`, false],
  ])('on a ValueSet: %s', async (_, query, result) => {
    const answer = await ask('GET', `ValueSet/$validate-code?url=${genders}&${query}`);
    expect([answer.status, valueOf(answer, 'result')]).toEqual([200, result]);
  });

  it('takes a Coding, and a CodeableConcept of which one coding is in', async () => {
    const url = { name: 'url', valueUri: genders };
    const coding = { system: gender, code: 'male' };
    const concept = { coding: [{ system: 'http://example.org/codes', code: 'x' }, coding] };
    const byCoding = await ask('POST', 'ValueSet/$validate-code', parametersOf(url, { name: 'coding', valueCoding: coding }));
    const byConcept = parametersOf(url, { name: 'codeableConcept', valueCodeableConcept: concept });
    expect([valueOf(byCoding, 'result'), valueOf(byCoding, 'display')]).toEqual([true, 'Male']);
    expect(valueOf(await ask('POST', 'ValueSet/$validate-code', byConcept), 'result')).toBe(true);
  });

  it('on a CodeSystem', async () => {
    const result = async (code: string) => valueOf(await ask('GET', `CodeSystem/$validate-code?url=${gender}&code=${code}`), 'result');
    expect([await result('male'), await result('man')]).toEqual([true, false]);
  });

  it.each([
    ['no code', `ValueSet/$validate-code?url=${genders}`, 400],
    ['no value set', 'ValueSet/$validate-code?code=male', 400],
    ['an unknown value set', 'ValueSet/$validate-code?url=http://example.org/none&code=male', 404],
    ['an unknown code system', 'CodeSystem/$validate-code?url=http://example.org/none&code=male', 404],
  ])('refuses %s', async (_, url, status) => {
    expect((await ask('GET', url)).status).toBe(status);
  });
});

describe('CodeSystem/$lookup', () => {
  it('gives the display and the properties of a code', async () => {
    const answer = await ask('GET', 'CodeSystem/$lookup?system=https://fhir.nhs.uk/CodeSystem/eRS-Priority&code=ROUTINE');
    expect([answer.status, valueOf(answer, 'display')]).toEqual([200, 'Routine']);
    expect(answer.json['parameter']).toContainEqual({
      name: 'property',
      part: [
        { name: 'code', valueCode: 'triageContactDays' },
        { name: 'value', valueInteger: 40 },
      ],
    });
  });

  it('takes a Coding', async () => {
    const coding = { name: 'coding', valueCoding: { system: gender, code: 'male' } };
    expect(valueOf(await ask('POST', 'CodeSystem/$lookup', parametersOf(coding)), 'display')).toBe('Male');
  });

  it.each([
    ['an unknown code', `system=${gender}&code=man`, 404],
    ['an unknown system', 'system=http://example.org/none&code=male', 404],
    ['no system', 'code=male', 400],
    ['no code', `system=${gender}`, 400],
  ])('refuses %s', async (_, query, status) => {
    expect((await ask('GET', `CodeSystem/$lookup?${query}`)).status).toBe(status);
  });
});
