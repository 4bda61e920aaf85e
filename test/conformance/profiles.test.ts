import { existsSync, readFileSync } from 'node:fs';
import type { ElementDefinition, StructureDefinition } from 'fhir/r4.js';
import { besideProject, readArtefacts } from '../helpers/artefacts.js';
import { readDigest, shortStructure, shortValueSet, type DigestElement, type DigestEntry } from '../helpers/digest.js';

const file = besideProject('reference', 'uk-core-digest.txt');
const digest = existsSync(file) ? readDigest(readFileSync(file, 'utf8')) : [];
const { resources } = readArtefacts();
const ours = new Map(
  resources
    .filter((resource): resource is StructureDefinition => resource.resourceType === 'StructureDefinition')
    .map((definition) => [definition.id, definition]),
);
const ukCore = [...ours.values()].filter(({ copyright }) => copyright?.includes('UK Core'));

const typeOf = ({ code, profile, targetProfile }: NonNullable<ElementDefinition['type']>[number]): string => {
  if (profile !== undefined) return `${code}{${profile.map(shortStructure).join(',')}}`;
  return targetProfile === undefined ? code : `${code}(${targetProfile.map(shortStructure).join(',')})`;
};

/** One of our elements in the digest's terms. */
const inDigestTerms = (element: ElementDefinition): DigestElement => {
  const fixed = Object.entries(element).find(([key]) => key.startsWith('fixed'));
  const { slicing, binding } = element;
  return {
    id: element.id!,
    ...(element.min === undefined ? {} : { min: element.min }),
    ...(element.max === undefined ? {} : { max: element.max }),
    mustSupport: element.mustSupport === true,
    ...(slicing === undefined
      ? {}
      : { slicing: `${slicing.discriminator!.map(({ type, path }) => `${type}:${path}`).join(',')} ${slicing.rules}` }),
    types: (element.type ?? []).map(typeOf),
    ...(binding === undefined ? {} : { binding: `${binding.strength} ${shortValueSet(binding.valueSet ?? '')}` }),
    ...(fixed === undefined ? {} : { fixed: `${fixed[0]} ${String(fixed[1])}` }),
    rules: (element.constraint ?? []).map(({ key, severity, expression }) => `${key} ${severity} ${expression!}`),
  };
};

const constrains = ({ min, max, mustSupport, slicing, types, binding, fixed, rules }: DigestElement): boolean =>
  [min, max, slicing, binding, fixed].some((facet) => facet !== undefined) || mustSupport || types.length > 0 || rules.length > 0;
const byId = (elements: readonly DigestElement[]): readonly DigestElement[] => [...elements].sort((a, b) => a.id.localeCompare(b.id));

/** The digest has no line for an element that is there only to give a slice its name. */
const said = (elements: readonly DigestElement[]): readonly DigestElement[] => byId(elements.filter(constrains));

const live: readonly DigestEntry[] = digest.filter(({ status }) => status !== 'retired');

if (digest.length === 0) {
  test.skip('UK Core digest comparison: skipped, ../shared/reference/uk-core-digest.txt is not there', () => undefined);
} else {
  describe('the UK Core tables say what the digest of UK Core says', () => {
    test('every profile and extension that is not retired, and no other', () => {
      expect(ukCore.map(({ id }) => id).sort()).toEqual(live.map(({ id }) => id).sort());
    });

    test.each(live.map((entry) => [entry.id, entry] as const))('%s: version, base, context and every constrained element', (id, entry) => {
      const definition = ours.get(id)!;
      expect({
        version: definition.version,
        status: definition.status,
        date: definition.date,
        type: definition.type,
        base: shortStructure(definition.baseDefinition!),
        context: (definition.context ?? []).map(({ expression }) => expression),
      }).toEqual({
        version: entry.version,
        status: entry.status,
        date: entry.date,
        type: entry.type,
        base: entry.base,
        context: entry.context,
      });
      expect(said(definition.differential!.element.map(inDigestTerms))).toEqual(byId(entry.elements));
    });
  });
}
