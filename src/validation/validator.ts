import type { Questionnaire } from 'fhir/r4.js';
import type { Definitions } from './definitions.js';
import type { Finding } from './finding.js';
import { createFurnish } from './furnish.js';
import { itemsOf } from './invariants/native.js';
import type { ExtensionOptions } from './profiles/extensions.js';
import { createOverlays } from './profiles/overlay.js';
import type { CodingOptions } from './rules/coding.js';
import { checkQuestionnaireResponse } from './rules/questionnaire/response.js';
import { vitalSignsProfileOf } from './rules/vital-signs.js';
import { createShapes } from './shapes.js';
import { createStructureCheck } from './structure.js';
import { noAnswers, type CodeAnswers, type CodeQuestion } from './terminology/port.js';
import { createTerminology, type Terminology } from './terminology/terminology.js';
import type { CodeSet } from './terminology/value-sets.js';
import { isNode, Walk, type Node } from './walk.js';

export type ValidateOptions = {
  /** R4's own rules alone, no profile of any kind */
  readonly baseOnly?: true;
  /** canonicals that the caller asks for, beside `meta.profile` and the default of the type */
  readonly profiles?: readonly string[];
  /** a Questionnaire that is not among the definitions, for the response to it */
  readonly questionnaire?: (canonical: string) => Questionnaire | undefined;
  /** what a terminology server has said of the codes that `questions` names */
  readonly answers?: CodeAnswers;
};

export type ValidatorOptions = Partial<ExtensionOptions & CodingOptions> & {
  /** the canonical of the profile that resources of a type are held to by default */
  readonly defaultProfile?: (type: string) => string | undefined;
  /** what it is when nobody can tell whether a code meets a required binding; a warning unless a site says otherwise */
  readonly undecidedCodes?: 'warning' | 'error';
};

export type Validator = {
  /** What is wrong with a parsed resource; `resource` may be anything at all. */
  readonly validate: (resource: unknown, options?: ValidateOptions) => readonly Finding[];
  /** The codes of a resource that nothing here can judge, to be asked of a terminology server before it is validated. */
  readonly questions: (resource: unknown, options?: ValidateOptions) => readonly CodeQuestion[];
  readonly terminology: Terminology;
};

/** UK Core's profile of a type is the default, where UK Core has one. */
export const ukCoreByDefault = ({ findStructure }: Definitions): Pick<ValidatorOptions, 'defaultProfile'> => ({
  defaultProfile: (type) => {
    const canonical = `https://fhir.hl7.org.uk/StructureDefinition/UKCore-${type}`;
    return findStructure(canonical) === undefined ? undefined : canonical;
  },
});

const noQuestionnaire = (): undefined => undefined;

/** A Questionnaire of the same Bundle, by the canonical that it gives itself. */
const bundled = (walk: Walk, canonical: string): Questionnaire | undefined => {
  const [url, version] = canonical.split('|');
  const found = itemsOf(walk.frame.bundle ?? {}, 'entry')
    .map(({ resource }) => resource)
    .find(
      (resource) =>
        isNode(resource) &&
        resource['resourceType'] === 'Questionnaire' &&
        resource['url'] === url &&
        (version === undefined || resource['version'] === version),
    );
  return found as Questionnaire | undefined;
};

const containedIn = (resource: { readonly contained?: unknown }, id: string): Node | undefined => {
  const { contained } = resource;
  const found: unknown = Array.isArray(contained) ? contained.find((item) => isNode(item) && item['id'] === id) : undefined;
  return isNode(found) ? found : undefined;
};

/** Compiles the definitions, each type when it is first met. */
export const createValidator = (definitions: Definitions, options: ValidatorOptions = {}): Validator => {
  const terminology = createTerminology(definitions);
  const codes = (url: string): CodeSet | undefined => terminology.valueSets.find(url);
  const furnish = createFurnish({
    definitions,
    systems: terminology.systems,
    codes,
    overlays: () => overlays,
    shapes: () => shapes,
    options: { unknownExtensions: options.unknownExtensions ?? 'ignore', unknownCodes: options.unknownCodes ?? 'warning' },
  });
  const shapes = createShapes(definitions, furnish);
  const overlays = createOverlays(definitions, shapes, codes);

  const applyProfile = (walk: Walk, resource: Node, canonical: string, asked: string): void => {
    const known = definitions.findStructure(canonical);
    const type = resource['resourceType'] as string;
    if (known === undefined) walk.warning('not-found', `the profile ${canonical} is not known here`, asked, 'meta');
    else if (known.type !== type && shapes.find(type)?.ancestry.includes(known.type) !== true)
      walk.under(canonical, () => {
        walk.error('structure', `the profile ${canonical} is one of ${known.type}, not of ${type}`, asked);
      });
    else overlays.apply(walk, { value: resource, sibling: undefined, type: undefined }, canonical);
  };

  /** The profiles of a resource with the reason for each; a contained resource has those that it names. */
  const profilesOf = (resource: Node, contained: boolean, asked: readonly string[]): ReadonlyMap<string, string> => {
    const profiles = new Map<string, string>();
    const standard = contained ? undefined : options.defaultProfile?.(resource['resourceType'] as string);
    const named = isNode(resource['meta']) ? resource['meta']['profile'] : undefined;
    if (standard !== undefined) profiles.set(standard, 'default profile of the type');
    else if (!contained) {
      // UK Core's vital signs have profiles of their own, with other units
      const implied = vitalSignsProfileOf(resource);
      if (implied !== undefined) profiles.set(implied, 'vital signs by their code');
    }
    for (const canonical of contained ? [] : definitions.globalProfiles(resource['resourceType'] as string))
      profiles.set(canonical, 'ImplementationGuide.global');
    for (const canonical of Array.isArray(named) ? named : []) if (typeof canonical === 'string') profiles.set(canonical, 'meta.profile');
    for (const canonical of asked) profiles.set(canonical, 'profile asked for');
    return profiles;
  };

  const applyProfiles = (walk: Walk, resource: Node, contained: boolean, asked: readonly string[] = []): void => {
    if (walk.broken || walk.given.baseOnly === true) return;
    for (const [canonical, why] of profilesOf(resource, contained, asked)) applyProfile(walk, resource, canonical, why);
  };

  const checkAnswers = (walk: Walk, response: Node): void => {
    const canonical = response['questionnaire'];
    if (typeof canonical !== 'string' || walk.broken) return;
    const questionnaire = canonical.startsWith('#')
      ? (containedIn(response, canonical.slice(1)) as Questionnaire | undefined)
      : (definitions.findQuestionnaire(canonical) ?? bundled(walk, canonical) ?? walk.given.questionnaire(canonical));
    if (questionnaire?.resourceType === 'Questionnaire')
      walk.under(canonical, () => {
        checkQuestionnaireResponse(walk, response, questionnaire, { codes: valueSetIn });
      });
    else if (definitions.findValueSet(canonical) !== undefined || definitions.findStructure(canonical) !== undefined)
      walk.error('invalid', `${canonical} is no Questionnaire`, 'QuestionnaireResponse.questionnaire', 'questionnaire');
  };

  const valueSetIn = (questionnaire: Questionnaire, canonical: string): CodeSet | undefined => {
    if (!canonical.startsWith('#')) return codes(canonical);
    const valueSet = containedIn(questionnaire, canonical.slice(1));
    return valueSet && terminology.valueSets.expand(valueSet as never);
  };

  const rulesOf = (walk: Walk, resource: Node): void => {
    if (resource['resourceType'] === 'QuestionnaireResponse') checkAnswers(walk, resource);
  };

  const structure = createStructureCheck(shapes, (walk, resource, contained) => {
    applyProfiles(walk, resource, contained);
    rulesOf(walk, resource);
  });

  const walked = (resource: unknown, { profiles = [], questionnaire, answers, baseOnly }: ValidateOptions): Walk => {
    const walk = new Walk(resource as Node, {
      answers: answers ?? noAnswers,
      undecided: options.undecidedCodes ?? 'warning',
      questionnaire: questionnaire ?? noQuestionnaire,
      codes,
      ...(baseOnly === undefined ? {} : { baseOnly }),
    });
    structure.resource(walk, resource);
    if (isNode(resource)) {
      applyProfiles(walk, resource, false, profiles);
      rulesOf(walk, resource);
    }
    return walk;
  };

  return {
    terminology,
    validate: (resource, given = {}) => walked(resource, given).findings,
    questions: (resource, given = {}) => [...walked(resource, given).questions.values()],
  };
};
