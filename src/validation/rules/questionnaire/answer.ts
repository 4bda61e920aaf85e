import type { QuestionnaireItem } from 'fhir/r4.js';
import { compareQuantities, numberOf } from '../../invariants/native.js';
import { equals } from '../../profiles/values.js';
import { isNode, type Node } from '../../walk.js';

/** The value of an answer, with the end of its JSON name: `Coding` of `valueCoding`. */
export type Answer = { readonly key: string; readonly value: unknown };

export const answerOf = (answer: Node): Answer | undefined => {
  for (const key in answer) if (/^value[A-Z]/.test(key)) return { key: key.slice(5), value: answer[key] };
  return undefined;
};

/** Extensions of R4 or of Structured Data Capture, which has taken some of them over. */
export const extensionsOf = (item: QuestionnaireItem, name: string): readonly Node[] =>
  (item.extension ?? []).filter(({ url }) => url.endsWith(`/StructureDefinition/${name}`)) as unknown as readonly Node[];

/** The value of the first extension of that name. */
export const extensionValue = (item: QuestionnaireItem, name: string): unknown => {
  const [extension] = extensionsOf(item, name);
  return extension && answerOf(extension)?.value;
};

/** Below, equal or above zero; undefined when the two cannot be compared. */
export const order = (left: unknown, right: unknown): number | undefined => {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return a - b;
  if (typeof left === 'string' && typeof right === 'string') return left === right ? 0 : left < right ? -1 : 1;
  return isNode(left) && isNode(right) ? compareQuantities(left, right) : undefined;
};

/** Codings are the same by system and code, whatever their display. */
export const isSame = (left: unknown, right: unknown): boolean => {
  if (isNode(left) && isNode(right) && 'code' in left) return left['code'] === right['code'] && left['system'] === right['system'];
  return equals(left, right);
};
