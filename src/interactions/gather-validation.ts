import type { Questionnaire } from 'fhir/r4.js';
import { parseJson } from '../fhir/json.js';
import { readReference } from '../fhir/references.js';
import type { Resource } from '../fhir/resource.js';
import type { Draft } from '../domain/command.js';
import type { ValidateOptions } from '../validation/validator.js';
import type { Predicate } from '../store/port.js';
import type { House } from './house.js';

/** Canonicals that a body may name before looking them up is no longer worth it. */
const mostQuestionnaires = 20;

const canonicalsIn = (value: unknown, found: Set<string>, depth = 0): Set<string> => {
  if (typeof value !== 'object' || value === null || depth > 6 || found.size >= mostQuestionnaires) return found;
  const { resourceType, questionnaire, entry, resource, parameter } = value as Readonly<Record<string, unknown>>;
  if (resourceType === 'QuestionnaireResponse' && typeof questionnaire === 'string' && !questionnaire.startsWith('#'))
    found.add(questionnaire);
  // the resources inside Bundles and Parameters are validated as well
  for (const inner of [entry, parameter]) if (Array.isArray(inner)) for (const item of inner) canonicalsIn(item, found, depth + 1);
  return canonicalsIn(resource, found, depth + 1);
};

const isMeant = (resource: Resource | undefined, url: string, version: string | undefined): boolean =>
  resource?.resourceType === 'Questionnaire' && resource['url'] === url && (version === undefined || resource['version'] === version);

/** The stored Questionnaire of a canonical, the newest where there are several versions; or of this server's own URL for one. */
const findQuestionnaire = async (house: House, canonical: string, drafts: readonly Draft[]): Promise<Questionnaire | undefined> => {
  const [url = '', version] = canonical.split('|');
  const drafted = drafts.find(({ resource }) => isMeant(resource, url, version))?.resource;
  if (drafted !== undefined) return drafted as unknown as Questionnaire;
  const own = readReference(url, house.baseUrl);
  if (own?.type === 'Questionnaire') {
    const stored = await house.store.find(own, 'all');
    return stored?.body === undefined ? undefined : (parseJson(stored.body) as Questionnaire);
  }
  const where: Predicate[] = [{ kind: 'text', param: 'url', mode: 'exact', any: [url] }];
  if (version !== undefined) where.push({ kind: 'token', param: 'version', any: [{ code: version }] });
  const newestFirst = [{ param: '_lastUpdated', kind: 'updated', descending: true }] as const;
  const { rows } = await house.store.search({ type: 'Questionnaire', where, sort: newestFirst, count: 1 }, 'all');
  const [newest] = rows;
  return newest?.body === undefined ? undefined : (parseJson(newest.body) as Questionnaire);
};

const questionnairesOf = async (
  house: House,
  resource: unknown,
  drafts: readonly Draft[],
): Promise<Pick<ValidateOptions, 'questionnaire'>> => {
  const canonicals = [...canonicalsIn(resource, new Set())].filter(
    (canonical) => house.definitions.findQuestionnaire(canonical) === undefined,
  );
  if (canonicals.length === 0) return {};
  const found = new Map<string, Questionnaire | undefined>();
  for (const canonical of canonicals) found.set(canonical, await findQuestionnaire(house, canonical, drafts));
  return { questionnaire: (canonical) => found.get(canonical) };
};

/**
 * What the validator needs to know of the world outside a resource, before it judges: the Questionnaires that it answers, and what the
 * terminology server, where there is one, says of the codes that nothing here can judge.
 */
export const gatherForValidation = async (
  house: House,
  resource: unknown,
  drafts: readonly Draft[] = [],
  profiles: readonly string[] = [],
): Promise<ValidateOptions> => {
  const questionnaires = await questionnairesOf(house, resource, drafts);
  const { terminologyServer } = house;
  if (terminologyServer === undefined) return questionnaires;
  const questions = house.questions(resource, { ...questionnaires, profiles });
  return questions.length === 0 ? questionnaires : { ...questionnaires, answers: await terminologyServer.ask(questions) };
};
