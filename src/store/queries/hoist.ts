/** Where the parenthesis that opens at `open` closes; texts and quoted names are passed over. */
const closeOf = (text: string, open: number): number => {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const sign = text[at];
    if (sign === "'" || sign === '"') at = text.indexOf(sign, at + 1);
    else if (sign === '(') depth++;
    else if (sign === ')' && --depth === 0) return at;
  }
  throw new Error('a parenthesis is not closed');
};

const derived = /^(?:from|join) \((?=select )/;

/**
 * The derived tables of a select's own `from`, at any depth, as common table expressions before it. Both mean the same to the server;
 * a parser that looks ahead to tell a derived table from a join in parentheses does so once for each level, which for
 * five levels is longer than the search. Subselects within conditions stay: they may name columns from around them.
 */
export const hoistDerived = (text: string): string => {
  const parts: string[] = [];
  const flat = (select: string): string => {
    let result = '';
    for (let at = 0; at < select.length; at++) {
      const sign = select[at] ?? '';
      const found = (sign === 'f' || sign === 'j') && /\s/.test(select[at - 1] ?? '') ? derived.exec(select.slice(at, at + 20)) : null;
      if (found) {
        const open = at + found[0].length - 1;
        const close = closeOf(select, open);
        const inner = flat(select.slice(open + 1, close));
        parts.push(inner);
        result += `${found[0].slice(0, -1)}q${String(parts.length)}`;
        at = close;
      } else if (sign === '(') {
        const close = closeOf(select, at);
        result += select.slice(at, close + 1);
        at = close;
      } else if (sign === "'" || sign === '"') {
        const close = select.indexOf(sign, at + 1);
        result += select.slice(at, close + 1);
        at = close;
      } else result += sign;
    }
    return result;
  };
  const main = flat(text);
  return parts.length === 0 ? text : `with ${parts.map((part, index) => `q${String(index + 1)} as (${part})`).join(', ')} ${main}`;
};
