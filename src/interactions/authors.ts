import type { Caller } from '../access/caller.js';
import type { Draft } from '../domain/command.js';
import { refusal } from '../domain/refusal.js';
import type { Call, House } from './house.js';

/** What both sides of a referral write to it: each changes its own alone. */
const authored: ReadonlySet<string> = new Set(['DocumentReference', 'QuestionnaireResponse']);

// beside the keys that open a record, and like none of them: it opens nothing
const prefix = 'author:';

const keyOf = ({ kind, organisation, patientId }: Caller): string | undefined => {
  if (kind === 'patient') return patientId === undefined ? undefined : `${prefix}patient:${patientId}`;
  return kind === 'system' || organisation === undefined ? undefined : `${prefix}organisation:${organisation}`;
};

type Written = Pick<Draft, 'type' | 'id' | 'version'>;

const knownOf = async (house: House, draft: Written): Promise<readonly string[]> =>
  draft.version === 0 ? [] : (await house.store.keysOf(draft)).filter((key) => key.startsWith(prefix));

/** The key that says who wrote the record first; it stays with it, whoever changes the record. */
export const authorKeys = async (house: House, { caller }: Call, draft: Draft): Promise<readonly string[]> => {
  if (!authored.has(draft.type)) return [];
  const own = draft.version === 0 ? keyOf(caller) : undefined;
  return own === undefined ? knownOf(house, draft) : [own];
};

/**
 * A letter is changed by who wrote it: the practice, the provider or the patient. Of one whose author is not known, as a system client wrote
 * it, a patient is not the author.
 *
 * @throws Failure `forbidden` (NO_RELATIONSHIP)
 */
export const refuseOtherAuthor = async (house: House, { caller }: Call, draft: Written): Promise<void> => {
  if (caller.kind === 'system' || draft.version === 0 || !authored.has(draft.type)) return;
  const known = await knownOf(house, draft);
  const own = keyOf(caller);
  if (known.length === 0 ? caller.kind !== 'patient' : own !== undefined && known.includes(own)) return;
  throw refusal('forbidden', 'forbidden', 'NO_RELATIONSHIP', `The ${draft.type} is of another author.`, draft.type);
};
