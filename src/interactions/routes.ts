import type { Facts } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { Interaction, ResourceType } from '../resources/registry.js';
import { decideConditionalCreate, refuseOtherType } from './create.js';
import { history } from './history.js';
import type { Call, House, Success } from './house.js';
import { decideConditionalPatch, decidePatch, readPatch } from './patch.js';
import type { Verdict } from './perform.js';
import { urlOf, type Query } from './query.js';
import { read } from './read.js';
import { decideConditionalRemove, decideRemove } from './remove.js';
import { search } from './search.js';
import { decideConditionalUpdate, decideUpdate, refuseOtherId } from './update.js';
import { vread } from './vread.js';

/** A request that has found its route. */
export type Asked = {
  readonly house: House;
  readonly call: Call;
  readonly row: ResourceType;
  readonly type: string;
  readonly id: string;
  readonly version: string;
  readonly query: Query;
  /** the body as it was parsed; absent when there was none */
  readonly body: unknown;
};

export const shapes = ['type', 'type-search', 'type-history', 'instance', 'instance-history', 'version'] as const;
export type Shape = (typeof shapes)[number];

type Common = {
  readonly shape: Shape;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** what the registry must offer on the type */
  readonly offered: Interaction;
  /** the scope letter */
  readonly letter: 'c' | 'r' | 'u' | 'd' | 's';
  /** R4 http.html: a conditional interaction on the type, which needs criteria */
  readonly conditional?: true;
};
export type Reading = Common & { readonly perform: (asked: Asked) => Promise<Success> };
/** A write is a decision, so that a request and a transaction's entry share it whole. */
export type Writing = Common & { readonly decide: (asked: Asked, facts: Facts) => Promise<Verdict> };
/** One row an interaction of R4 http.html: where it is, its verb, what it does. */
export type Route = Reading | Writing;

const bodyOf = ({ body }: Asked): Resource => {
  if (body === undefined) throw failure('invalid', 'required', 'The body is missing.');
  if (typeof body !== 'object' || body === null || typeof (body as { readonly resourceType?: unknown }).resourceType !== 'string')
    throw failure('invalid', 'structure', 'The body must be one FHIR resource: an object with resourceType.');
  return body as Resource;
};

const patchOf = ({ body }: Asked) => {
  if (body === undefined) throw failure('invalid', 'required', 'The body is missing.');
  return readPatch(body);
};

/** The criteria of a conditional interaction, as they came after `?`. */
const criteriaOf = ({ query }: Asked): string =>
  urlOf(
    '',
    query.filter(([name]) => name !== '_format' && name !== '_pretty'),
  );

const keyOf = ({ type, id }: Asked) => ({ type, id });

export const routes: readonly Route[] = [
  {
    shape: 'type',
    method: 'GET',
    offered: 'search-type',
    letter: 's',
    perform: ({ house, call, type, query }) => search(house, call, type, query),
  },
  {
    shape: 'type',
    method: 'POST',
    offered: 'create',
    letter: 'c',
    decide: (asked, facts) => {
      const resource = bodyOf(asked);
      refuseOtherType(resource, asked.type);
      return decideConditionalCreate(asked.house, asked.call, resource, facts);
    },
  },
  {
    shape: 'type',
    method: 'PUT',
    offered: 'update',
    letter: 'u',
    conditional: true,
    decide: (asked, facts) => {
      const resource = bodyOf(asked);
      refuseOtherType(resource, asked.type);
      return decideConditionalUpdate(asked.house, asked.call, asked.type, criteriaOf(asked), resource, facts);
    },
  },
  {
    shape: 'type',
    method: 'PATCH',
    offered: 'patch',
    letter: 'u',
    conditional: true,
    decide: (asked, facts) => decideConditionalPatch(asked.house, asked.call, asked.type, criteriaOf(asked), patchOf(asked), facts),
  },
  {
    shape: 'type',
    method: 'DELETE',
    offered: 'delete',
    letter: 'd',
    conditional: true,
    decide: (asked) => decideConditionalRemove(asked.house, asked.call, asked.type, criteriaOf(asked)),
  },
  {
    shape: 'type-search',
    method: 'POST',
    offered: 'search-type',
    letter: 's',
    perform: ({ house, call, type, query }) => search(house, call, type, query),
  },
  {
    shape: 'type-history',
    method: 'GET',
    offered: 'history-type',
    letter: 'r',
    perform: ({ house, call, type, query }) => history(house, call, { type }, query),
  },
  {
    shape: 'instance',
    method: 'GET',
    offered: 'read',
    letter: 'r',
    perform: ({ house, call, type, id, query }) => read(house, call, { type, id }, query),
  },
  {
    shape: 'instance',
    method: 'PUT',
    offered: 'update',
    letter: 'u',
    decide: (asked, facts) => {
      const resource = bodyOf(asked);
      refuseOtherId(resource, keyOf(asked));
      return decideUpdate(asked.house, asked.call, keyOf(asked), resource, facts);
    },
  },
  {
    shape: 'instance',
    method: 'PATCH',
    offered: 'patch',
    letter: 'u',
    decide: (asked, facts) => decidePatch(asked.house, asked.call, keyOf(asked), patchOf(asked), facts),
  },
  {
    shape: 'instance',
    method: 'DELETE',
    offered: 'delete',
    letter: 'd',
    decide: (asked) => decideRemove(asked.house, asked.call, keyOf(asked)),
  },
  {
    shape: 'instance-history',
    method: 'GET',
    offered: 'history-instance',
    letter: 'r',
    perform: ({ house, call, type, id, query }) => history(house, call, { type, id }, query),
  },
  {
    shape: 'version',
    method: 'GET',
    offered: 'vread',
    letter: 'r',
    perform: ({ house, call, type, id, version, query }) => vread(house, call, { type, id }, version, query),
  },
];

/** The shape of a path below the base; undefined when nothing of R4 has it. */
export const shapeOf = (words: readonly string[]): Shape | undefined => {
  if (words.length > 4) return undefined;
  const [, id, word, version] = words;
  if (id === undefined) return 'type';
  if (id === '_search' && word === undefined) return 'type-search';
  if (id === '_history' && word === undefined) return 'type-history';
  if (word === undefined) return 'instance';
  if (word !== '_history') return undefined;
  return version === undefined ? 'instance-history' : 'version';
};
