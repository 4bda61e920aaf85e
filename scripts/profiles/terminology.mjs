import { directiveOf } from './read-table.mjs';
import { nameOf, titleOf, urlOf } from './canonicals.mjs';

const common = (artefact, resourceType) => ({
  resourceType,
  id: directiveOf(artefact, 'id') ?? artefact.id,
  url: urlOf(artefact),
  version: artefact.version,
  name: nameOf(artefact.id),
  title: titleOf(artefact.id),
  status: artefact.status,
  ...(artefact.date === undefined ? {} : { date: artefact.date }),
  ...(artefact.description === undefined ? {} : { description: artefact.description }),
  copyright: artefact.copyright,
});

/** A value set of the tables: `+` includes, `-` excludes. */
export const valueSet = (artefact, canonicals) => {
  const parts = artefact.rows.map((row) => ({ sign: row.text[0], part: partOf(row, canonicals) }));
  const exclude = parts.filter(({ sign }) => sign === '-').map(({ part }) => part);
  return {
    ...common(artefact, 'ValueSet'),
    compose: {
      include: parts.filter(({ sign }) => sign === '+').map(({ part }) => part),
      ...(exclude.length === 0 ? {} : { exclude }),
    },
  };
};

const partOf = ({ text, at }, canonicals) => {
  const match = /^[+-] (\S+)(?: (where|codes) (.+)| (\S+))?$/.exec(text);
  if (match === null) throw new Error(`${at}: not an include or exclude: ${text}`);
  const [, name, word, rest, imported] = match;
  if (name === 'valueset') return { valueSet: [canonicals.valueSet(imported)] };
  const system = canonicals.codeSystem(name);
  if (word === 'codes') return { system, concept: rest.split('; ').map(conceptOf) };
  if (word !== 'where') return { system };
  const [property, op, ...value] = rest.split(' ');
  return { system, filter: [{ property, op, value: value.join(' ') }] };
};

const conceptOf = (text) => {
  const [code, ...display] = text.split(' ');
  return display.length === 0 ? { code } : { code, display: display.join(' ') };
};

/** The value set of all codes of a code system, for those that ask for it with `valueset: all`. */
export const wholeOf = (artefact) =>
  directiveOf(artefact, 'valueset') === undefined
    ? []
    : [
        {
          ...common(artefact, 'ValueSet'),
          id: artefact.id,
          url: `${artefact.canonical}/ValueSet/${artefact.id}`,
          compose: { include: [{ system: urlOf(artefact) }] },
        },
      ];

/** A code system of the tables: a concept a row, children indented by one, properties after `|`. */
export const codeSystem = (artefact, canonicals) => {
  const properties = artefact.directives.filter(([key]) => key === 'property').map(([, text]) => propertyOf(text, canonicals));
  const { concepts, count } = conceptsOf(artefact.rows, new Map(properties.map((property) => [property.code, property])));
  const whole = `${artefact.canonical}/ValueSet/${artefact.id}`;
  return {
    ...common(artefact, 'CodeSystem'),
    caseSensitive: true,
    ...(directiveOf(artefact, 'valueset') === undefined ? {} : { valueSet: whole }),
    content: directiveOf(artefact, 'content') ?? 'complete',
    count,
    ...(properties.length === 0
      ? {}
      : {
          property: properties.map(({ code, type, description }) => ({
            code,
            uri: `${artefact.canonical}/CodeSystem/eRS-Concept-Properties#${code}`,
            description,
            type,
          })),
        }),
    concept: concepts,
  };
};

/** `usage Coding eRS-Usage "text"` */
const propertyOf = (text, canonicals) => {
  const [, code, type, system, description] = /^(\S+) (\S+)(?: (\S+))? "(.*)"$/.exec(text) ?? [];
  if (code === undefined) throw new Error(`not a property: ${text}`);
  return { code, type, description, ...(system === undefined ? {} : { system: canonicals.codeSystem(system) }) };
};

const conceptsOf = (rows, properties) => {
  const concepts = [];
  const open = [];
  for (const { text, depth, at } of rows) {
    const [shown, given] = text.split(' | ');
    const concept = {
      ...conceptOf(shown),
      ...(given === undefined ? {} : { property: given.split(' ').flatMap((each) => values(each, properties, at)) }),
    };
    open.length = depth;
    const siblings = depth === 0 ? concepts : (open.at(-1).concept ??= []);
    siblings.push(concept);
    open.push(concept);
  }
  return { concepts, count: rows.length };
};

/** `businessFunction=A,B` is the property twice. */
const values = (text, properties, at) => {
  const [, code, list] = /^(\w+)=(.+)$/.exec(text) ?? [];
  const property = properties.get(code);
  if (property === undefined) throw new Error(`${at}: no such property: ${text}`);
  return list.split(',').map((value) => ({ code, ...valueOf(property, value) }));
};

const valueOf = ({ type, system }, value) => {
  if (type === 'Coding') return { valueCoding: { system, code: value } };
  if (type === 'boolean') return { valueBoolean: value === 'true' };
  if (type === 'integer') return { valueInteger: Number(value) };
  if (type === 'dateTime') return { valueDateTime: value };
  if (type === 'code') return { valueCode: value };
  return { valueString: value };
};
