import { capabilityFor } from '../fhir/capability.js';
import { parseJson, stringifyJson } from '../fhir/json.js';
import type { Resource } from '../fhir/resource.js';
import { readSubset, subsetOf } from '../fhir/subset.js';
import { operations } from '../operations/operations.js';
import { compartments } from '../resources/compartments.js';
import type { House, Success } from './house.js';
import type { Query } from './query.js';

/** The statements as texts: made once for each mode and address, and anew when search parameters are added. */
export const capabilityTexts = (version: string, date: string, house: () => House): House['capability'] => {
  const statements = new Map<string, string>();
  return (mode) => {
    const { registry, searchParameters, baseUrl } = house();
    const key = `${mode ?? 'full'} ${String(searchParameters.generation())} ${baseUrl}`;
    const known = statements.get(key);
    if (known !== undefined) return known;
    const parts = { registry, searchParameters, operations, compartments: Object.keys(compartments), baseUrl, version, date };
    const text = JSON.stringify(capabilityFor(parts, mode));
    if (statements.size > 20) statements.clear();
    statements.set(key, text);
    return text;
  };
};

/** R4 http.html#capabilities, open to all; the part of it that `_summary` or `_elements` asks for. */
export const capabilities = (house: House, query: Query): Success => {
  const parameters = new Map(query);
  const text = house.capability(parameters.get('mode'));
  const subset = readSubset(parameters.get('_summary'), parameters.get('_elements'));
  const body = subset ? stringifyJson(subsetOf(parseJson(text) as Resource, subset, house.shapes)) : text;
  return { status: 200, body, headers: {} };
};
