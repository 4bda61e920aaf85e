import type { Questionnaire, QuestionnaireItem } from 'fhir/r4.js';
import { itemsOf } from '../../invariants/native.js';
import type { Check } from '../../shapes.js';
import { isNode, type Node, type Walk } from '../../walk.js';
import { answerOf, isSame } from './answer.js';

type Find = (canonical: string) => Questionnaire | undefined;

const collect = (node: Node, found = new Map<unknown, Node>()): ReadonlyMap<unknown, Node> => {
  for (const item of itemsOf(node, 'item')) {
    found.set(item['linkId'], item);
    collect(item, found);
  }
  return found;
};

/** Every item, with the walk on it. */
const eachItem = (walk: Walk, node: Node, visit: (item: Node) => void): void => {
  itemsOf(node, 'item').forEach((item, index) => {
    walk.path.push('item', index);
    visit(item);
    eachItem(walk, item, visit);
    walk.path.length -= 2;
  });
};

// R4 questionnaire.html: enableWhen asks of another question of the same Questionnaire, and not of one that it brings
const checkEnableWhen = (walk: Walk, item: Node, known: ReadonlyMap<unknown, Node>): void => {
  itemsOf(item, 'enableWhen').forEach(({ question }, place) => {
    if (typeof question !== 'string') return;
    walk.path.push('enableWhen', place);
    const rule = 'enableWhen.question';
    if (!known.has(question)) walk.error('invalid', `the questionnaire has no question '${question}'`, rule, 'question');
    else if (question === item['linkId']) walk.error('invalid', 'a question cannot depend on its own answer', rule, 'question');
    else if (collect(item).has(question)) walk.error('invalid', `'${question}' is asked below this item`, rule, 'question');
    walk.path.length -= 2;
  });
};

const derivation = 'http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType';

/** How a Questionnaire builds on another (extension of derivedFrom): with questions of its own, or without. */
const modeOf = (sibling: unknown): string | undefined => {
  if (!isNode(sibling)) return undefined;
  const extension = itemsOf(sibling, 'extension').find(({ url }) => url === derivation);
  const value = extension?.['valueCoding'];
  return isNode(value) && typeof value['code'] === 'string' ? value['code'] : undefined;
};

const optionsOf = (item: Node): readonly unknown[] => itemsOf(item, 'answerOption').map((option) => answerOf(option)?.value);

/** What a question may not change of the one that it is derived from. */
const derivedFault = (item: Node, from: QuestionnaireItem): readonly [name: string, fault: string] | undefined => {
  if (item['type'] !== from.type) return ['type', `is of type ${from.type}`];
  if (from.repeats !== true && item['repeats'] === true) return ['repeats', 'does not repeat'];
  if (from.required === true && item['required'] === false) return ['required', 'is required'];
  const [most, length] = [from.maxLength, item['maxLength']];
  if (most !== undefined && (typeof length !== 'number' || length > most)) return ['maxLength', `has at most ${most} characters`];
  const allowed = optionsOf(from as unknown as Node);
  if (allowed.length === 0) return undefined;
  const own = optionsOf(item);
  if (own.length === 0) return ['answerOption', 'has a list of answers'];
  return own.every((option) => allowed.some((each) => isSame(each, option)))
    ? undefined
    : ['answerOption', 'does not have all these answers'];
};

const checkDerivation = (walk: Walk, questionnaire: Node, base: Questionnaire, mode: string): void => {
  const known = collect(base as unknown as Node);
  const name = base.url ?? base.id ?? '';
  eachItem(walk, questionnaire, (item) => {
    const from = known.get(item['linkId']);
    if (from === undefined) {
      if (mode === 'compliesWith')
        walk.error('business-rule', `${name} has no question '${item['linkId'] as string}'`, `derivedFrom ${name}`, 'linkId');
      return;
    }
    const [element, fault] = derivedFault(item, from as unknown as QuestionnaireItem) ?? [];
    if (fault !== undefined) walk.error('business-rule', `the question in ${name} ${fault}`, `derivedFrom ${name}`, element);
  });
};

/** What R4 says of Questionnaires beyond their invariants. */
export const questionnaireCheck =
  (find: Find): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const known = collect(value);
    eachItem(walk, value, (item) => {
      if (item['enableWhen'] !== undefined) checkEnableWhen(walk, item, known);
    });
    const { derivedFrom, _derivedFrom: siblings } = value;
    if (!Array.isArray(derivedFrom)) return;
    derivedFrom.forEach((canonical: unknown, index) => {
      const base = typeof canonical === 'string' ? find(canonical) : undefined;
      const mode = modeOf(Array.isArray(siblings) ? siblings[index] : undefined);
      if (base !== undefined && (mode === 'compliesWith' || mode === 'extends')) checkDerivation(walk, value, base, mode);
    });
  };
