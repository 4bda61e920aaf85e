import { createContext, Script } from 'node:vm';

/** ms that one match may take, and what it may take the second time: on a busy machine the first may pass before it is begun */
const limits = [20, 200] as const;
/** matches of one validation that may be stopped before none is tried any more */
const mostStopped = 5;
/** below this no expression of use takes long, whatever its form */
const shortText = 16;
/** below this an expression without repeated groups, and with few repetitions, does not either */
const mediumText = 256;

const isSimple = (pattern: string): boolean => !/\)[*+?{]/.test(pattern) && (pattern.match(/[*+}]/g)?.length ?? 0) <= 2;

// an expression is stopped only when it runs in a context of its own
const context = createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false } }) as {
  expression?: RegExp;
  text?: string;
};
const script = new Script('expression.test(text)');

const cache = new Map<string, RegExp | undefined>();
const mostKept = 1000;

const compiled = (pattern: string, flags: string): RegExp | undefined => {
  const key = `${flags}/${pattern}`;
  if (cache.has(key)) return cache.get(key);
  let expression: RegExp | undefined;
  try {
    expression = new RegExp(pattern, flags);
  } catch {
    // told by the answer
  }
  if (cache.size >= mostKept) cache.clear();
  cache.set(key, expression);
  return expression;
};

export type Match = boolean | 'too-costly' | 'unreadable';

/** What the matches of one validation have cost. */
export type Cost = { stopped: number };

/**
 * Whether a text matches an expression that this project did not write: those of profiles and Questionnaires may take years with a text
 * made for it, and are stopped. http://hl7.org/fhirpath/N1/#matchesregex-string-boolean
 */
export const matchWithin = (pattern: string, flags: string, text: string, cost: Cost): Match => {
  const expression = compiled(pattern, flags);
  if (expression === undefined) return 'unreadable';
  if (text.length <= shortText || (text.length <= mediumText && isSimple(pattern))) return expression.test(text);
  if (cost.stopped >= mostStopped) return 'too-costly';
  context.expression = expression;
  context.text = text;
  for (const timeout of limits)
    try {
      return script.runInContext(context, { timeout }) === true;
    } catch {
      // stopped
    }
  cost.stopped++;
  return 'too-costly';
};
