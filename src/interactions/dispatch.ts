import { checkInteraction, checkOperation, seesWhereabouts } from '../access/policy.js';
import type { Access } from '../audit/witness.js';
import { failure, type Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { findComputedSearch } from '../operations/computed-searches.js';
import { cancelJob, jobFile, jobStatus } from '../bulk/status.js';
import { findOperation } from '../operations/operations.js';
import { capabilities } from './capabilities.js';
import { refuseMisshapenInputs } from './checked.js';
import { discreet } from './discreet-house.js';
import { systemHistory } from './history.js';
import type { Call, House, Success } from './house.js';
import { performWrite } from './perform.js';
import { parametersOf } from './read.js';
import { queryOf, type Query } from './query.js';
import { compartmentOf, compartmentSearch } from './compartment-search.js';
import { systemSearch } from './system-search.js';
import { routes, shapeOf, shapes, type Asked, type Route, type Shape } from './routes.js';

/** A request relative to the FHIR base: what HTTP and a batch entry have in common. `body` is parsed; absent when there was none. */
export type Interactive = { readonly method: string; readonly url: string; readonly body?: unknown };

const idShape = /^[A-Za-z0-9\-.]{1,64}$/;

const nothingAt = (path: string): Failure => failure('not-found', 'not-supported', `There is nothing at ${path}.`);
const notOffered = (method: string, path: string, allowed: readonly string[]): Failure =>
  failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow([
    ...new Set(allowed.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]))),
  ]);

export type Split = {
  readonly path: string;
  readonly words: readonly string[];
  /** what follows `?`; undefined without one */
  readonly search: string | undefined;
  readonly query: Query;
};

/** A URL relative to the base, taken apart. */
export const splitUrl = (url: string): Split => {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/^\/+|\/+$/g, '');
  const search = mark < 0 ? undefined : url.slice(mark + 1);
  return { path, words: path.split('/'), search, query: search === undefined ? [] : queryOf(search) };
};

const routesAt: ReadonlyMap<Shape, readonly Route[]> = new Map(
  shapes.map((shape) => [shape, routes.filter((route) => route.shape === shape)]),
);

/** The route of a request on resources, once the caller's kind and scopes allow it (the records are the route's own matter). */
export const routeOf = (
  house: House,
  call: Call,
  { method, url, body }: Interactive,
  { path, words, query }: Split = splitUrl(url),
): { readonly route: Route; readonly asked: Asked } => {
  const shape = shapeOf(words);
  const [type = '', id = '', , version = ''] = words;
  const row = house.registry.get(type);
  if (!row || !shape) throw nothingAt(path);
  if (!shape.startsWith('type') && !idShape.test(id))
    throw failure('invalid', 'value', 'An id has 1 to 64 letters, digits, - and . (R4 datatypes.html#id).');
  const isHere = ({ offered, conditional }: Route): boolean => row.interactions.includes(offered) && (!conditional || query.length > 0);
  const here = routesAt.get(shape) ?? [];
  const route = here.find((candidate) => candidate.method === (method === 'HEAD' ? 'GET' : method) && isHere(candidate));
  if (!route)
    throw notOffered(
      method,
      path,
      here.filter(isHere).map((candidate) => candidate.method),
    );
  checkInteraction(call.caller, type, route.letter);
  if ('decide' in route && route.conditional !== true) refuseParameters(call, method, query);
  return { route, asked: { house, call, row, type, id, version, query, body } };
};

/** A write without criteria knows no parameters: one that were passed over could be the filter that the client relies on. */
const refuseParameters = (call: Call, method: string, query: Query): void => {
  parametersOf(query, call, ['_format', '_pretty'], method === 'POST' ? 'A create (its criteria go to If-None-Exist)' : 'A write by id');
};

/** The verbs of each shape as the audit names them (R4 valueset-restful-interaction). */
const doings: Readonly<Record<Shape, Readonly<Record<string, Pick<Access, 'doing' | 'action'>>>>> = {
  type: { GET: { doing: 'search-type', action: 'E' }, POST: { doing: 'create', action: 'C' } },
  'type-search': { POST: { doing: 'search-type', action: 'E' } },
  'type-history': { GET: { doing: 'history-type', action: 'R' } },
  instance: {
    GET: { doing: 'read', action: 'R' },
    PUT: { doing: 'update', action: 'U' },
    PATCH: { doing: 'patch', action: 'U' },
    DELETE: { doing: 'delete', action: 'D' },
  },
  'instance-history': { GET: { doing: 'history-instance', action: 'R' } },
  version: { GET: { doing: 'vread', action: 'R' } },
};
const otherwise: Pick<Access, 'doing' | 'action'> = { doing: 'operation request', action: 'E' };

const doingOf = ({ path, words }: Split, method: string): Pick<Access, 'doing' | 'action'> => {
  const last = words.at(-1) ?? '';
  if (last.startsWith('$')) return { doing: `operation ${last.slice(1, 65)}`, action: 'E' };
  if (words[0] === '_job') return { doing: 'operation job', action: 'R' };
  if (path === '_history') return { doing: 'history-system', action: 'R' };
  const shape = shapeOf(words);
  return (shape && doings[shape][method === 'HEAD' ? 'GET' : method]) ?? otherwise;
};

/** What the audit says was asked for; a text that is no type or id of this server is not repeated there. */
const accessOf = (house: House, call: Call, method: string, split: Split): Access => {
  const { doing, action } = doingOf(split, method);
  const [type = '', id = ''] = split.words;
  const isKnown = house.registry.has(type);
  return {
    doing,
    action,
    type: isKnown ? type : undefined,
    id: isKnown && idShape.test(id) ? id : undefined,
    // which job and which of its files: whose records these are was said when it was made
    query: split.words[0] === '_job' ? split.words.slice(1, 3).join('/').slice(0, 100) : split.search,
    part: call.about?.part,
  };
};

/** The one place that finds the interaction of a request: HTTP and batch entries run the same code, and each is audited. */
export const dispatch = (house: House, call: Call, interactive: Interactive): Promise<Success> => {
  const split = splitUrl(interactive.url);
  // what the server can do is no record, and nobody's: it is not audited
  if (split.path === 'metadata') return Promise.resolve().then(() => capabilitiesFor(house, interactive.method, split));
  const shown = seesWhereabouts(call.caller) ? house : discreet(house);
  return house.witness.around(shown, call, accessOf(house, call, interactive.method, split), (own) =>
    carryOut(own, call, interactive, split),
  );
};

const capabilitiesFor = (house: House, method: string, { path, query }: Split): Success => {
  if (method !== 'GET' && method !== 'HEAD') throw notOffered(method, path, ['GET']);
  return capabilities(house, query);
};

/** Throws, or rejects, with the Failure of what cannot be done. */
const carryOut = (house: House, call: Call, interactive: Interactive, split: Split): Promise<Success> => {
  const { path, words, query } = split;
  if (words.at(-1)?.startsWith('$') === true) return operate(house, call, interactive, words, query);
  if (path === '_history') {
    if (interactive.method !== 'GET' && interactive.method !== 'HEAD') throw notOffered(interactive.method, path, ['GET']);
    return systemHistory(house, call, query);
  }
  if (words[0] === '_job') return onJob(house, call, interactive.method, words);
  if (path === '' || path === '_search') {
    const offered = path === '' ? ['GET', 'HEAD'] : ['POST'];
    if (!offered.includes(interactive.method)) throw notOffered(interactive.method, path === '' ? 'the base' : path, [...offered, 'POST']);
    return systemSearch(house, call, query);
  }
  const compartment = words.length > 2 ? compartmentOf(words, interactive.method) : undefined;
  if (compartment) {
    const posted = interactive.method === 'POST' && words.at(-1) === '_search';
    if (!posted && interactive.method !== 'GET' && interactive.method !== 'HEAD') throw notOffered(interactive.method, path, ['GET']);
    return compartmentSearch(house, call, compartment, query);
  }
  const computed = doingOf(split, interactive.method).doing === 'search-type' ? findComputedSearch(words[0] ?? '', query, call) : undefined;
  if (computed) return computed.perform(house, call, query);
  const { route, asked } = routeOf(house, call, interactive, split);
  return 'perform' in route ? route.perform(asked) : performWrite(house, call, (facts) => route.decide(asked, facts));
};

/** The polling URL of work under way, and its files (R4 async.html). */
const onJob = async (house: House, call: Call, method: string, words: readonly string[]): Promise<Success> => {
  const [, id, file, ...rest] = words;
  if (id === undefined || rest.length > 0) throw nothingAt(words.join('/'));
  const reads = method === 'GET' || method === 'HEAD';
  if (file !== undefined && reads) return jobFile(house, call, id, file);
  if (file === undefined && reads) return jobStatus(house, call, id);
  if (file === undefined && method === 'DELETE') return cancelJob(house, call, id);
  throw notOffered(method, words.join('/'), file === undefined ? ['GET', 'DELETE'] : ['GET']);
};

/** R4 operations.html#executing: on the system, a type or an instance; GET only for what does not affect state. */
const operate = async (
  house: House,
  call: Call,
  { method, body }: Interactive,
  words: readonly string[],
  query: Query,
): Promise<Success> => {
  const name = words.at(-1) ?? '';
  const [type, id, ...rest] = words.slice(0, -1);
  if (
    rest.length > 0 ||
    (type !== undefined && !house.registry.has(type) && type !== 'CapabilityStatement') ||
    (id !== undefined && !idShape.test(id))
  )
    throw nothingAt(words.join('/'));
  const operation = findOperation(name.slice(1), { type, id });
  if (!operation)
    throw failure(
      'not-found',
      'not-supported',
      `There is no operation ${name} ${type === undefined ? 'on the system' : `on ${type}`}${id === undefined ? '' : '/[id]'}.`,
    );
  const methods = operation.definition.affectsState === true ? ['POST'] : ['GET', 'POST'];
  if (!methods.includes(method === 'HEAD' ? 'GET' : method)) throw notOffered(method, words.join('/'), methods);
  const { code } = operation.definition;
  const asked = { code, interaction: operation.interaction, type: type ?? '*' };
  checkOperation(call.caller, asked, call.ifMatch);
  if (operation.readsQuery !== true) parametersOf(query, call, ['_format', '_pretty'], `The query of ${name}`);
  refuseMisshapenInputs(house, body);
  return operation.perform(house, call, {
    ...(type === undefined ? {} : { type }),
    ...(id === undefined ? {} : { id }),
    ...(body === undefined ? {} : { body: body as Resource }),
    query,
  });
};
