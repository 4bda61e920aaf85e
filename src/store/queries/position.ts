/** The opaque `after` of plans and windows: a JSON array, base64url. The signature is added where it leaves the server. */
export const encodePosition = (position: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

/** Throws a RangeError for text that this module did not make. */
export const decodePosition = (text: string): readonly (string | number | null)[] => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new RangeError('not a position');
  }
  if (!Array.isArray(parsed) || !parsed.every((part) => part === null || typeof part === 'string' || typeof part === 'number'))
    throw new RangeError('not a position');
  return parsed as readonly (string | number | null)[];
};
