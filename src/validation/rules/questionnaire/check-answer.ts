import type { Questionnaire, QuestionnaireItem } from 'fhir/r4.js';
import { compareQuantities, numberOf } from '../../invariants/native.js';
import { inWords } from '../../profiles/values.js';
import { targetTypeOf } from '../../references.js';
import { matchWithin } from '../../regular-expressions.js';
import type { CodeSet } from '../../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../../walk.js';
import { answerOf, extensionsOf, extensionValue, isSame, order, type Answer } from './answer.js';

export type QuestionnaireParts = {
  /** the codes of an answerValueSet: a canonical, or `#id` of a value set that the Questionnaire contains */
  readonly codes: (questionnaire: Questionnaire, valueSet: string) => CodeSet | undefined;
};

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

type Check = (walk: Walk, item: QuestionnaireItem, answer: Answer) => void;

/** The size of a value against minValue and maxValue (extensions that R4 and Structured Data Capture define). */
const checkRange: Check = (walk, item, { value }) => {
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

const checkText: Check = (walk, item, { value }) => {
  if (typeof value !== 'string') return;
  const least = numberOf(extensionValue(item, 'minLength'));
  const pattern = extensionValue(item, 'regex');
  if (item.maxLength !== undefined && value.length > item.maxLength)
    walk.error('invariant', `is longer than ${item.maxLength} characters`, `maxLength of ${item.linkId}`);
  if (least !== undefined && value.length < least)
    walk.error('invariant', `is shorter than ${least} characters`, `minLength of ${item.linkId}`);
  if (typeof pattern !== 'string') return;
  const match = matchWithin(`^(?:${pattern})$`, 'us', value, walk.cost);
  const form = extensionValue(item, 'entryFormat');
  if (match === false)
    walk.error('invariant', `${inWords(value)} is not of the form ${typeof form === 'string' ? form : pattern}`, `regex of ${item.linkId}`);
  else if (match === 'too-costly') walk.error('too-costly', `takes too long to be compared to ${pattern}`, `regex of ${item.linkId}`);
};

const decimalsOf = (value: unknown): number => {
  const text = typeof value === 'number' ? String(value) : (value as { readonly value: string }).value;
  return text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
};

const checkDecimals: Check = (walk, item, { key, value }) => {
  const most = numberOf(extensionValue(item, 'maxDecimalPlaces'));
  const number = key === 'Quantity' && isNode(value) ? value['value'] : value;
  if (most !== undefined && numberOf(number) !== undefined && decimalsOf(number) > most)
    walk.error('invariant', `has more than ${most} decimal places`, `maxDecimalPlaces of ${item.linkId}`);
};

const sizeOf = ({ size, data }: Node): number | undefined =>
  numberOf(size) ?? (typeof data === 'string' ? (data.length / 4) * 3 : undefined);

const checkAttachment: Check = (walk, item, { value }) => {
  if (!isNode(value)) return;
  const allowed = extensionsOf(item, 'mimeType').map((extension) => answerOf(extension)?.value);
  const type = value['contentType'];
  if (allowed.length > 0 && !allowed.includes(type))
    walk.error(
      'invariant',
      `the media type ${typeof type === 'string' ? type : 'is not said; it'} is not one of ${allowed.join(', ')}`,
      `mimeType of ${item.linkId}`,
    );
  const most = numberOf(extensionValue(item, 'maxSize'));
  const size = sizeOf(value);
  if (most !== undefined && size !== undefined && size > most * 1024 * 1024)
    walk.error('invariant', `is larger than ${most} MB`, `maxSize of ${item.linkId}`);
};

const checkReference: Check = (walk, item, { value }) => {
  const allowed = extensionsOf(item, 'questionnaire-referenceResource').map((extension) => answerOf(extension)?.value);
  const type = isNode(value) ? targetTypeOf(walk.frame, value) : undefined;
  if (allowed.length > 0 && type !== undefined && !allowed.includes(type))
    walk.error('invariant', `refers to a ${type}; allowed: ${allowed.join(', ')}`, `referenceResource of ${item.linkId}`);
};

const checkUnit = (walk: Walk, item: QuestionnaireItem, { value }: Answer, codesOf: (valueSet: string) => CodeSet | undefined): void => {
  if (!isNode(value)) return;
  const { system, code } = value;
  const options = extensionsOf(item, 'questionnaire-unitOption')
    .map((extension) => answerOf(extension)?.value)
    .filter(isNode);
  if (options.length > 0 && !options.some((option) => option['system'] === system && option['code'] === code))
    walk.error(
      'invariant',
      `the unit is not one of ${options.map((option) => (option['display'] ?? option['code'] ?? '') as string).join(', ')}`,
      `unitOption of ${item.linkId}`,
    );
  const valueSet = extensionValue(item, 'questionnaire-unitValueSet');
  const codes = typeof valueSet === 'string' ? codesOf(valueSet) : undefined;
  if (codes === undefined || typeof valueSet !== 'string') return;
  const known = typeof code === 'string' ? codes.membership(typeof system === 'string' ? system : undefined, code) : 'out';
  if (known === 'out') walk.error('code-invalid', `the unit is not in ${codes.title}`, `unitValueSet of ${item.linkId}`);
};

const checkOptions: Check = (walk, item, { key, value }) => {
  if (item.type === 'open-choice' && key === 'String') return;
  const options = (item.answerOption ?? []).flatMap((option) => answerOf(option as unknown as Node) ?? []);
  if (options.length > 0 && !options.some((option) => isSame(option.value, value)))
    walk.error('code-invalid', `${inWords(value)} is not one of the answers that the question allows`, `answerOption of ${item.linkId}`);
};

const checkCode = (walk: Walk, item: QuestionnaireItem, { value }: Answer, codes: CodeSet): void => {
  const refuse = (): void => {
    walk.error('code-invalid', `${inWords(value)} is not in ${codes.title}`, `answerValueSet of ${item.linkId}`);
  };
  if (isNode(value)) {
    if (typeof value['code'] === 'string' && codes.membership(value['system'] as string | undefined, value['code']) === 'out') refuse();
  } else if (item.type === 'string' && typeof value === 'string') {
    // a text may be a code of the set, or what it stands for
    const displays = [...codes.codes.values()].flatMap((each) => [...each.values()]);
    if (codes.membership(undefined, value) === 'out' && !displays.includes(value)) refuse();
  }
};

const typesOf = (item: QuestionnaireItem): readonly string[] => {
  const types = answerTypes[item.type] ?? [];
  // the options of a choice may be strings, dates and so on: then so are the answers
  const options = item.type === 'choice' || item.type === 'open-choice' ? (item.answerOption ?? []) : [];
  return [...types, ...options.flatMap((option) => answerOf(option as unknown as Node)?.key ?? [])];
};

/** What is wrong with one answer to a question; the walk is on its value. */
export const checkAnswer = (
  walk: Walk,
  questionnaire: Questionnaire,
  item: QuestionnaireItem,
  answer: Answer,
  parts: QuestionnaireParts,
): void => {
  const types = typesOf(item);
  if (!types.includes(answer.key)) {
    walk.error(
      'invariant',
      `the answer must be ${[...new Set(types)].map((type) => `value${type}`).join(' or ')}, not value${answer.key}`,
      `type of ${item.linkId}`,
    );
    return;
  }
  for (const check of [checkOptions, checkRange, checkText, checkDecimals]) check(walk, item, answer);
  const codesOf = (valueSet: string): CodeSet | undefined => parts.codes(questionnaire, valueSet);
  const codes = item.answerValueSet === undefined ? undefined : codesOf(item.answerValueSet);
  if (codes !== undefined) checkCode(walk, item, answer, codes);
  if (answer.key === 'Attachment') checkAttachment(walk, item, answer);
  if (answer.key === 'Reference') checkReference(walk, item, answer);
  if (answer.key === 'Quantity') checkUnit(walk, item, answer, codesOf);
};

/** Whether an option excludes every other answer (extension questionnaire-optionExclusive). */
export const isExclusive = (item: QuestionnaireItem, value: unknown): boolean =>
  (item.answerOption ?? []).some(
    (option) =>
      option.extension?.some(({ url, valueBoolean }) => url.endsWith('/questionnaire-optionExclusive') && valueBoolean === true) === true &&
      isSame(answerOf(option as unknown as Node)?.value, value),
  );
