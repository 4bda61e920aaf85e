import type { Questionnaire, QuestionnaireItem } from 'fhir/r4.js';
import { itemsOf, numberOf } from '../../invariants/native.js';
import { inWords } from '../../profiles/values.js';
import type { Node, Walk } from '../../walk.js';
import { answerOf, extensionValue } from './answer.js';
import { checkAnswer, isExclusive, type QuestionnaireParts } from './check-answer.js';
import { createEnabled, type Trail } from './enable-when.js';

const allLinkIds = (items: readonly QuestionnaireItem[], found = new Set<string>()): ReadonlySet<string> => {
  for (const item of items) {
    found.add(item.linkId);
    allLinkIds(item.item ?? [], found);
  }
  return found;
};

const spaced = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

const isSpoken = (node: Node): boolean => itemsOf(node, 'answer').length > 0 || itemsOf(node, 'item').length > 0;

/** R4 questionnaireresponse.html: what a response holds against the Questionnaire that it answers. */
export const checkQuestionnaireResponse = (walk: Walk, response: Node, questionnaire: Questionnaire, parts: QuestionnaireParts): void => {
  const known = allLinkIds(questionnaire.item ?? []);
  const complete = response['status'] === 'completed' || response['status'] === 'amended';
  const isEnabled = createEnabled(questionnaire, response);

  const at = (name: string, index: number, check: () => void): void => {
    walk.path.push(name, index);
    check();
    walk.path.length -= 2;
  };

  const checkLevel = (items: readonly QuestionnaireItem[], node: Node, trail: Trail): void => {
    let furthest = -1;
    const places = new Map(items.map(({ linkId }, place) => [linkId, place]));
    const byLink = new Map<unknown, Node[]>();
    itemsOf(node, 'item').forEach((each, index) => {
      at('item', index, () => {
        const linkId = each['linkId'] as string;
        const place = places.get(linkId) ?? -1;
        const same = byLink.get(linkId);
        if (same === undefined) byLink.set(linkId, [each]);
        else same.push(each);
        if (place < 0) refuse(linkId);
        else if (place < furthest) walk.error('structure', 'stands in another order than in the questionnaire', 'order of items');
        else checkOne(items[place]!, each, trail);
        furthest = Math.max(furthest, place);
      });
    });
    for (const item of items) checkCount(item, byLink.get(item.linkId) ?? [], trail);
  };

  const refuse = (linkId: string): void => {
    const fault = known.has(linkId)
      ? `the question ${linkId} stands elsewhere in the questionnaire`
      : `the questionnaire has no question ${linkId}`;
    walk.error('structure', fault, 'linkId');
  };

  const checkCount = (item: QuestionnaireItem, given: readonly Node[], trail: Trail): void => {
    const { linkId, type } = item;
    if (given.length > 1 && item.repeats !== true)
      walk.error('structure', `the question ${linkId} may be answered once`, `repeats of ${linkId}`);
    const answers = type === 'group' ? given.length : given.reduce((sum, each) => sum + itemsOf(each, 'answer').length, 0);
    const empty = type === 'group' ? given.every((each) => itemsOf(each, 'item').length === 0) : answers === 0;
    const [least, most] = ['minOccurs', 'maxOccurs'].map((name) => numberOf(extensionValue(item, `questionnaire-${name}`)));
    if (most !== undefined && answers > most)
      walk.error('structure', `the question ${linkId} may be answered ${most} times, not ${answers}`, `maxOccurs of ${linkId}`);
    if (!complete || type === 'display' || isEnabled(item, trail) !== true) return;
    if (item.required === true && empty) walk.error('required', `the question ${linkId} must be answered`, `required of ${linkId}`);
    else if (least !== undefined && answers < least && (item.required === true || !empty))
      walk.error('required', `the question ${linkId} must be answered ${least} times or more, not ${answers}`, `minOccurs of ${linkId}`);
  };

  const checkOne = (item: QuestionnaireItem, node: Node, trail: Trail): void => {
    const { linkId, type } = item;
    const given = itemsOf(node, 'answer');
    const within = [...trail, { question: item, node }];
    if (isSpoken(node) && isEnabled(item, trail) === false)
      walk.error('invariant', `the question ${linkId} is not enabled by the other answers`, `enableWhen of ${linkId}`);
    const text = node['text'];
    if (typeof text === 'string' && item.text !== undefined && spaced(text) !== spaced(item.text))
      walk.error('invalid', `the text of the question ${linkId} is ${inWords(item.text)}`, `text of ${linkId}`, 'text');
    if (type === 'group' || type === 'display') {
      if (given.length > 0) walk.error('structure', `a ${type} has no answers`, `type of ${linkId}`);
      if (type === 'group') checkLevel(item.item ?? [], node, within);
      else if (itemsOf(node, 'item').length > 0) walk.error('structure', 'a display has no items', `type of ${linkId}`);
      return;
    }
    if (itemsOf(node, 'item').length > 0) walk.error('structure', 'what follows a question stands below its answer', `type of ${linkId}`);
    checkAnswers(item, given, within);
  };

  const checkAnswers = (item: QuestionnaireItem, given: readonly Node[], trail: Trail): void => {
    if (given.length > 1 && item.repeats !== true)
      walk.error('structure', `the question ${item.linkId} may have one answer, not ${given.length}`, `repeats of ${item.linkId}`);
    given.forEach((each, index) => {
      at('answer', index, () => {
        const answer = answerOf(each);
        if (answer !== undefined) {
          walk.path.push('value');
          checkAnswer(walk, questionnaire, item, answer, parts);
          if (given.length > 1 && isExclusive(item, answer.value))
            walk.error('invariant', `${inWords(answer.value)} excludes every other answer`, `optionExclusive of ${item.linkId}`);
          walk.path.pop();
        }
        checkLevel(item.item ?? [], each, trail);
      });
    });
  };
  checkLevel(questionnaire.item ?? [], response, []);
};
