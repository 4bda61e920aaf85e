import type { Draft } from '../domain/command.js';
import { failure } from '../fhir/outcome.js';
import { readReference, type FoundReference } from '../fhir/references.js';
import { referenceTo, type Key } from '../fhir/resource.js';
import type { Value } from '../store/port.js';
import type { House } from './house.js';
import { hadBefore } from './unseen.js';

/** Literal local references that no search parameter covers: kept under `*`, so that every one of them must resolve. */
export const otherReferences = (
  house: Pick<House, 'searchParameters' | 'baseUrl' | 'integrity' | 'registry'>,
  type: string,
  references: readonly FoundReference[],
  extracted: readonly Value[],
): readonly Value[] => {
  const offered = house.searchParameters.of(type);
  // a parameter that was added may go again, and with it what it covers
  const covers = (param: string): boolean => offered.get(param)?.added === undefined;
  const covered = new Set(
    extracted.flatMap((value) => (value.kind === 'reference' && covers(value.param) ? [referenceTo(value.target)] : [])),
  );
  const values: Value[] = [];
  for (const { reference, path } of references) {
    if (reference === undefined) continue;
    const target = readReference(reference, house.baseUrl);
    if (!target && house.integrity && !isForeign(reference))
      throw failure(
        'business-rule',
        'not-found',
        `${reference.slice(0, 200)} is no reference that can resolve: it is neither Type/id nor the address of something elsewhere.`,
        {
          expression: [`${path}.reference`],
        },
      );
    if (!target || covered.has(referenceTo(target))) continue;
    if (!house.registry.has(target.type) && !house.integrity) continue;
    if (!house.registry.has(target.type))
      throw failure('business-rule', 'not-found', `References to ${target.type} cannot resolve: this server does not serve that type.`, {
        expression: [`${path}.reference`],
      });
    covered.add(referenceTo(target));
    values.push({ kind: 'reference', param: '*', target: { type: target.type, id: target.id } });
  }
  return values;
};

/**
 * Inside of the resource, or with a scheme of its own. What is named by a UUID or OID alone is another entry of the same Bundle, and one
 * that is still there when the entries were put in their places is none of them.
 */
const isForeign = (reference: string): boolean =>
  reference.startsWith('#') || (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference) && !/^urn:(uuid|oid):/i.test(reference));

/**
 * R4 references.html#versions: a versioned reference is to the current version when it is written, and the commit makes sure that it
 * still is. One that the version before had already may have grown old since.
 */
export const versionsReferredTo = async (
  house: House,
  draft: Draft,
  references: readonly FoundReference[],
  drafts: readonly Draft[],
): Promise<readonly (Key & { readonly version: number })[]> => {
  const expects: (Key & { readonly version: number })[] = [];
  for (const { reference, path } of references) {
    const target = reference === undefined ? undefined : readReference(reference, house.baseUrl);
    if (reference === undefined || target?.version === undefined || (await hadBefore(house, draft, reference))) continue;
    const drafted = drafts.find(({ type, id }) => type === target.type && id === target.id);
    const current = drafted ? drafted.version + 1 : (await house.store.find(target, 'all'))?.version;
    if (current === undefined || String(current) !== target.version)
      throw failure('conflict', 'conflict', `${reference} is not the current version of ${referenceTo(target)}.`, {
        expression: [`${path}.reference`],
      });
    if (!drafted) expects.push({ type: target.type, id: target.id, version: current });
  }
  return expects;
};
