import type { Predicate } from '../../store/port.js';
import { anyPredicate, predicateOf, targetsOf, tokenValue, wrongValue, type Criterion, type Setting } from './criteria.js';
import { splitAt, unescaped } from './escaping.js';
import { orderOf } from './extract.js';
import type { SearchParameter, SearchParameters } from './parameters.js';

type Component = Pick<SearchParameter, 'code' | 'type' | 'targets' | 'elements' | 'bindings'>;

const componentsOf = (parameter: SearchParameter, parameters: SearchParameters): readonly Component[] =>
  parameter.components.map(({ definition }) => {
    const { code = '', type = 'token', targets = [] } = parameters.byUrl(definition) ?? {};
    // what its elements are depends on the element that the composite is of
    return { code, type, targets, elements: [], bindings: [] };
  });

/** The names that the extractor gave to a component's value (see extract). */
const namesOf = (criterion: Criterion, setting: Setting): readonly string[] => {
  const { parameter, value } = criterion;
  if (parameter.type === 'token')
    return tokenValue(criterion, value, setting).map(({ system, code }) =>
      system === undefined ? `*|${code ?? ''}` : `${system}|${code ?? ''}`,
    );
  if (parameter.type === 'reference') return targetsOf(criterion, unescaped(value), setting).map(({ type, id }) => `${type}/${id}`);
  return [unescaped(value)];
};

/** R4 search.html#combining: the values of the components, joined by `$`, for the same element. */
export const compositePredicate = (
  name: string,
  parameter: SearchParameter,
  value: string,
  parameters: SearchParameters,
  setting: Setting,
): Predicate => {
  const components = componentsOf(parameter, parameters);
  const order = orderOf(components.map(({ type }) => type));
  const alternatives = splitAt(value, ',').flatMap((text): readonly Predicate[] => {
    const parts = splitAt(text, '$');
    if (parts.length !== components.length || parts.includes(''))
      throw wrongValue(name, `write ${components.map(({ code }) => code).join('$')}, with a value for each.`);
    const criterion = (index: number, code?: string): Criterion => {
      const component = components[index]!;
      return { name, parameter: { ...component, code: code ?? component.code }, modifier: undefined, value: parts[index] ?? '' };
    };
    let names: readonly string[] = [parameter.code];
    for (const index of order.slice(0, -1))
      names = names.flatMap((before) => namesOf(criterion(index), setting).map((own) => `${before}$${own}`));
    return names.map((code) => predicateOf(criterion(order.at(-1) ?? 0, code), setting));
  });
  return anyPredicate(alternatives);
};
