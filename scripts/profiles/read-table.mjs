/**
 * Reads a table of `profiles/`: artefacts as a header line and indented rows. The format is described in profiles/README.md.
 * Whatever it cannot read is an error that names the file and the line: a slip in a table must not become a missing rule.
 */

const header = /^(profile|extension|valueset|codesystem|namingsystem) (\S+) (\S+) (active|draft)(?: (\d{4}-\d\d-\d\d))?(?: (of|on) (.+))?$/;
const setting = /^(canonical|copyright): (.+)$/;
const directive = /^ {2}([a-z]+): (.+)$/;
const directives = {
  profile: ['url'],
  extension: ['url'],
  valueset: ['url'],
  codesystem: ['url', 'id', 'valueset', 'content', 'property'],
  namingsystem: ['uri', 'responsible', 'pattern', 'check'],
};

/**
 * @returns {{ kind: string, id: string, version: string, status: string, date?: string, of?: string, on?: string[], canonical: string,
 *   copyright: string, description?: string, directives: [string, string][], rows: { text: string, depth: number, at: string }[] }[]}
 */
export const readTable = (text, file) => {
  const settings = {};
  const artefacts = [];
  text.split('\n').forEach((line, index) => {
    const at = `${file}:${String(index + 1)}`;
    if (line.trim() === '' || line.startsWith('#')) return;
    const artefact = artefacts.at(-1);
    if (!line.startsWith('  ')) startArtefact(line, at, settings, artefacts);
    else if (artefact === undefined) throw new Error(`${at}: a row before any artefact`);
    else addRow(artefact, line, at);
  });
  return artefacts;
};

const startArtefact = (line, at, settings, artefacts) => {
  const set = setting.exec(line);
  if (set !== null) {
    settings[set[1]] = set[2];
    return;
  }
  const match = header.exec(line);
  if (match === null) throw new Error(`${at}: neither an artefact nor a setting: ${line}`);
  const [, kind, id, version, status, date, word, rest] = match;
  artefacts.push({
    kind,
    id,
    version,
    status,
    ...(date === undefined ? {} : { date }),
    ...(word === 'of' ? { of: rest } : {}),
    ...(word === 'on' ? { on: rest.split(', ') } : {}),
    ...settings,
    directives: [],
    rows: [],
  });
};

const addRow = (artefact, line, at) => {
  const description = /^ {2}"(.*)"$/.exec(line);
  const told = directive.exec(line);
  if (description !== null) artefact.description = description[1];
  else if (told !== null) addDirective(artefact, told, at);
  else artefact.rows.push({ text: line.trim(), depth: line.length - line.trimStart().length - 2, at });
};

const addDirective = (artefact, [, name, value], at) => {
  if (!directives[artefact.kind].includes(name)) throw new Error(`${at}: a ${artefact.kind} has no ${name}:`);
  if ((name === 'url' || name === 'uri') && !/^https?:\/\/\S+$/.test(value)) throw new Error(`${at}: no URL: ${value}`);
  artefact.directives.push([name, value]);
};

/** The value of a directive, e.g. `url: ...`; undefined when the table does not give it. */
export const directiveOf = (artefact, name) => artefact.directives.find(([key]) => key === name)?.[1];

/** Words of a row, split at spaces outside "..." and {...}. */
export const wordsOf = (text) => text.match(/(?:[^\s"{]+|"[^"]*"|\{.*\})+/g) ?? [];
