/**
 * Reads the digest of UK Core that may lie beside the project: a heading per StructureDefinition, then a line per constrained element.
 * It is read here on its own, not with the generator's code: the test compares two readings of the same facts.
 */
export type DigestElement = {
  readonly id: string;
  readonly min?: number;
  readonly max?: string;
  readonly mustSupport: boolean;
  readonly slicing?: string;
  readonly types: readonly string[];
  readonly binding?: string;
  readonly fixed?: string;
  readonly rules: readonly string[];
};

export type DigestEntry = {
  readonly id: string;
  readonly version: string;
  readonly status: string;
  readonly date: string;
  readonly type: string;
  readonly base: string;
  readonly context: readonly string[];
  readonly elements: readonly DigestElement[];
};

const heading = /^## (\S+) v(\S+) (\w+) (\S+) type=(\S+) base=(\S+) snapshot=False(?: context=\[(.*)\])?$/;

export const readDigest = (text: string): readonly DigestEntry[] =>
  text
    .split(/\n(?=## )/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const [first, ...lines] = block.split('\n');
      const match = heading.exec(first!);
      if (match === null) throw new Error(`digest: ${first!}`);
      const [, id, version, status, date, type, base, context] = match;
      return {
        id: id!,
        version: version!,
        status: status!,
        date: date!,
        type: type!,
        base: base!,
        context: [...(context ?? '').matchAll(/'([^']+)'/g)].map(([, each]) => each!),
        elements: joinElements(lines.filter((line) => line.startsWith(' - ')).map((line) => readElement(line.slice(3)))),
      };
    });

/** An element with several lines (facets, and each of its invariants) is one element. */
const joinElements = (elements: readonly DigestElement[]): readonly DigestElement[] => {
  const joined = new Map<string, DigestElement>();
  for (const element of elements) {
    const before = joined.get(element.id);
    joined.set(element.id, before === undefined ? element : { ...before, ...element, rules: [...before.rules, ...element.rules] });
  }
  return [...joined.values()];
};

const rule = /^(\S+) INV (\S+) (\w+): .*? :: (.*)$/;

const readElement = (line: string): DigestElement => {
  const told = rule.exec(line);
  if (told !== null) return { id: told[1]!, mustSupport: false, types: [], rules: [`${told[2]!} ${told[3]!} ${told[4]!}`] };
  const [, id, rest] = /^(\S+) ?(.*)$/.exec(line)!;
  const words = ` ${rest!}`;
  const range = / (\d*)\.\.(\d*)(?= |$)/.exec(words);
  const sliced = / SLICED by (\S+) (\w+)/.exec(words);
  const bound = / bind\[(\w+)\] (\S*)/.exec(words);
  const fixed = / (fixed\w+)="([^"]*)"/.exec(words);
  const typed = / type=(\S+)/.exec(words);
  return {
    id: id!,
    ...(range?.[1] ? { min: Number(range[1]) } : {}),
    ...(range?.[2] ? { max: range[2] } : {}),
    mustSupport: / MS(?= |$)/.test(words),
    ...(sliced === null ? {} : { slicing: `${sliced[1]!} ${sliced[2]!}` }),
    types: typed === null ? [] : typed[1]!.split('|'),
    ...(bound === null ? {} : { binding: `${bound[1]!} ${bound[2]!}` }),
    ...(fixed === null ? {} : { fixed: `${fixed[1]!} ${fixed[2]!}` }),
    rules: [],
  };
};

const hl7 = 'http://hl7.org/fhir/';
const uk = 'https://fhir.hl7.org.uk/';

/** The digest shortens URLs; the same shortening of ours makes the two comparable. */
export const shortStructure = (url: string): string =>
  url.replace(`${hl7}StructureDefinition/`, '').replace(`${uk}StructureDefinition/`, '');
export const shortValueSet = (url: string): string => url.replace(`${hl7}ValueSet/`, 'fhirVS:').replace(`${uk}ValueSet/`, 'VS:');
