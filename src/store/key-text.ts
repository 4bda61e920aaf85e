import { createHash } from 'node:crypto';

/** Index keys hold at most this many characters (1,700 bytes of a key on SQL Server). */
const longest = 400;
const kept = longest - 44;

/** What is no character: half of one, as a text has it that was cut, and the end of a text. No server need take it; as bytes a half is this sign too. */
export const wellFormed = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\ufffd').replaceAll('\0', '\ufffd');

/** A text as it stands in an index of SQL Server: whole, or its beginning with a hash of all of it, so that equal texts stay equal. */
export const keyText = (text: string): string =>
  wellFormed(text.length <= longest ? text : `${text.slice(0, kept)} ${createHash('sha256').update(text).digest('base64url')}`);

/** Whether a text may be what `keyText` made of a longer one. */
export const isShortened = (text: string): boolean => text.length === longest && /^ [\w-]{43}$/.test(text.slice(kept));
