import type { Extractor } from '../fhir/search/extract.js';
import type { Predicate, Value } from '../store/port.js';

const param = '_outdated';
const mark: Value = { kind: 'token', param, system: '', code: 'true' };

/** What a server wrote that indexes otherwise than is wanted by now. */
export const outdated: Predicate = { kind: 'token', param, any: [{ code: 'true' }], identifying: true };

/** An extractor that marks its values where they are not what is wanted: they are made anew by who knows how. */
export const markOutdated =
  (extract: Extractor, isOvertaken: (type: string) => boolean): Extractor =>
  (resource, context, only) => {
    const values = extract(resource, context, only);
    return only === undefined && isOvertaken(resource.resourceType) ? [...values, mark] : values;
  };
