import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { checkInteraction, checkOperation } from '../access/policy.js';
import { findOperation } from '../operations/operations.js';
import type { Interaction, ResourceType } from '../resources/registry.js';
import { create } from './create.js';
import { history } from './history.js';
import type { Call, House, Success } from './house.js';
import type { Query } from './query.js';
import { read } from './read.js';
import { remove } from './remove.js';
import { search } from './search.js';
import { update } from './update.js';
import { vread } from './vread.js';

/** A request relative to the FHIR base: what HTTP and a batch entry have in common. */
export type Interactive = { readonly method: string; readonly url: string; readonly resource?: Resource | undefined };

type Path = { readonly row: ResourceType; readonly type: string; readonly id: string; readonly version: string };
type Asked = {
  readonly house: House;
  readonly call: Call;
  readonly path: Path;
  readonly query: Query;
  readonly resource: Resource | undefined;
};

/** One row an interaction of R4 http.html: its path below the base, its verb, what the registry must offer, the scope letter. */
type Route = {
  readonly shape: 'type' | 'type-search' | 'type-history' | 'instance' | 'instance-history' | 'version';
  readonly method: string;
  readonly offered: Interaction;
  readonly letter: 'c' | 'r' | 'u' | 'd' | 's';
  readonly perform: (asked: Asked) => Promise<Success>;
};

const bodyOf = ({ resource }: Asked): Resource => {
  if (!resource) throw failure('invalid', 'required', 'The body is missing.');
  return resource;
};

const routes: readonly Route[] = [
  {
    shape: 'type',
    method: 'GET',
    offered: 'search-type',
    letter: 's',
    perform: ({ house, call, path, query }) => search(house, call, path.type, query),
  },
  {
    shape: 'type',
    method: 'POST',
    offered: 'create',
    letter: 'c',
    perform: (asked) => create(asked.house, asked.call, asked.path.type, bodyOf(asked)),
  },
  {
    shape: 'type-search',
    method: 'POST',
    offered: 'search-type',
    letter: 's',
    perform: ({ house, call, path, query }) => search(house, call, path.type, query),
  },
  {
    shape: 'type-history',
    method: 'GET',
    offered: 'history-type',
    letter: 'r',
    perform: ({ house, call, path, query }) => history(house, call, { type: path.type }, query),
  },
  { shape: 'instance', method: 'GET', offered: 'read', letter: 'r', perform: ({ house, call, path }) => read(house, call, path) },
  {
    shape: 'instance',
    method: 'PUT',
    offered: 'update',
    letter: 'u',
    perform: (asked) => update(asked.house, asked.call, asked.path, bodyOf(asked)),
  },
  { shape: 'instance', method: 'DELETE', offered: 'delete', letter: 'd', perform: ({ house, call, path }) => remove(house, call, path) },
  {
    shape: 'instance-history',
    method: 'GET',
    offered: 'history-instance',
    letter: 'r',
    perform: ({ house, call, path, query }) => history(house, call, path, query),
  },
  {
    shape: 'version',
    method: 'GET',
    offered: 'vread',
    letter: 'r',
    perform: ({ house, call, path }) => vread(house, call, path, path.version),
  },
];

const idShape = /^[A-Za-z0-9\-.]{1,64}$/;

const shapeOf = (words: readonly string[]): Route['shape'] | undefined => {
  const [, id, word, version, ...rest] = words;
  if (rest.length > 0) return undefined;
  if (id === undefined) return 'type';
  if (id === '_search' && word === undefined) return 'type-search';
  if (id === '_history' && word === undefined) return 'type-history';
  if (word === undefined) return 'instance';
  if (word !== '_history') return undefined;
  return version === undefined ? 'instance-history' : 'version';
};

/** The one place that finds the interaction of a request: HTTP and batch entries run the same code. */
export const dispatch = async (house: House, call: Call, { method, url, resource }: Interactive): Promise<Success> => {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/^\/+|\/+$/g, '');
  const query: Query = mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1)).entries()];
  const words = path.split('/');
  if (words.at(-1)?.startsWith('$') === true) return operate(house, call, { method, words, query, resource });
  const shape = shapeOf(words);
  const [type = '', id = '', , version = ''] = words;
  const row = house.registry.get(type);
  if (!row || !shape) throw nothingAt(path);
  if (!shape.startsWith('type') && !idShape.test(id))
    throw failure('invalid', 'value', 'An id has 1 to 64 letters, digits, - and . (R4 datatypes.html#id).');
  const here = routes.filter((route) => route.shape === shape && row.interactions.includes(route.offered));
  const route = here.find((candidate) => candidate.method === (method === 'HEAD' ? 'GET' : method));
  if (!route)
    throw failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow(here.map((candidate) => candidate.method));
  checkInteraction(call.caller, type, route.letter);
  return route.perform({ house, call, path: { row, type, id, version }, query, resource });
};

const nothingAt = (path: string) => failure('not-found', 'not-supported', `There is nothing at ${path}.`);

type Called = {
  readonly method: string;
  readonly words: readonly string[];
  readonly query: Query;
  readonly resource: Resource | undefined;
};

/** R4 operations.html#executing: on the system, a type or an instance; GET only for what does not affect state. */
const operate = async (house: House, call: Call, { method, words, query, resource }: Called): Promise<Success> => {
  const name = words.at(-1) ?? '';
  const [type, id, ...rest] = words.slice(0, -1);
  if (rest.length > 0 || (type !== undefined && !house.registry.has(type)) || (id !== undefined && !idShape.test(id)))
    throw nothingAt(words.join('/'));
  const operation = findOperation(name.slice(1), { type, id });
  if (!operation)
    throw failure(
      'not-found',
      'not-supported',
      `There is no operation ${name} ${type === undefined ? 'on the system' : `on ${type}`}${id === undefined ? '' : '/[id]'}.`,
    );
  const methods = operation.definition.affectsState === true ? ['POST'] : ['GET', 'POST'];
  if (!methods.includes(method)) throw failure('method', 'not-supported', `${name} takes ${methods.join(' and ')}.`).withAllow(methods);
  const { code, affectsState } = operation.definition;
  const asked = { code, affectsState: affectsState === true, interaction: operation.interaction, type: type ?? '*' };
  checkOperation(call.caller, asked, call.ifMatch);
  return operation.perform(house, call, {
    ...(type === undefined ? {} : { type }),
    ...(id === undefined ? {} : { id }),
    ...(resource === undefined ? {} : { body: resource }),
    query,
  });
};
