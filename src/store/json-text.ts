/**
 * Texts on their way in JSON. Servers that speak the protocol of SQL Server do not all undo the escapes of JSON strings, so none are
 * sent: what JSON would escape travels as a character of Unicode's private area, and the statement puts it back.
 */
const base = 0xe000;
const escaped = [...Array.from({ length: 31 }, (_, code) => String.fromCharCode(code + 1)), '"', '\\'];

/** For `translate(text, sentAs, meant)`. */
export const meant = escaped.join('');
export const sentAs = escaped.map((sign) => String.fromCharCode(base + sign.charCodeAt(0))).join('');

const names: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

/** JSON text without escapes, to be read by a statement that translates its strings. What is no character is as in `keyText`. */
export const withoutEscapes = (json: string): string =>
  json.replaceAll(
    /\\(?:u00([01][0-9a-f])|(["\\bfnrt])|ud[89a-f][0-9a-f]{2})/g,
    (_whole, code: string | undefined, name: string | undefined) => {
      if ((code === undefined && name === undefined) || code === '00') return '\ufffd';
      return String.fromCharCode(base + (code === undefined ? (names[name ?? ''] ?? '').charCodeAt(0) : Number.parseInt(code, 16)));
    },
  );

export const jsonText = (value: unknown): string => withoutEscapes(JSON.stringify(value));
