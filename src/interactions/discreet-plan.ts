import { confidentiality, restrictedCodes } from '../domain/demographics/restricted.js';
import { codeForms } from '../fhir/search/text.js';
import type { Predicate, SearchPlan } from '../store/port.js';

/** What a RelatedPerson is found by that tells where he lives or how he is reached. */
const tells = (param: string): boolean => /^(?:address(?:-.*)?|telecom|phone|email|_text|_content)$/.test(param);

const labelled: Predicate = {
  kind: 'token',
  param: '_security',
  any: [...restrictedCodes].flatMap((code) => codeForms(code).map((form) => ({ system: confidentiality, code: form }))),
};
/** Neither he nor the patient is restricted. */
const openOnes: readonly Predicate[] = [
  { kind: 'not', where: [labelled] },
  { kind: 'not', where: [{ kind: 'chain', param: 'patient', type: 'Patient', where: [labelled] }] },
];

const isAsked = (predicate: Predicate): boolean => {
  if (predicate.kind === 'either') return predicate.of.flat().some(isAsked);
  if (predicate.kind === 'not') return predicate.where.some(isAsked);
  return predicate.kind !== 'chain' && predicate.kind !== 'has' && 'param' in predicate && tells(predicate.param);
};

const within = (predicate: Predicate): Predicate => {
  switch (predicate.kind) {
    case 'either':
      return { ...predicate, of: predicate.of.map((list) => list.map(within)) };
    case 'not':
      return { ...predicate, where: predicate.where.map(within) };
    case 'chain':
    case 'has':
      return { ...predicate, where: guarded(predicate.type, predicate.where) };
    default:
      return predicate;
  }
};

const guarded = (type: string, where: readonly Predicate[]): readonly Predicate[] => {
  const all = where.map(within);
  return type === 'RelatedPerson' && all.some(isAsked) ? [...all, ...openOnes] : all;
};

/** Whether the condition asks something of RelatedPersons. */
const reaches = (predicate: Predicate): boolean => {
  switch (predicate.kind) {
    case 'either':
      return predicate.of.some((list) => list.some(reaches));
    case 'not':
      return predicate.where.some(reaches);
    case 'chain':
    case 'has':
      return predicate.type === 'RelatedPerson' || predicate.where.some(reaches);
    default:
      return false;
  }
};

/**
 * A search for those who may not know where restricted patients live: the RelatedPersons of such a patient, who may live with him, are
 * neither found nor put in order by what tells where they live.
 */
export const discreetPlan = (plan: SearchPlan): SearchPlan => {
  if (plan.type !== 'RelatedPerson' && !plan.where.some(reaches)) return plan;
  const where = guarded(plan.type, plan.where);
  const isSorted = plan.type === 'RelatedPerson' && plan.sort.some(({ param }) => tells(param));
  return { ...plan, where: isSorted && !plan.where.some(isAsked) ? [...where, ...openOnes] : where };
};
