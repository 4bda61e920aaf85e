import type { Appointment, Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import { refuseMisnamed } from '../misnamed.js';
import { refusal } from '../refusal.js';
import type { Situation } from '../situation.js';

type Participants = Appointment['participant'];

/** Who may take part under an identifier alone, by its system. */
const types: Readonly<Record<string, string>> = {
  [systems.nhsNumber]: 'Patient',
  [systems.service]: 'HealthcareService',
  [systems.sdsUser]: 'Practitioner',
};

/** References to resources of the type among those who take part. */
export const referencesIn = (participants: Participants, type: string): readonly string[] =>
  participants.flatMap(({ actor }) => (actor?.reference?.startsWith(`${type}/`) === true ? [actor.reference] : []));

const literal = async ({ facts, baseUrl }: Situation, actor: Reference, index: number): Promise<Reference> => {
  const key = readReference(actor.reference ?? '', baseUrl);
  if (key !== undefined) {
    const needsLook = key.version !== undefined || actor.identifier !== undefined;
    const found = needsLook ? await facts.find({ type: key.type, id: key.id }) : undefined;
    refuseMisnamed(actor, found, { baseUrl, what: key.type, expression: `Appointment.participant[${String(index)}].actor` });
    return { ...actor, reference: `${key.type}/${key.id}` };
  }
  if (actor.reference !== undefined) return actor;
  const { system = '', value = '' } = actor.identifier ?? {};
  const type = types[system];
  if (type === undefined) return actor;
  const found = await facts.byIdentifier(type, system, value);
  if (!found)
    throw refusal(
      'business-rule',
      'not-found',
      'REFERENCE_NOT_FOUND',
      `There is no ${type} with the identifier ${value}.`,
      `Appointment.participant[${String(index)}].actor`,
    );
  return { ...actor, reference: `${found.type}/${found.id}` };
};

/**
 * Those who take part, with a literal reference where only their identifier was given: both mean the same to every rule. Refuses an
 * identifier that nobody has: REFERENCE_NOT_FOUND, one of somebody else than the reference, and an old version.
 */
export const named = (situation: Situation, participants: Participants): Promise<Participants> =>
  Promise.all(
    participants.map(async (one, index) => (one.actor === undefined ? one : { ...one, actor: await literal(situation, one.actor, index) })),
  );
