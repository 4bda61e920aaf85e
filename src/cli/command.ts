export type Environment = Readonly<Record<string, string | undefined>>;

/** The value after `--name`, and undefined without it. Throws when the value is missing. */
export const option = (words: readonly string[], name: string): string | undefined => {
  const at = words.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const value = words[at + 1];
  if (value === undefined || value.startsWith('--')) throw new Error(`--${name} needs a value`);
  return value;
};
