/** The tenth digit of an NHS number, by the NHS Data Dictionary's modulus 11; undefined where no digit makes the nine valid. */
export const checkDigitOf = (nine: string): number | undefined => {
  let sum = 0;
  for (let at = 0; at < 9; at++) sum += (nine.charCodeAt(at) - 48) * (10 - at);
  const digit = 11 - (sum % 11);
  if (digit === 10) return undefined;
  return digit === 11 ? 0 : digit;
};

const bodies = 1_000_000;

/**
 * Valid NHS numbers that belong to nobody, in ascending order: those of the range 999 first (909,091 of them), then of 998. The
 * numbers from 990 up are never issued.
 */
export function* testNhsNumbers(): Generator<string> {
  for (const prefix of ['999', '998'])
    for (let body = 0; body < bodies; body++) {
      const nine = prefix + String(body).padStart(6, '0');
      const digit = checkDigitOf(nine);
      if (digit !== undefined) yield nine + String(digit);
    }
}

/** The first `count` of them, as numbers. */
export const numberList = (count: number): Float64Array => {
  const list = new Float64Array(count);
  let at = 0;
  for (const number of testNhsNumbers()) {
    if (at === count) break;
    list[at++] = Number(number);
  }
  return list;
};
