/** Query parameters in the order they came. */
export type Query = readonly (readonly [string, string])[];

/** `path` with the parameters that are left after `?`, or alone when none is. */
export const urlOf = (path: string, query: Query): string => {
  const text = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
  return text === '' ? path : `${path}?${text}`;
};
