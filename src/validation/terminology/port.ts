import type { Membership } from './value-sets.js';

/** Whether a code is in a value set, asked of a terminology server because nothing here can tell. */
export type CodeQuestion = {
  /** canonical, with `|version` where the binding has one */
  readonly valueSet: string;
  readonly system: string;
  readonly code: string;
};

/** What a terminology server said; `unknown` is also what it did not say, in time or at all. */
export type CodeAnswers = { readonly find: (question: CodeQuestion) => Membership };

/** A terminology server. Asking it never throws: whatever fails is an answer that is not there. */
export type TerminologyServer = { readonly ask: (questions: readonly CodeQuestion[]) => Promise<CodeAnswers> };

/** One name for a question. */
export const keyOfQuestion = ({ valueSet, system, code }: CodeQuestion): string => `${valueSet}\n${system}\n${code}`;

export const noAnswers: CodeAnswers = { find: () => 'unknown' };
