import type { SearchParameter, SearchParameters } from './parameters.js';

type Offered = {
  readonly name: string;
  readonly definition?: string;
  readonly type: SearchParameter['type'];
  readonly documentation?: string;
};

/** What every type takes beside its own parameters; R4 gives these no SearchParameter of their own. */
const everywhere: readonly Offered[] = [
  { name: '_filter', type: 'special', documentation: 'R4 search_filter.html' },
  { name: '_has', type: 'special', documentation: 'Reverse chains, nested: _has:Type:reference:parameter' },
  { name: '_list', type: 'special', documentation: 'The id of a List: its items' },
];

/** What a CapabilityStatement says of searches on a type, from the parameters that the parser takes. */
export const searchOffered = (type: string, types: readonly string[], parameters: SearchParameters) => {
  const ready = (of: string): readonly SearchParameter[] => [...parameters.of(of).values()].filter(({ added }) => added?.pending !== true);
  const references = (of: string): readonly SearchParameter[] => ready(of).filter((parameter) => parameter.type === 'reference');
  const pointsHere = ({ targets, elements }: SearchParameter): boolean =>
    (targets.length === 0 || targets.includes(type)) && (elements.length === 0 || elements.includes('Reference'));
  return {
    searchInclude: ['*', ...references(type).map(({ code }) => `${type}:${code}`)],
    searchRevInclude: [
      '*',
      ...types
        .filter((other) => other !== 'AuditEvent')
        .flatMap((other) =>
          references(other)
            .filter(pointsHere)
            .map(({ code }) => `${other}:${code}`),
        ),
    ],
    searchParam: [...ready(type).map(({ code, url, type: kind }): Offered => ({ name: code, definition: url, type: kind })), ...everywhere],
  };
};
