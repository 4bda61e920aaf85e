/** Query parameters in the order they came. */
export type Query = readonly (readonly [string, string])[];

/** Reads the part of a URL after `?`. */
export const queryOf = (text: string): Query => (text === '' ? [] : [...new URLSearchParams(text).entries()]);

/** `path` with the parameters that are left after `?`, or alone when none is. */
export const urlOf = (path: string, query: Query): string => {
  const text = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
  return text === '' ? path : `${path}?${text}`;
};

/** A URL with one more parameter at its end. */
export const withParameter = (url: string, name: string, value: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams([[name, value]]).toString()}`;
