import type { CodeSystem } from 'fhir/r4.js';
import { localDayOf } from '../calendar/working-days.js';
import type { ReferenceSystem } from '../codes.js';
import type { Facts } from '../command.js';

/** A concept of a reference CodeSystem with its properties by code; those that repeat have several values. */
export type Concept = {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
  readonly all: (property: string) => readonly string[];
  readonly one: (property: string) => string | undefined;
  readonly is: (property: string) => boolean;
};

type Raw = NonNullable<CodeSystem['concept']>[number];
type Property = NonNullable<Raw['property']>[number];

const find = (concepts: readonly Raw[], code: string): Raw | undefined => {
  for (const concept of concepts) {
    const found = concept.code === code ? concept : find(concept.concept ?? [], code);
    if (found) return found;
  }
  return undefined;
};

const textOf = (property: Property): string =>
  property.valueCode ??
  property.valueString ??
  property.valueCoding?.code ??
  property.valueDateTime ??
  String(property.valueBoolean ?? property.valueInteger ?? property.valueDecimal ?? '');

export const conceptIn = (codeSystem: CodeSystem, code: string): Concept | undefined => {
  const raw = find(codeSystem.concept ?? [], code);
  if (!raw) return undefined;
  const all = (name: string): readonly string[] => (raw.property ?? []).filter((property) => property.code === name).map(textOf);
  return {
    system: codeSystem.url ?? '',
    code,
    ...(raw.display === undefined ? {} : { display: raw.display }),
    all,
    one: (name) => all(name)[0],
    is: (name) => all(name)[0] === 'true',
  };
};

/** The concept as the CodeSystem that is served says it now: a site that loads the full lists changes the rules with them. */
export const gatherConcept = async (facts: Facts, id: ReferenceSystem, code: string | undefined): Promise<Concept | undefined> => {
  if (code === undefined) return undefined;
  const found = await facts.find({ type: 'CodeSystem', id }, 'all');
  return found && conceptIn(found.resource as unknown as CodeSystem, code);
};

/** The first concept that has a value among those of a property, in the order of the CodeSystem that is served. */
export const gatherConceptWith = async (
  facts: Facts,
  id: ReferenceSystem,
  property: string,
  value: string,
): Promise<Concept | undefined> => {
  const found = await facts.find({ type: 'CodeSystem', id }, 'all');
  const codeSystem = found?.resource as unknown as CodeSystem | undefined;
  for (const { code } of codeSystem?.concept ?? []) {
    const concept = codeSystem && conceptIn(codeSystem, code);
    if (concept?.all(property).includes(value) === true) return concept;
  }
  return undefined;
};

/** A day begins as it does in England. `date`: YYYY-MM-DD, or an instant. */
const hasCome = (date: string, now: string): boolean =>
  date.includes('T') ? Date.parse(date) <= Date.parse(now) : date <= localDayOf(now);

/** effectiveFrom and effectiveTo: a code whose time is over is only shown. `now`: ISO 8601. */
export const isInEffect = (concept: Concept, now: string): boolean => {
  const from = concept.one('effectiveFrom');
  const to = concept.one('effectiveTo');
  return (from === undefined || hasCome(from, now)) && (to === undefined || !hasCome(to, now));
};
