// SNOMED CT Expression Constraint Language, the part that value sets are mostly made of: concepts with an operator before them, joined
const token = /\s*(?:(\d{6,18}(?:\s*\|[^|]*\|)?|\*)|(<<!|<!|<<|<|>>!|>!|>>|>|\^)|\b(AND|OR|MINUS)\b|([()])|(,))/iy;

/**
 * What is wrong with an expression constraint; undefined when nothing is, or when it uses more of the language (refinements, filters)
 * than is read here.
 */
export const constraintFault = (text: string): string | undefined => {
  let depth = 0;
  let wanted = true;
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    const [, concept, operator, junction, bracket, comma] = match;
    const opens = concept !== undefined || operator !== undefined || bracket === '(';
    if (opens !== wanted) return `'${match[0].trim()}' is not expected there`;
    if (concept !== undefined) wanted = false;
    if (junction !== undefined || comma !== undefined) wanted = true;
    if (bracket === '(') depth++;
    if (bracket === ')' && --depth < 0) return 'there are more brackets closed than opened';
  }
  if (wanted) return 'something is missing at its end';
  return depth === 0 ? undefined : 'a bracket is not closed';
};
