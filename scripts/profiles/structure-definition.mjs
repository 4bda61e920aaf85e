import { nameOf, titleOf, urlOf } from './canonicals.mjs';
import { wordsOf } from './read-table.mjs';

/**
 * A profile or extension of the tables as a StructureDefinition with a differential (R4 structuredefinition.html).
 * `typeOf(id)` gives the R4 type that a profile of that id constrains.
 */
export const structureDefinition = (artefact, canonicals, typeOf) => {
  const extension = artefact.kind === 'extension';
  const type = extension ? 'Extension' : typeOf(artefact.of);
  const rows = artefact.rows.map((row) => readRow(row, type, canonicals));
  return {
    resourceType: 'StructureDefinition',
    id: artefact.id,
    url: urlOf(artefact),
    version: artefact.version,
    name: nameOf(artefact.id),
    title: titleOf(artefact.id),
    status: artefact.status,
    date: artefact.date,
    description: artefact.description,
    copyright: artefact.copyright,
    fhirVersion: '4.0.1',
    kind: extension ? 'complex-type' : 'resource',
    abstract: false,
    ...(extension ? { context: artefact.on.map((expression) => ({ type: 'element', expression })) } : {}),
    type,
    baseDefinition: canonicals.structure(extension ? 'Extension' : artefact.of),
    derivation: 'constraint',
    differential: { element: elementsOf(rows, type, extension ? urlOf(artefact) : undefined) },
  };
};

const cardinality = /^(\d*)\.\.(\d*|\*)$/;
const strengths = new Set(['required', 'extensible', 'preferred', 'example']);

/** One row: the element's path below the type, then facets in any order. */
const readRow = ({ text, at }, type, canonicals) => {
  const [, below, rest] = /^(\S+) *(.*)$/.exec(text) ?? [];
  const id = below === '.' ? type : `${type}.${below}`;
  if (rest.startsWith('rule=')) return { id, constraint: [ruleOf(rest, at)] };
  const element = { id };
  for (const word of wordsOf(rest)) {
    const range = cardinality.exec(word);
    if (word === 'MS') element.mustSupport = true;
    else if (range !== null) Object.assign(element, rangeOf(range));
    else Object.assign(element, facetOf(word, at, canonicals));
  }
  return element;
};

const rangeOf = ([, min, max]) => ({ ...(min === '' ? {} : { min: Number(min) }), ...(max === '' ? {} : { max }) });

const ruleOf = (text, at) => {
  const match = /^rule=(\S+) (error|warning) "(.*?)" :: (.+)$/.exec(text);
  if (match === null) throw new Error(`${at}: a rule is: rule=key error|warning "text" :: FHIRPath`);
  const [, key, severity, human, expression] = match;
  return { key, severity, human, expression };
};

const facetOf = (word, at, canonicals) => {
  const [, key, value] = /^([A-Za-z]+)=(.+)$/.exec(word) ?? [];
  if (key === 'sliced') return { slicing: slicingOf(value) };
  if (key === 'type') return { type: typesOf(value, canonicals) };
  if (key === 'extension') return { type: [{ code: 'Extension', profile: [canonicals.structure(value)] }] };
  if (strengths.has(key)) return { binding: bindingOf(key, value, canonicals) };
  if (/^(fixed|pattern)[A-Z]/.test(key ?? '')) return { [key]: valueOf(value) };
  if (key === 'maxLength') return { maxLength: Number(value) };
  throw new Error(`${at}: no such facet: ${word}`);
};

/** `value:system,open`; several discriminators are joined with `+` */
const slicingOf = (value) => {
  const [discriminators, rules] = value.split(',');
  const discriminator = discriminators.split('+').map((each) => ({ type: each.split(':')[0], path: each.slice(each.indexOf(':') + 1) }));
  return { discriminator, rules };
};

/** `string|Timing|Reference(Patient,Device)` */
const typesOf = (value, canonicals) =>
  value.split('|').map((each) => {
    const [, code, targets] = /^(\w+)(?:\((.+)\))?$/.exec(each) ?? [];
    return targets === undefined ? { code } : { code, targetProfile: targets.split(',').map(canonicals.structure) };
  });

const bindingOf = (strength, value, canonicals) => (value === 'none' ? { strength } : { strength, valueSet: canonicals.valueSet(value) });

const valueOf = (text) => (/^(\{?")/.test(text) ? JSON.parse(text) : text);

/** The differential: rows of one element joined, slices that only their children mention put in, and for extensions what goes without saying. */
const elementsOf = (rows, type, url) => {
  const elements = new Map();
  const put = (element) => {
    const before = elements.get(element.id);
    const constraint = [...(before?.constraint ?? []), ...(element.constraint ?? [])];
    elements.set(element.id, { ...before, ...element, ...(constraint.length === 0 ? {} : { constraint }) });
  };
  const isPart = ({ id }) => id === type || id.startsWith(`${type}.extension`);
  for (const row of url === undefined ? rows : rows.filter(isPart)) {
    putSlices(row.id, elements, put);
    put(row);
    if (url !== undefined) putPartUrl(row.id, elements, put);
  }
  if (url !== undefined) {
    put({ id: `${type}.url`, fixedUri: url });
    if (rows.some(({ id }) => id.startsWith(`${type}.extension:`))) put({ id: `${type}.value[x]`, max: '0' });
    rows.filter((row) => !isPart(row)).forEach(put);
  }
  return [...elements.values()].map(withPath);
};

const putSlices = (id, elements, put) => {
  for (const match of id.matchAll(/:[^.]+(?=\.)/g)) {
    const slice = id.slice(0, match.index + match[0].length);
    if (!elements.has(slice)) put({ id: slice });
    if (slice.startsWith('Extension.extension:')) putPartUrl(slice, elements, put);
  }
};

/** A part of a complex extension is told from its siblings by its url, which is the name of its slice (R4 extensibility.html). */
const putPartUrl = (id, elements, put) => {
  const part = /^Extension(?:\.extension:[^.:]+)*\.extension:([^.:]+)$/.exec(id);
  if (part !== null && !elements.has(`${id}.url`)) put({ id: `${id}.url`, fixedUri: part[1] });
};

const withPath = ({ id, ...facets }) => {
  const last = id.slice(id.lastIndexOf('.') + 1);
  const slice = last.includes(':') ? { sliceName: last.slice(last.indexOf(':') + 1) } : {};
  const { constraint, ...others } = facets;
  // key order as the R4 definition of ElementDefinition has it: a reader's diff against another tool's output stays short
  const { slicing, min, max, type, binding, mustSupport, maxLength, ...values } = others;
  const ordered = { slicing, min, max, type, ...values, maxLength, constraint, mustSupport, binding };
  return {
    id,
    path: id.replace(/:[^.]+/g, ''),
    ...slice,
    ...Object.fromEntries(Object.entries(ordered).filter(([, value]) => value !== undefined)),
  };
};
