import type { Questionnaire, QuestionnaireItem, QuestionnaireItemEnableWhen } from 'fhir/r4.js';
import { compareQuantities, itemsOf, numberOf } from '../invariants/native.js';
import { equals, inWords } from '../profiles/values.js';
import type { CodeSet } from '../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../walk.js';

export type QuestionnaireParts = {
  /** the codes of an answerValueSet: a canonical, or `#id` of a value set that the Questionnaire contains */
  readonly codes: (questionnaire: Questionnaire, valueSet: string) => CodeSet | undefined;
};

type Answer = { readonly key: string; readonly value: unknown };

const answerTypes: Readonly<Record<string, readonly string[]>> = {
  boolean: ['Boolean'],
  decimal: ['Decimal'],
  integer: ['Integer'],
  date: ['Date'],
  dateTime: ['DateTime'],
  time: ['Time'],
  string: ['String'],
  text: ['String'],
  url: ['Uri'],
  // R4 leaves to the options of a choice what its answers are
  choice: ['Coding', 'Date', 'Time', 'Integer', 'String'],
  'open-choice': ['Coding', 'String'],
  attachment: ['Attachment'],
  reference: ['Reference'],
  quantity: ['Quantity'],
};

const answerOf = (answer: Node): Answer | undefined => {
  for (const key in answer) if (/^value[A-Z]/.test(key)) return { key: key.slice(5), value: answer[key] };
  return undefined;
};

/** An extension of R4 or of Structured Data Capture, which has taken some of them over. */
const extensionOf = (item: QuestionnaireItem, name: string): Node | undefined =>
  (item.extension ?? []).find(({ url }) => url.endsWith(`/StructureDefinition/${name}`)) as Node | undefined;

const extensionValue = (item: QuestionnaireItem, name: string): unknown => {
  const extension = extensionOf(item, name);
  return extension && answerOf(extension)?.value;
};

/** Every answer to a question, wherever in the response it stands: enableWhen may ask about any. */
const collectAnswers = (node: Node, found = new Map<string, Answer[]>()): Map<string, Answer[]> => {
  for (const item of itemsOf(node, 'item')) {
    const answers = itemsOf(item, 'answer');
    const known = found.get(item['linkId'] as string) ?? [];
    found.set(item['linkId'] as string, known);
    for (const answer of answers) known.push(...[answerOf(answer) ?? []].flat());
    collectAnswers(item, found);
    for (const answer of answers) collectAnswers(answer, found);
  }
  return found;
};

const order = (left: unknown, right: unknown): number | undefined => {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return a - b;
  if (typeof left === 'string' && typeof right === 'string') return left === right ? 0 : left < right ? -1 : 1;
  return isNode(left) && isNode(right) ? compareQuantities(left, right) : undefined;
};

const isSame = (left: unknown, right: unknown): boolean => {
  if (isNode(left) && isNode(right) && 'code' in left) return left['code'] === right['code'] && left['system'] === right['system'];
  return equals(left, right);
};

const holdsWhen = (when: QuestionnaireItemEnableWhen, answers: ReadonlyMap<string, readonly Answer[]>): boolean => {
  const given = answers.get(when.question) ?? [];
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

const isEnabled = (item: QuestionnaireItem, answers: ReadonlyMap<string, readonly Answer[]>): boolean => {
  const conditions = item.enableWhen ?? [];
  if (conditions.length === 0) return true;
  return item.enableBehavior === 'any'
    ? conditions.some((when) => holdsWhen(when, answers))
    : conditions.every((when) => holdsWhen(when, answers));
};

const allLinkIds = (items: readonly QuestionnaireItem[], found = new Set<string>()): ReadonlySet<string> => {
  for (const item of items) {
    found.add(item.linkId);
    allLinkIds(item.item ?? [], found);
  }
  return found;
};

/** What is wrong with the size of a value against minValue and maxValue (SDC extensions that R4 defines). */
const checkRange = (walk: Walk, item: QuestionnaireItem, value: unknown): void => {
  for (const [name, sign] of [
    ['minValue', -1],
    ['maxValue', 1],
  ] as const) {
    const limit = extensionValue(item, name) ?? extensionValue(item, `sdc-questionnaire-${name.slice(0, 3)}Quantity`);
    if (limit === undefined) continue;
    const words = sign < 0 ? 'least' : 'greatest';
    if (isNode(value) && isNode(limit) && (value['code'] === undefined || limit['code'] === undefined))
      walk.error('invariant', `cannot be compared to the ${words} that is allowed: both need a coded unit`, `${name} of ${item.linkId}`);
    else if (isNode(value) && isNode(limit) && compareQuantities(value, limit) === undefined)
      walk.error('invariant', `cannot be compared to the ${words} that is allowed: the units differ`, `${name} of ${item.linkId}`);
    else if ((order(value, limit) ?? 0) * sign > 0)
      walk.error('invariant', `${inWords(value)} is beyond the ${words} that is allowed, ${inWords(limit)}`, `${name} of ${item.linkId}`);
  }
};

const checkText = (walk: Walk, item: QuestionnaireItem, value: string): void => {
  const least = numberOf(extensionValue(item, 'minLength'));
  if (item.maxLength !== undefined && value.length > item.maxLength)
    walk.error('invariant', `is longer than ${item.maxLength} characters`, `maxLength of ${item.linkId}`);
  if (least !== undefined && value.length < least)
    walk.error('invariant', `is shorter than ${least} characters`, `minLength of ${item.linkId}`);
};

const decimalsOf = (value: unknown): number => {
  const text = typeof value === 'number' ? String(value) : (value as { readonly value: string }).value;
  return text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
};

const checkAttachment = (walk: Walk, item: QuestionnaireItem, value: Node): void => {
  const allowed = (item.extension ?? []).flatMap(({ url, valueCode }) =>
    url.endsWith('/mimeType') && valueCode !== undefined ? [valueCode] : [],
  );
  const type = value['contentType'];
  if (allowed.length > 0 && !allowed.includes(type as string))
    walk.error('invariant', `the media type ${type as string} is not one of ${allowed.join(', ')}`, `mimeType of ${item.linkId}`);
  const most = numberOf(extensionValue(item, 'maxSize'));
  const size = numberOf(value['size']);
  if (most !== undefined && size !== undefined && size > most * 1024 * 1024)
    walk.error('invariant', `is larger than ${most} MB`, `maxSize of ${item.linkId}`);
};

const checkUnit = (walk: Walk, item: QuestionnaireItem, value: Node): void => {
  const options = (item.extension ?? []).flatMap(({ url, valueCoding }) =>
    url.endsWith('/questionnaire-unitOption') && valueCoding !== undefined ? [valueCoding] : [],
  );
  if (options.length === 0 || options.some(({ system, code }) => system === value['system'] && code === value['code'])) return;
  walk.error(
    'invariant',
    `the unit is not one of ${options.map(({ display, code }) => display ?? code ?? '').join(', ')}`,
    `unitOption of ${item.linkId}`,
  );
};

const checkOptions = (
  walk: Walk,
  questionnaire: Questionnaire,
  item: QuestionnaireItem,
  { key, value }: Answer,
  parts: QuestionnaireParts,
): void => {
  if (item.type === 'open-choice' && key === 'String') return;
  const options = (item.answerOption ?? []).flatMap((option) => answerOf(option as unknown as Node) ?? []);
  if (options.length > 0 && !options.some((option) => isSame(option.value, value)))
    walk.error('code-invalid', `${inWords(value)} is not one of the answers that the question allows`, `answerOption of ${item.linkId}`);
  if (item.answerValueSet === undefined) return;
  const codes = parts.codes(questionnaire, item.answerValueSet);
  if (codes === undefined) return;
  if (!isNode(value)) {
    const displays = [...codes.codes.values()].flatMap((each) => [...each.values()]);
    if (codes.enumerated && !displays.includes(value as string))
      walk.error('code-invalid', `${inWords(value)} is not in ${codes.title}`, `answerValueSet of ${item.linkId}`);
  } else if (typeof value['code'] === 'string' && codes.membership(value['system'] as string | undefined, value['code']) === 'out')
    walk.error('code-invalid', `${inWords(value)} is not in ${codes.title}`, `answerValueSet of ${item.linkId}`);
};

const typesOf = (item: QuestionnaireItem): readonly string[] => {
  const types = answerTypes[item.type] ?? [];
  // the options of a choice may be strings, dates and so on: then so are the answers
  const options = item.type === 'choice' || item.type === 'open-choice' ? (item.answerOption ?? []) : [];
  return [...types, ...options.flatMap((option) => answerOf(option as unknown as Node)?.key ?? [])];
};

const checkAnswer = (
  walk: Walk,
  questionnaire: Questionnaire,
  item: QuestionnaireItem,
  answer: Answer,
  parts: QuestionnaireParts,
): void => {
  const types = typesOf(item);
  const fromValueSet = item.answerValueSet !== undefined && answer.key === 'String' && item.type === 'string';
  if (!types.includes(answer.key) && !fromValueSet) {
    walk.error(
      'invariant',
      `the answer must be ${types.map((type) => `value${type}`).join(' or ')}, not value${answer.key}`,
      `type of ${item.linkId}`,
    );
    return;
  }
  const { value } = answer;
  checkOptions(walk, questionnaire, item, answer, parts);
  checkRange(walk, item, value);
  if (typeof value === 'string') checkText(walk, item, value);
  const decimals = numberOf(extensionValue(item, 'maxDecimalPlaces'));
  if (decimals !== undefined && answer.key === 'Decimal' && decimalsOf(value) > decimals)
    walk.error('invariant', `has more than ${decimals} decimal places`, `maxDecimalPlaces of ${item.linkId}`);
  if (answer.key === 'Attachment' && isNode(value)) checkAttachment(walk, item, value);
  if (answer.key === 'Quantity' && isNode(value)) checkUnit(walk, item, value);
};

const isExclusive = (item: QuestionnaireItem, value: unknown): boolean =>
  (item.answerOption ?? []).some(
    (option) =>
      option.extension?.some(({ url, valueBoolean }) => url.endsWith('/questionnaire-optionExclusive') && valueBoolean === true) === true &&
      isSame(answerOf(option as unknown as Node)?.value, value),
  );

/** R4 questionnaireresponse.html: what a response holds against the Questionnaire that it answers. */
export const checkQuestionnaireResponse = (walk: Walk, response: Node, questionnaire: Questionnaire, parts: QuestionnaireParts): void => {
  const answers = collectAnswers(response);
  const known = allLinkIds(questionnaire.item ?? []);
  const complete = response['status'] === 'completed' || response['status'] === 'amended';

  const at = (name: string, index: number, check: () => void): void => {
    walk.path.push(name, index);
    check();
    walk.path.pop();
    walk.path.pop();
  };

  const checkLevel = (items: readonly QuestionnaireItem[], node: Node): void => {
    let furthest = -1;
    const given = itemsOf(node, 'item');
    const places = new Map(items.map(({ linkId }, place) => [linkId, place]));
    const byLink = new Map<unknown, Node[]>();
    given.forEach((each, index) => {
      at('item', index, () => {
        const linkId = each['linkId'] as string;
        const place = places.get(linkId) ?? -1;
        const same = byLink.get(linkId);
        if (same === undefined) byLink.set(linkId, [each]);
        else same.push(each);
        if (place < 0)
          walk.error(
            'structure',
            known.has(linkId)
              ? `the question ${linkId} stands elsewhere in the questionnaire`
              : `the questionnaire has no question ${linkId}`,
            'linkId',
          );
        else if (place < furthest) walk.error('structure', 'stands in another order than in the questionnaire', 'order of items');
        else checkOne(items[place]!, each);
        furthest = Math.max(furthest, place);
      });
    });
    for (const item of items) checkCount(item, byLink.get(item.linkId) ?? []);
  };

  const checkCount = (item: QuestionnaireItem, given: readonly Node[]): void => {
    if (given.length > 1 && item.repeats !== true)
      walk.error('structure', `the question ${item.linkId} may be answered once`, `repeats of ${item.linkId}`);
    const empty =
      item.type === 'group'
        ? given.every((each) => itemsOf(each, 'item').length === 0)
        : given.every((each) => itemsOf(each, 'answer').length === 0);
    if (complete && item.required === true && item.type !== 'display' && empty && isEnabled(item, answers))
      walk.error('required', `the question ${item.linkId} must be answered`, `required of ${item.linkId}`);
  };

  const checkOne = (item: QuestionnaireItem, node: Node): void => {
    const given = itemsOf(node, 'answer');
    if (given.length > 0 && !isEnabled(item, answers))
      walk.error('invariant', `the question ${item.linkId} is not enabled by the other answers`, `enableWhen of ${item.linkId}`);
    if (item.type === 'group' || item.type === 'display') {
      if (given.length > 0) walk.error('structure', `a ${item.type} has no answers`, `type of ${item.linkId}`);
      if (item.type === 'group') checkLevel(item.item ?? [], node);
      return;
    }
    if (itemsOf(node, 'item').length > 0)
      walk.error('structure', 'what follows a question stands below its answer', `type of ${item.linkId}`);
    checkAnswers(item, given);
  };

  const checkAnswers = (item: QuestionnaireItem, given: readonly Node[]): void => {
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
        checkLevel(item.item ?? [], each);
      });
    });
  };
  checkLevel(questionnaire.item ?? [], response);
};

/** R4 questionnaire.html: enableWhen names a question of the same Questionnaire. */
export const checkQuestionnaire = (walk: Walk, questionnaire: Node): void => {
  const known = allLinkIds((questionnaire['item'] ?? []) as readonly QuestionnaireItem[]);
  const check = (node: Node): void => {
    itemsOf(node, 'item').forEach((item, index) => {
      walk.path.push('item', index);
      itemsOf(item, 'enableWhen').forEach(({ question }, place) => {
        walk.path.push('enableWhen', place);
        if (typeof question === 'string' && !known.has(question))
          walk.error('invalid', `the questionnaire has no question '${question}'`, 'enableWhen.question', 'question');
        walk.path.pop();
        walk.path.pop();
      });
      check(item);
      walk.path.pop();
      walk.path.pop();
    });
  };
  check(questionnaire);
};
