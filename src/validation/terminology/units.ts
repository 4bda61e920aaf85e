import { UcumLhcUtils } from '@lhncbc/ucum-lhc';

const mostKept = 5000;
/** no unit of use is longer, and the time to parse one grows with the square of its length */
export const longestUnit = 100;

const kept = new Map<string, boolean>();

// UCUM section 2.1: printable characters of ASCII without white space; the library prints what is not, and no value may get to a log
const characters = /^[!-~]+$/;

/** Whether a code is a unit of UCUM, case-sensitive: a base unit, one with a prefix, or a term of such, with annotations. */
export const isUnit = (code: string): boolean => {
  if (!characters.test(code)) return false;
  const known = kept.get(code);
  if (known !== undefined) return known;
  if (kept.size >= mostKept) kept.clear();
  // names of units ("meter") are told with the code that they stand for, and are no codes
  const { status } = UcumLhcUtils.getInstance().validateUnitString(code);
  kept.set(code, status === 'valid');
  return status === 'valid';
};
