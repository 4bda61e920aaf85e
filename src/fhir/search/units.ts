import { UcumLhcUtils } from '@lhncbc/ucum-lhc';

const ucum = 'http://unitsofmeasure.org';

/** One name under which a quantity is kept or asked for, and how its number is written there. */
export type QuantityKey = { readonly key: string; readonly factor: (value: number) => number };

type Base = { readonly dimension: string; readonly factor: (value: number) => number };

let utilities: UcumLhcUtils | undefined;
const bases = new Map<string, Base | undefined>();

/** The unit's dimension and the way to its base units; undefined for what UCUM does not know or cannot multiply (degrees Celsius). */
const baseOf = (code: string): Base | undefined => {
  if (bases.has(code)) return bases.get(code);
  if (bases.size > 5000) bases.clear();
  const base = readBase(code);
  bases.set(code, base);
  return base;
};

const readBase = (code: string): Base | undefined => {
  // the library prints codes with white space to the console, and no value may get there
  if (!/^[!-~]+$/.test(code)) return undefined;
  // reading UCUM's table takes a while, and few servers see a quantity
  utilities ??= UcumLhcUtils.getInstance();
  const { unit } = utilities.getSpecifiedUnit(code, 'validate');
  if (!unit || unit.isSpecial_ || unit.isArbitrary_) return undefined;
  const dimension = unit.dim_?.dimVec_?.join(',') ?? '1';
  const { magnitude_: magnitude } = unit;
  // 1.1 mg are 0.0011 g, not what floating-point numbers make of them
  return { dimension, factor: (value) => Number((value * magnitude).toPrecision(14)) };
};

const same = (value: number): number => value;

/**
 * R4 search.html#quantity: without a unit any matches; with a code alone the code or the unit; with a system exactly that code, or for
 * UCUM every unit of the same dimension, by canonical units.
 */
export const quantityKeys = (system: string | undefined, code: string | undefined, unit: string | undefined): readonly QuantityKey[] => {
  const keys: QuantityKey[] = [{ key: '', factor: same }];
  for (const name of new Set([code, unit])) if (name !== undefined) keys.push({ key: `||${name}`, factor: same });
  if (system === undefined || code === undefined) return keys;
  return [...keys, exactKey(system, code)];
};

/** The name of a quantity whose system and code are both known. */
export const exactKey = (system: string, code: string): QuantityKey => {
  const base = system === ucum ? baseOf(code) : undefined;
  return base ? { key: `|ucum|${base.dimension}`, factor: base.factor } : { key: `|${system}|${code}`, factor: same };
};
