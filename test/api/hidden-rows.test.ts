import type { Caller } from '../../src/access/caller.js';
import { businessFunctions } from '../../src/access/operation-rules.js';
import { isOpen } from '../../src/access/policy.js';
import { Failure } from '../../src/fhir/outcome.js';
import type { SearchParameter } from '../../src/fhir/search/parameters.js';
import { dispatch } from '../../src/interactions/dispatch.js';
import type { House } from '../../src/interactions/house.js';
import type { Put, Value } from '../../src/store/port.js';
import { resourcesOf, startServer, type Running } from '../helpers/running-server.js';

// One record of somebody else of every type that is not open to all, with a value for every search parameter of the type, and every
// search feature that could show it, made from the registry and the table of search parameters, asked by every kind and function.
const canary = 'CANARY-7Q4Z';
const day = Date.UTC(2001, 0, 1);
let server: Running;
let house: House;
let types: readonly string[] = [];
/** open records that the hidden ones refer to */
const open = new Map<string, string>();

const idOf = (type: string): string => `hidden-${type}`;
const parametersOf = (type: string): readonly SearchParameter[] =>
  [...house.searchParameters.of(type).values()].filter(({ code }) => !code.startsWith('_'));
const pointsAt = ({ targets }: SearchParameter, type: string): boolean => targets.length === 0 || targets.includes(type);

const valuesOf = (type: string, parameter: SearchParameter): readonly Value[] => {
  const param = parameter.code;
  switch (parameter.type) {
    case 'token':
      return [{ kind: 'token', param, system: 'urn:s', code: 'secret' }];
    case 'string':
    case 'uri':
      return [{ kind: 'text', param, value: 'secret' }];
    case 'date':
      return [{ kind: 'range', param, low: day, high: day + 86_400_000 }];
    case 'number':
      return [{ kind: 'range', param, low: 7, high: 7 }];
    case 'reference':
      return [...(pointsAt(parameter, 'Patient') && type !== 'Patient' ? [['Patient', idOf('Patient')] as const] : []), ...open]
        .filter(([target]) => pointsAt(parameter, target))
        .map(([target, id]) => ({ kind: 'reference', param, target: { type: target, id } }) as const);
    default:
      return [];
  }
};

const required: Readonly<Record<string, readonly string[]>> = { ServiceRequest: ['subject', 'status'] };
const putOf = (type: string): Put => {
  const values = parametersOf(type).flatMap((parameter) => {
    const all = valuesOf(type, parameter);
    // a column holds one value
    return required[type]?.includes(parameter.code) ? all.slice(0, 1) : all;
  });
  const id = idOf(type);
  const body = JSON.stringify({ resourceType: type, id, meta: { versionId: '1' }, language: canary });
  return { type, id, version: 0, lastUpdated: day, body, values, accessKeys: ['patient:hidden-Patient'], accessLinks: [] };
};

/** Searches that only the hidden record answers to. */
const naming = (type: string, { code, type: kind, ...parameter }: SearchParameter): readonly string[] => {
  const whole = { code, type: kind, ...parameter };
  switch (kind) {
    case 'token':
      return [`${type}?${code}=urn:s|secret`];
    case 'string':
      return [`${type}?${code}=secret`, `${type}?${code}:exact=secret`, `${type}?${code}:contains=ecre`];
    case 'uri':
      return [`${type}?${code}=secret`];
    case 'date':
      return [`${type}?${code}=2001-01-01`];
    case 'reference':
      return pointsAt(whole, 'Patient') && type !== 'Patient'
        ? [
            `${type}?${code}=Patient/hidden-Patient`,
            `${type}?${code}:Patient.family=secret`,
            `Patient?_has:${type}:${code}:_id=${idOf(type)}`,
          ]
        : [];
    default:
      return [];
  }
};

/** Searches that would show it among others. */
const sweeping = (type: string, parameter: SearchParameter): readonly string[] => {
  const { code, type: kind } = parameter;
  const found = [`${type}?${code}:missing=false&_count=1000`];
  if (kind === 'token') found.push(`${type}?${code}:not=other&_count=1000`);
  if (kind === 'token' || kind === 'date' || kind === 'string') found.push(`${type}?_sort=-${code}&_count=1000`);
  if (kind !== 'reference') return found;
  found.push(`${type}?_include=${type}:${code}&_count=1000`);
  for (const [target, id] of open)
    if (pointsAt(parameter, target))
      found.push(
        `${target}?_id=${id}&_revinclude=${type}:${code}`,
        `${target}?_id=${id}&_has:${type}:${code}:_lastUpdated=lt2002&_total=accurate`,
      );
  return found;
};

/** Ways to a record without a search parameter of its type. */
const others = (type: string): readonly string[] => [
  ...[`${type}/${idOf(type)}`, `${type}/${idOf(type)}/_history`, `${type}/${idOf(type)}/_history/1`, `${type}/_history?_count=1000`],
  ...[`${type}?_id=${idOf(type)}`, `?_type=${type}&_id=${idOf(type)}`, `Patient/hidden-Patient/${type}`, `${type}?_lastUpdated=lt2002`],
  ...[`${type}?_filter=_id eq ${idOf(type)}`, `${type}?_count=1000`],
];

const all = (): readonly { readonly url: string; readonly names: boolean }[] =>
  types.flatMap((type) => [
    ...parametersOf(type).flatMap((parameter) => [
      ...naming(type, parameter).map((url) => ({ url: `${url}&_total=accurate`, names: true })),
      ...sweeping(type, parameter).map((url) => ({ url, names: false })),
    ]),
    ...others(type).map((url) => ({ url, names: false })),
  ]);

const caller = (more: Partial<Caller> & Pick<Caller, 'kind'>): Caller => ({ clientId: 'stranger', scopes: [], organisations: [], ...more });
const strangers: readonly Caller[] = [
  ...businessFunctions.map((businessFunction) =>
    caller({ kind: 'user', scopes: ['user/*.cruds'], user: '1', organisation: 'R69', businessFunction }),
  ),
  ...['PROVIDER_AUTHORISED_APPLICATION', 'REFERRER_AUTHORISED_APPLICATION'].map((businessFunction) =>
    caller({ kind: 'app', scopes: ['system/*.cruds'], organisation: 'R69', businessFunction }),
  ),
  caller({ kind: 'patient', scopes: ['patient/*.cruds'], patient: '9990000018', patientId: 'somebody-else' }),
  caller({ kind: 'patient', scopes: ['patient/*.cruds'], patient: '9990000018' }),
  // a token of system for the open types alone
  caller({ kind: 'system', scopes: ['system/Organization.rs', 'system/Practitioner.rs', 'system/HealthcareService.rs'] }),
];

const ask = async (url: string, by: Caller): Promise<string> => {
  try {
    const { body } = await dispatch(house, { caller: by, lenient: false }, { method: 'GET', url });
    return typeof body === 'string' ? body : '';
  } catch (error) {
    if (error instanceof Failure && error.category !== 'exception') return '';
    throw error;
  }
};

beforeAll(async () => {
  server = await startServer();
  house = await server.house();
  for (const type of ['Organization', 'Practitioner', 'HealthcareService'])
    open.set(type, String(resourcesOf((await server.as('system', 'GET', `${type}?_count=1`)).json, type)[0]?.['id']));
  types = [...house.registry.keys()].filter((type) => !isOpen(type) && type !== 'AuditEvent');
  const put = types.map(putOf);
  await house.store.commit({ puts: put.filter(({ type }) => type === 'Patient') });
  await house.store.commit({ puts: put.filter(({ type }) => type !== 'Patient') });
}, 60_000);
afterAll(() => server.stop());

test('the searches do show the records to who may see them', async () => {
  const system = caller({ kind: 'system', scopes: ['system/*.cruds'] });
  const named = all().filter(({ names }) => names);
  expect(types.length).toBeGreaterThan(15);
  expect(named.length).toBeGreaterThan(200);
  const blind: string[] = [];
  for (const { url } of named) if (!(await ask(url, system)).includes(canary)) blind.push(url);
  // a few parameters have another home than the value given here
  expect(blind.length).toBeLessThan(named.length / 10);
}, 60_000);

test('and to nobody else, by no search feature, nor counted', async () => {
  const leaks: string[] = [];
  const queries = all();
  for (const [index, { url, names }] of queries.entries()) {
    // each search by two of them, all of them in turn
    for (const by of [strangers[index % strangers.length], strangers[(index * 7 + 3) % strangers.length]]) {
      const text = await ask(url, by as Caller);
      const total = (text === '' ? {} : (JSON.parse(text) as { total?: number })).total ?? 0;
      if (text.includes(canary) || (names && total > 0)) leaks.push(`${String(by?.kind)} ${String(by?.businessFunction)}: ${url}`);
    }
  }
  expect(leaks).toEqual([]);
}, 120_000);

test('each stranger is refused or shown nothing on every type', async () => {
  for (const by of strangers)
    for (const type of types)
      for (const url of others(type))
        expect([url, by.businessFunction, (await ask(url, by)).includes(canary)]).toEqual([url, by.businessFunction, false]);
}, 120_000);
