import { Failure, failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import { dispatch } from './dispatch.js';
import { bundleOf, callOf, failureText, interactiveOf, readEntries, readText, type Entry } from './entries.js';
import type { Call, House, Success } from './house.js';
import { transaction } from './transaction.js';

/** Entries that are under way together: their writes share a sync to disk, and one batch does not crowd out other clients. */
const together = 8;

/** R4 http.html#transaction: POST of a Bundle to the base; a batch's entries stand alone, a transaction's are one. */
export const processBundle = async (house: House, call: Call, bundle: Resource): Promise<Success> => {
  if (bundle.resourceType !== 'Bundle')
    throw failure('invalid', 'invalid', `The base takes a Bundle, not a ${bundle.resourceType}.`, { expression: [bundle.resourceType] });
  const type = bundle['type'];
  if (type !== 'batch' && type !== 'transaction')
    throw failure('invalid', 'invalid', 'The Bundle must be a batch or a transaction.', { expression: ['Bundle.type'] });
  const entries = readEntries(house, bundle);
  const parts = type === 'batch' ? await batch(house, call, entries) : await transaction(house, call, entries);
  return { status: 200, body: bundleOf(`${type}-response`, parts), headers: {} };
};

/** A Bundle with its audit: a transaction is one access, the entries of a batch are each their own, and a batch that has none is one refused. */
export const auditedBundle = async (house: House, call: Call, bundle: Resource): Promise<Success> => {
  if (bundle['type'] !== 'batch')
    return house.witness.around(house, call, { doing: 'transaction', action: 'E' }, (own) => processBundle(own, call, bundle));
  try {
    return await processBundle(house, call, bundle);
  } catch (error) {
    house.witness.refused(call, error);
    throw error;
  }
};

/** R4 http.html#brules: the entries do not depend on each other, and their order means nothing. */
const batch = async (house: House, call: Call, entries: readonly Entry[]): Promise<readonly string[]> => {
  const parts: string[] = [];
  for (let from = 0; from < entries.length; from += together)
    parts.push(
      ...(await Promise.all(
        entries.slice(from, from + together).map((entry, index) => standingAlone(house, partOf(callOf(call, entry), from + index), entry)),
      )),
    );
  return parts;
};

/** An entry's place is part of which write it is, should the batch be sent again. */
const partOf = (call: Call, part: number): Call => (call.about ? { ...call, about: { ...call.about, part } } : call);

const standingAlone = async (house: House, call: Call, entry: Entry): Promise<string> => {
  try {
    return readText(house, call, entry, await dispatch(house, call, interactiveOf(entry)));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return failureText(error);
  }
};
