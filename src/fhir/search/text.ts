const marks = /\p{M}+/gu;
const plain = /^[\x20-\x7e]*$/;

/** R4 search.html#string: matching is insensitive to case, accents and runs of white space. */
export const fold = (text: string): string => {
  const lower = plain.test(text) ? text.toLowerCase() : text.normalize('NFKD').replace(marks, '').toLowerCase();
  return lower.replace(/\s+/g, ' ').trim();
};

// a control character that FHIR strings must not contain (R4 datatypes.html#string)
const separator = '\u001f';
// twice this and a separator is what an index key of both engines holds; text beyond it is neither matched nor sorted by
const longest = 199;

/**
 * How a string stands in the index: folded, followed by the original where that differs. One row serves the default and
 * `:contains` (on the folded start), `:exact` (the whole) and sorting.
 */
export const indexedText = (text: string): string => {
  const original = text.slice(0, longest);
  const folded = fold(original);
  return folded === original ? folded : `${folded}${separator}${original}`;
};

/** A code of a system that is not case-sensitive, as it stands in the index beside exact codes. */
export const foldedCode = (code: string): string => {
  const lower = fold(code);
  return lower === code && lower === code.toUpperCase() ? code : `${lower}${separator}`;
};

const words = /[\p{L}\p{N}]+/gu;
const mostWords = 400;

/** The different words of a text, folded, at most 400 of them; a letter alone is none. */
export const wordsOf = (text: string): ReadonlySet<string> => {
  const found = new Set<string>();
  for (const [word] of fold(text.slice(0, 100_000)).matchAll(words)) {
    if (word.length > 1 && word.length <= 60) found.add(word);
    if (found.size >= mostWords) break;
  }
  return found;
};

/** Where a folded text that differs from its original ends: what `eq` of _filter needs. */
export const afterFolded = separator;

/** The forms in which a searched code may stand in the index: as it is, and folded. */
export const codeForms = (code: string): readonly string[] => [...new Set([code, foldedCode(code)])];
