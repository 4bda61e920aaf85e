import { Client } from 'fhir-kit-client';
import type { CodeAnswers, CodeQuestion, TerminologyServer } from '../validation/terminology/port.js';
import { keyOfQuestion } from '../validation/terminology/port.js';
import type { Membership } from '../validation/terminology/value-sets.js';
import type { AccessTokens } from './access-tokens.js';
import { AnswerCache } from './answer-cache.js';
import { CircuitBreaker } from './circuit-breaker.js';

export type TerminologyServerOptions = {
  /** FHIR base */
  readonly url: string;
  /** absent: the server asks for none */
  readonly tokens?: AccessTokens;
  /** epoch ms */
  readonly clock: () => number;
};

/** ms that a write waits for the answers to all its codes; what is not told by then stays unknown */
const answerMs = 300;
/** questions that are out at the same time */
const parallel = 8;

/** What makes a server count as failing: no answer, no FHIR, 5xx, 429, 401. Any other refusal is its way to say that it cannot tell. */
class Failing extends Error {
  override readonly name = 'Failing';
}

const statusOf = (error: unknown): number | undefined => (error as { readonly response?: { readonly status?: number } }).response?.status;

type Part = { readonly name?: unknown; readonly valueBoolean?: unknown } | null;

/** How servers say that the answer is false only because they lack the code system. */
const lacking = new Set<unknown>(['x-caused-by-unknown-system', 'x-unknown-system']);

/** The result of $validate-code (R4 valueset-operation-validate-code.html); throws when the answer is none. */
const membershipOf = (answer: unknown): Membership => {
  const { resourceType, parameter } = (answer ?? {}) as { readonly resourceType?: unknown; readonly parameter?: unknown };
  const parts = (Array.isArray(parameter) ? parameter : []) as readonly Part[];
  const result = parts.find((part) => part?.name === 'result')?.valueBoolean;
  if (resourceType !== 'Parameters' || typeof result !== 'boolean') throw new Failing('the answer is no result of $validate-code');
  if (result) return 'in';
  return parts.some((part) => lacking.has(part?.name)) ? 'unknown' : 'out';
};

/**
 * A FHIR terminology server behind the port of the validator. It never throws and never takes longer than 300 ms: a server that is slow,
 * away or out of order leaves codes unknown, and after some failures in a row is not asked for a while. Answers are kept.
 */
export const createTerminologyServer = ({ url: baseUrl, tokens, clock }: TerminologyServerOptions): TerminologyServer => {
  const client = new Client({ baseUrl });
  const cache = new AnswerCache(clock);
  const breaker = new CircuitBreaker({ failures: 5, pauseMs: 30_000, clock });

  const call = async ({ valueSet, system, code }: CodeQuestion, signal: AbortSignal): Promise<unknown> => {
    const headers = tokens === undefined ? {} : { authorization: `Bearer ${await tokens.get()}` };
    const [url = '', version] = valueSet.split('|');
    const input = { url, ...(version === undefined ? {} : { valueSetVersion: version }), system, code };
    return client.operation({ name: 'validate-code', resourceType: 'ValueSet', method: 'GET', input, options: { signal, headers } });
  };

  /** A token may have been withdrawn before its time: one more try with another. */
  const callAgain = async (question: CodeQuestion, signal: AbortSignal, error: unknown): Promise<unknown> => {
    if (statusOf(error) !== 401 || tokens === undefined) throw error;
    tokens.forget();
    return call(question, signal);
  };

  const request = async (question: CodeQuestion, signal: AbortSignal): Promise<Membership> => {
    try {
      return membershipOf(await call(question, signal).catch((error: unknown) => callAgain(question, signal, error)));
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || status < 400 || status >= 500 || status === 401 || status === 429) throw error;
      return 'unknown';
    }
  };

  const askOne = async (question: CodeQuestion, signal: AbortSignal): Promise<Membership> => {
    const key = keyOfQuestion(question);
    const known = cache.find(key);
    if (known !== undefined) return known;
    if (signal.aborted || !breaker.admits()) return 'unknown';
    try {
      const answer = await orAborted(request(question, signal), signal);
      breaker.succeeded();
      cache.keep(key, answer);
      return answer;
    } catch {
      breaker.failedAgain();
      return 'unknown';
    }
  };

  const ask = async (questions: readonly CodeQuestion[]): Promise<CodeAnswers> => {
    const answers = new Map<string, Membership>();
    const waiting = questions.values();
    const signal = AbortSignal.timeout(answerMs);
    const work = async (): Promise<void> => {
      for (const question of waiting) answers.set(keyOfQuestion(question), await askOne(question, signal));
    };
    await Promise.all(Array.from({ length: Math.min(parallel, questions.length) }, work));
    return { find: (question) => answers.get(keyOfQuestion(question)) ?? 'unknown' };
  };
  return { ask };
};

/** A token that is being fetched is worth having for the next question, so its fetch goes on when this one gives up. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const give = (): void => {
      reject(new Failing('no answer in time'));
    };
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', give);
    });
  });
