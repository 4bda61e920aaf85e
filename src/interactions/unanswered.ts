import { Failure, type Issue } from '../fhir/outcome.js';
import { Unavailable } from '../store/port.js';

/** What a caller is told while the store does not answer; why it did not is for the log alone. */
export const unanswered = (cause: Unavailable, more: Pick<Issue, 'diagnostics'> = {}): Failure =>
  new Failure(
    'transient',
    [{ severity: 'error', code: 'transient', text: 'The store does not answer now: try again.', ...more }],
    {},
    cause,
  );

/** Why the store did not answer, without the words of a driver, which may quote data; undefined for any other failure. */
export const reasonUnanswered = ({ cause }: Failure): string | undefined => {
  if (!(cause instanceof Unavailable)) return undefined;
  if (cause.cause === undefined) return cause.message;
  const { name, code, number } = cause.cause as Error & { readonly code?: string; readonly number?: number };
  return [name, code, number].filter((word) => word !== undefined).join(' ');
};
