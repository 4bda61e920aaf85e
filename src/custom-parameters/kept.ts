import type { SearchParameter as Definition } from 'fhir/r4.js';
import type { Usable } from '../fhir/search/added.js';
import type { Entry, EntryPut } from '../store/port.js';

/** Index values of a parameter of a type, as they stand with the resources of the type. */
export type Indexed = { readonly type: string; readonly code: string };

/**
 * What the server keeps of a SearchParameter that a client sent, beside the resource itself and written with it: whether searches may
 * use it yet, and what must be indexed anew before they may.
 */
export type Kept = {
  /** undefined: not used any more, or never */
  readonly usable: Usable | undefined;
  /** to be indexed anew, by the definition or without it; empty when all is done */
  readonly due: readonly Indexed[];
};

export type KeptEntry = { readonly id: string; readonly version: number; readonly kept: Kept };

export const readKept = ({ key, version, body }: Entry): KeptEntry => ({ id: key, version, kept: JSON.parse(body) as Kept });

export const keptPut = (id: string, version: number, kept: Kept | undefined): EntryPut => ({
  kind: 'search-parameter',
  key: id,
  version,
  body: kept && JSON.stringify(kept),
});

/** What decides the index values: other changes of a definition need no new index. */
const deciding = ({ definition: { code, type, expression, component }, types }: Usable): string =>
  JSON.stringify([code, type, expression, component, types]);

const indexedBy = (usable: Usable | undefined): readonly Indexed[] =>
  usable?.types.map((type) => ({ type, code: usable.definition.code })) ?? [];

/** Only what searches need of a definition. */
const lean = ({ definition, types }: Usable): Usable => {
  const { resourceType, url, name, status, description, code, base, type, expression, target, component } = definition;
  const kept = { resourceType, url, name, status, description, code, base, type, expression, target, component };
  return { definition: JSON.parse(JSON.stringify(kept)) as Definition, types };
};

/** What is to be kept after a write; undefined when there is nothing to keep and nothing to do. */
export const keptAfter = (before: Kept | undefined, usable: Usable | undefined): Kept | undefined => {
  const now = usable && lean(usable);
  if (!before) return now && { usable: now, due: indexedBy(now) };
  if (before.usable && now && deciding(before.usable) === deciding(now)) return { usable: now, due: before.due };
  const due = new Map([...before.due, ...indexedBy(before.usable), ...indexedBy(now)].map((one) => [`${one.type}.${one.code}`, one]));
  return { usable: now, due: [...due.values()] };
};
