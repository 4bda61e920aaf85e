import { parseJson, stringifyJson } from '../fhir/json.js';
import type { Resource } from '../fhir/resource.js';
import { subsetOf, type Subset } from '../fhir/subset.js';
import type { Stored } from '../store/port.js';
import type { House } from './house.js';

/** The row with the part of its text that _summary or _elements leaves. */
export const subsetText = (house: House, row: Stored, subset: Subset | undefined): Stored =>
  subset === undefined || row.body === undefined
    ? row
    : { ...row, body: stringifyJson(subsetOf(parseJson(row.body) as Resource, subset, house.shapes)) };
