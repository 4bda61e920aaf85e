/** Splits at an unescaped separator (R4 search.html#escaping); the parts keep their escapes. */
export const splitAt = (text: string, separator: ',' | '|' | '$'): readonly string[] => {
  if (!text.includes(separator)) return [text];
  const parts: string[] = [];
  let part = '';
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '\\' && index + 1 < text.length) part += character + text.charAt(++index);
    else if (character === separator) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
};

/** The text without its escapes. A lone backslash stands for itself. */
export const unescaped = (text: string): string => (text.includes('\\') ? text.replace(/\\([\\,|$])/g, '$1') : text);
