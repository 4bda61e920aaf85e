import type { Questionnaire, QuestionnaireItem, QuestionnaireItemEnableWhen } from 'fhir/r4.js';
import { itemsOf } from '../../invariants/native.js';
import type { Node } from '../../walk.js';
import { answerOf, extensionsOf, isSame, order, type Answer } from './answer.js';

/** The items of the response on the way down to the one in hand, each with its question. */
export type Trail = readonly { readonly question: QuestionnaireItem; readonly node: Node }[];

/** Every answer below a node, by question. */
const collect = (node: Node, found = new Map<string, Answer[]>()): ReadonlyMap<string, readonly Answer[]> => {
  for (const item of itemsOf(node, 'item')) {
    const answers = itemsOf(item, 'answer');
    const known = found.get(item['linkId'] as string) ?? [];
    found.set(item['linkId'] as string, known);
    for (const answer of answers) known.push(...[answerOf(answer) ?? []].flat());
    collect(item, found);
    for (const answer of answers) collect(answer, found);
  }
  return found;
};

/** The questions around each question, outermost first. */
const waysTo = (
  items: readonly QuestionnaireItem[],
  way: readonly string[] = [],
  found = new Map<string, readonly string[]>(),
): ReadonlyMap<string, readonly string[]> => {
  for (const item of items) {
    found.set(item.linkId, way);
    waysTo(item.item ?? [], [...way, item.linkId], found);
  }
  return found;
};

const holds = (when: QuestionnaireItemEnableWhen, given: readonly Answer[]): boolean => {
  const asked = Object.entries(when).find(([key]) => key.startsWith('answer'))?.[1] as unknown;
  if (when.operator === 'exists') return given.length > 0 === (asked === true);
  return given.some(({ value }) => {
    if (when.operator === '=') return isSame(value, asked);
    if (when.operator === '!=') return !isSame(value, asked);
    const result = order(value, asked);
    if (result === undefined) return false;
    if (when.operator === '>') return result > 0;
    if (when.operator === '<') return result < 0;
    return when.operator === '>=' ? result >= 0 : result <= 0;
  });
};

/** Whether a question is to be asked; undefined when an expression, which nothing here evaluates, says so. */
export type Enabled = (question: QuestionnaireItem, trail: Trail) => boolean | undefined;

/**
 * R4 questionnaire.html#enableWhen: the answers that count are those nearest to the question, in the innermost group around both: a
 * group that repeats asks of its own answers.
 */
export const createEnabled = (questionnaire: Questionnaire, response: Node): Enabled => {
  const ways = waysTo(questionnaire.item ?? []);
  const collected = new Map<Node, ReadonlyMap<string, readonly Answer[]>>();
  const below = (node: Node): ReadonlyMap<string, readonly Answer[]> => {
    const known = collected.get(node) ?? collect(node);
    collected.set(node, known);
    return known;
  };

  const answersTo = (question: string, trail: Trail): readonly Answer[] => {
    const own = trail.find(({ question: { linkId } }) => linkId === question);
    if (own !== undefined) return itemsOf(own.node, 'answer').flatMap((answer) => answerOf(answer) ?? []);
    const way = ways.get(question) ?? [];
    const shared = trail.findLast(({ question: { linkId } }) => way.includes(linkId));
    return below(shared?.node ?? response).get(question) ?? [];
  };

  return (item, trail) => {
    if (extensionsOf(item, 'sdc-questionnaire-enableWhenExpression').length > 0) return undefined;
    const conditions = item.enableWhen ?? [];
    if (conditions.length === 0) return true;
    const test = (when: QuestionnaireItemEnableWhen): boolean => holds(when, answersTo(when.question, trail));
    return item.enableBehavior === 'any' ? conditions.some(test) : conditions.every(test);
  };
};
