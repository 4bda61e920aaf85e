// XML 1.0 section 2.2: control characters, lone surrogates and two non-characters cannot stand in a document, not even as references
const unwritable = /(?![\t\n\r])\p{Cc}(?<![\u007F-\u009F])|\p{Cs}|[\uFFFE\uFFFF]/gu;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

const written = (text: string): string => text.replace(unwritable, '\uFFFD');

/** White space as references: a parser would make spaces of it (XML 1.0 section 3.3.3). */
export const escapeAttribute = (text: string): string => written(text).replace(/[&<>"\n\r\t]/g, (found) => references[found] ?? found);

export const escapeText = (text: string): string => written(text).replace(/[&<>\r]/g, (found) => references[found] ?? found);
