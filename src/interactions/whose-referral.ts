import type { Reference } from 'fhir/r4.js';
import { foundOf, type Draft } from '../domain/command.js';
import { goesOnAs } from '../domain/demographics/demographics.js';
import { refusal } from '../domain/refusal.js';
import { readReference } from '../fhir/references.js';
import type { Key, Resource } from '../fhir/resource.js';
import type { AccessLink } from '../store/port.js';
import type { Call, House } from './house.js';

/** What is written to a referral about its patient. */
const about: ReadonlySet<string> = new Set(['DocumentReference', 'QuestionnaireResponse']);

const patientOf = (house: House, resource: Resource | undefined): string | undefined => {
  const key = readReference((resource?.['subject'] as Reference | undefined)?.reference ?? '', house.baseUrl);
  return key?.type === 'Patient' ? key.id : undefined;
};

/**
 * A letter about one patient does not go to the referral of another. `subject`: whom the record is about.
 *
 * @throws Failure `business-rule` (CONFLICTING_VALUES)
 */
export const refuseOtherPatient = async (
  house: House,
  { caller }: Call,
  draft: Draft,
  subject: Key | undefined,
  links: readonly AccessLink[],
  drafts: readonly Draft[],
): Promise<void> => {
  if (caller.kind === 'system' || subject?.type !== 'Patient' || !about.has(draft.type)) return;
  const find = async (key: Key) => foundOf(await house.store.find(key, 'all'));
  for (const { child, root } of links) {
    if (child.type !== draft.type || child.id !== draft.id) continue;
    const drafted = drafts.find(({ type, id }) => type === root.type && id === root.id)?.resource;
    const patient = patientOf(house, drafted ?? (await find(root))?.resource);
    if (patient === undefined || patient === subject.id) continue;
    if (!(await goesOnAs(find, { type: 'Patient', id: patient }, subject, house.baseUrl)))
      throw refusal(
        'business-rule',
        'business-rule',
        'CONFLICTING_VALUES',
        `The ${draft.type} is about another patient than the referral.`,
        `${draft.type}.subject`,
      );
  }
};
