import { createExtractor, type Extractor } from '../../src/fhir/search/extract.js';
import { createModel } from '../../src/fhir/search/model.js';
import { createSearchParameters } from '../../src/fhir/search/parameters.js';
import type { Definitions } from '../../src/validation/definitions.js';

/** What indexes by search parameters of the definitions, and of `more`, as the server does. */
export const indexing = (definitions: Definitions, more: Parameters<typeof createSearchParameters>[0] = []) => {
  const model = createModel(definitions.structures());
  const parameters = createSearchParameters([...definitions.searchParameters, ...more], model);
  const extract: Extractor = createExtractor(parameters, {
    model,
    isCaseSensitive: (system) => definitions.findCodeSystem(system)?.caseSensitive === true,
  });
  return { model, parameters, extract };
};
