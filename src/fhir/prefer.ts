import { failure } from './outcome.js';

/** What a client prefers (RFC 7240; R4 http.html#ops, #handling, async.html). */
export type Preference = {
  /** absent: the resource */
  readonly return?: 'minimal' | 'representation' | 'OperationOutcome';
  readonly lenient: boolean;
  readonly respondAsync: boolean;
};

const none: Preference = { lenient: false, respondAsync: false };
const returns = ['minimal', 'representation', 'OperationOutcome'] as const;

/**
 * Reads the header. Preferences that nobody here knows are ignored (RFC 7240 section 2); a known one with an unknown value is
 * ignored too, unless the client asked for strict handling.
 */
export const readPrefer = (header: string | undefined): Preference => {
  if (header === undefined) return none;
  const given = new Map(
    header.split(/[,;]/).map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=');
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
    }),
  );
  const wanted = given.get('return');
  const known = returns.find((name) => name.toLowerCase() === wanted?.toLowerCase());
  const handling = given.get('handling');
  if (wanted !== undefined && known === undefined && handling === 'strict')
    throw failure('invalid', 'value', `Prefer: return takes ${returns.join(', ')}.`, { expression: ['Prefer'] });
  return {
    ...(known === undefined ? {} : { return: known }),
    lenient: handling === 'lenient',
    respondAsync: given.has('respond-async'),
  };
};
