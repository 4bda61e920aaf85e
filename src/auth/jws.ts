export type Jws = { readonly header: Readonly<Record<string, unknown>>; readonly claims: Readonly<Record<string, unknown>> };

const compact = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;

/** RFC 4648 section 3.5: one text for the same bytes. Decoders pass over what is left at the end, so that a token would have many. */
const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;

const objectOf = (part: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
};

/** Reads a compact JWS (RFC 7515 section 7.1) of a JSON object WITHOUT verifying it; undefined when it is none. */
export const readJws = (text: string): Jws | undefined => {
  const match = compact.exec(text);
  if (!match?.slice(1).every(isCanonical)) return undefined;
  const header = objectOf(match[1]);
  const claims = objectOf(match[2]);
  return header && claims ? { header, claims } : undefined;
};
