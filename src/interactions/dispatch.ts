import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { checkInteraction } from '../access/policy.js';
import { findOperation } from '../operations/operations.js';
import { create } from './create.js';
import { history } from './history.js';
import type { Call, House, Success } from './house.js';
import { read } from './read.js';
import { remove } from './remove.js';
import { search } from './search.js';
import { update } from './update.js';
import { vread } from './vread.js';
import type { Interaction } from '../resources/registry.js';

/** A request relative to the FHIR base: what HTTP and a batch entry have in common. */
export type Interactive = { readonly method: string; readonly url: string; readonly resource?: Resource | undefined };

const idShape = /^[A-Za-z0-9\-.]{1,64}$/;

/** The one place that finds the interaction of a request: HTTP and batch entries run the same code. */
export const dispatch = async (house: House, call: Call, { method, url, resource }: Interactive): Promise<Success> => {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/^\/+|\/+$/g, '');
  const query = mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1)).entries()];
  const [type = '', id, word, version, ...rest] = path.split('/');
  const row = house.registry.get(type);
  if (!row || rest.length > 0) throw failure('not-found', 'not-supported', `There is nothing at ${path}.`);
  const offered = (interaction: Interaction) => row.interactions.includes(interaction);
  const unoffered = (allow: readonly (readonly [string, Interaction])[]) =>
    failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow(allow.filter(([, interaction]) => offered(interaction)).map(([verb]) => verb));
  const get = method === 'GET' || method === 'HEAD';

  if (id === undefined) {
    if (get && offered('search-type')) {
      checkInteraction(call.caller, type, 's');
      return search(house, call, type, query);
    }
    if (method === 'POST' && offered('create') && resource) {
      checkInteraction(call.caller, type, 'c');
      return create(house, call, type, resource);
    }
    throw unoffered([['GET', 'search-type'], ['POST', 'create']]);
  }
  if (id === '_search') {
    if (method !== 'POST') throw failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow(['POST']);
    checkInteraction(call.caller, type, 's');
    return search(house, call, type, query);
  }
  if (id === '_history' && word === undefined) {
    if (!get) throw failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow(['GET']);
    checkInteraction(call.caller, type, 'r');
    return history(house, call, { type }, query);
  }
  if (!idShape.test(id)) throw failure('invalid', 'value', 'An id has 1 to 64 letters, digits, - and . (R4 datatypes.html#id).');
  const key = { type, id };
  if (word === '_history') {
    if (!get) throw failure('method', 'not-supported', `${method} is not offered at ${path}.`).withAllow(['GET']);
    checkInteraction(call.caller, type, 'r');
    return version === undefined ? history(house, call, key, query) : vread(house, call, key, version);
  }
  if (word?.startsWith('$')) {
    const operation = findOperation(type, word.slice(1));
    if (!operation) throw failure('not-found', 'not-supported', `There is no operation ${word} on ${type}.`);
    if (method !== 'POST') throw failure('method', 'not-supported', `${word} takes POST.`).withAllow(['POST']);
    checkInteraction(call.caller, type, 'r');
    return operation.perform(house, call, key, resource);
  }
  if (word !== undefined) throw failure('not-found', 'not-supported', `There is nothing at ${path}.`);
  if (get && offered('read')) {
    checkInteraction(call.caller, type, 'r');
    return read(house, call, key);
  }
  if (method === 'PUT' && offered('update') && resource) {
    checkInteraction(call.caller, type, 'u');
    return update(house, call, key, resource);
  }
  if (method === 'DELETE' && offered('delete')) {
    checkInteraction(call.caller, type, 'd');
    return remove(house, call, key);
  }
  throw unoffered([['GET', 'read'], ['PUT', 'update'], ['DELETE', 'delete']]);
};
