import type { SearchPlan, Put, Value } from '../../src/store/port.js';

/** A version of a resource for the store, with a body that says which version it is. */
export const put = (type: string, id: string, version = 0, more: Partial<Put> = {}): Put => ({
  type,
  id,
  version,
  lastUpdated: 1_700_000_000_000 + version,
  body: `{"resourceType":"${type}","id":"${id}","v":${String(version + 1)}}`,
  values: [],
  accessKeys: [],
  accessLinks: [],
  ...more,
});
export const token = (param: string, code: string, system = ''): Value => ({ kind: 'token', param, code, system });

/** A search of a type, unsorted, with a page of 50. */
export const plan = (type: string, where: SearchPlan['where'], more: Partial<SearchPlan> = {}): SearchPlan => ({
  type,
  where,
  sort: [],
  count: 50,
  ...more,
});

export const idsOf = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);
