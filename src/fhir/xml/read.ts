import { LosslessNumber } from 'lossless-json';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { failure, type Failure } from '../outcome.js';
import type { Resource } from '../resource.js';
import { isPrimitive, type ElementShape, type Shapes, type TypeShape } from '../shapes.js';
import { fhirNamespace, xhtmlNamespace } from './namespaces.js';
import { escapeAttribute, escapeText } from './text.js';

type Node = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Node[];
  /** of a narrative's div: the text as it stands in JSON */
  xhtml?: string;
};

/** The narrative being read: kept as it stands in the document where that can stand alone, else written anew from its parts. */
type Narrative = { readonly start: number; plain: boolean; readonly parts: string[]; depth: number };

const maxDepth = 200;
const wrong = (text: string, path?: string): Failure =>
  failure('invalid', 'structure', text, path === undefined ? {} : { expression: [path] });

/**
 * A resource from FHIR XML (R4 xml.html). There is no DTD in FHIR, so a DOCTYPE is refused and with it every entity but XML's own five:
 * nothing outside the text is ever read. Throws a Failure `invalid`/`structure` that says what is wrong and where.
 */
export const readXml = (text: string, shapes: Shapes): Resource => {
  const root = treeOf(text);
  return resourceOf(root, shapes, root.name);
};

const treeOf = (text: string): Node => {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: Node[] = [];
  let root: Node | undefined;
  const source = text.replace(/^\uFEFF/, '');
  let narrative: Narrative | undefined;
  const fail = (message: string): never => {
    throw wrong(`The body is not FHIR XML: ${message} (line ${String(parser.line)}, column ${String(parser.column)}).`);
  };
  parser.on('error', (error) => fail(error.message.replace(/^\d+:\d+: /, '')));
  parser.on('doctype', () => fail('a DOCTYPE is not allowed'));
  parser.on('processinginstruction', () => fail('processing instructions are not allowed'));
  parser.on('opentag', (tag) => {
    if (narrative) {
      narrative.depth++;
      narrative.plain &&= tag.prefix === '';
      narrative.parts.push(openingOf(tag));
    } else if (tag.uri === xhtmlNamespace)
      narrative = {
        start: source.lastIndexOf('<', parser.position - 1),
        plain: tag.prefix === '' && tag.attributes['xmlns'] !== undefined && !tag.isSelfClosing,
        parts: [`<div xmlns="${xhtmlNamespace}"${attributesOf(tag)}>`],
        depth: 1,
      };
    else if (tag.uri !== fhirNamespace) fail(`<${tag.name}> is not in the namespace ${fhirNamespace}`);
    const node: Node = { name: tag.local, attributes: plainAttributes(tag), children: [] };
    if (!narrative || narrative.depth === 1) open.at(-1)?.children.push(node);
    root ??= node;
    open.push(node);
    if (open.length > maxDepth) throw failure('too-costly', 'too-costly', 'The body is nested too deep.');
  });
  parser.on('closetag', (tag) => {
    const node = open.pop();
    if (!narrative) return;
    if (!tag.isSelfClosing || narrative.depth === 1) narrative.parts.push(`</${tag.local}>`);
    if (--narrative.depth > 0) return;
    if (node) node.xhtml = narrative.plain ? source.slice(narrative.start, parser.position) : narrative.parts.join('');
    narrative = undefined;
  });
  const characters = (found: string) => {
    if (narrative) narrative.parts.push(escapeText(found));
    else if (found.trim() !== '') fail(`text stands outside of a narrative: ${found.trim().slice(0, 40)}`);
  };
  parser.on('text', characters);
  parser.on('cdata', characters);
  parser.write(source).close();
  return root ?? fail('it is empty');
};

const plainAttributes = (tag: SaxesTagNS): ReadonlyMap<string, string> =>
  new Map(Object.values(tag.attributes).flatMap(({ local, prefix, value }) => (prefix === '' ? [[local, value] as const] : [])));

const attributesOf = (tag: SaxesTagNS): string =>
  Object.values(tag.attributes)
    .filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
    .map(({ name, value }) => ` ${name}="${escapeAttribute(value)}"`)
    .join('');

const openingOf = (tag: SaxesTagNS): string => `<${tag.local}${attributesOf(tag)}${tag.isSelfClosing ? '/' : ''}>`;

const resourceOf = (node: Node, shapes: Shapes, path: string): Resource => {
  const shape = shapes(node.name);
  if (shape?.kind !== 'resource') throw wrong(`${node.name} is not a resource type of R4.`, path);
  return { resourceType: node.name, ...elementsOf(node, shape, shapes, path) };
};

/** The JSON members of an element with children, in the order in which they stand. */
const elementsOf = (node: Node, shape: TypeShape, shapes: Shapes, path: string): Readonly<Record<string, unknown>> => {
  const members: Record<string, unknown> = {};
  for (const [name, value] of node.attributes) {
    if (name === 'xmlns') continue;
    if (shape.byName.get(name)?.attribute !== true) throw wrong(`${shape.name} has no attribute ${name} in XML.`, path);
    members[name] = value;
  }
  for (const [name, nodes] of grouped(node.children)) {
    const row = shape.byName.get(name);
    const at = `${path}.${row?.choice ?? name}`;
    if (!row || row.attribute) throw wrong(`${shape.name} has no element ${name}.`, at);
    if (!row.list && nodes.length > 1) throw wrong(`${name} stands ${String(nodes.length)} times; it may stand once.`, at);
    const places = nodes.map((_, index) => (row.list ? `${at}[${String(index)}]` : at));
    const empty = nodes.findIndex((child) => isEmpty(child, row.type));
    if (empty >= 0) throw wrong(`${name} is empty: an element has a value, children or an extension.`, places[empty]);
    if (isPrimitive(shapes, row.type)) Object.assign(members, primitives(row, nodes, shapes, places));
    else {
      const values = nodes.map((child, index) => complexOf(child, row, shapes, places[index] ?? at));
      members[name] = row.list ? values : values[0];
    }
  }
  return members;
};

/** R4 xml.html: an element can never be empty. */
const isEmpty = (node: Node, type: string): boolean =>
  type === 'xhtml'
    ? node.xhtml === undefined
    : node.children.length === 0 && [...node.attributes.keys()].every((attribute) => attribute === 'xmlns');

const grouped = (children: readonly Node[]): ReadonlyMap<string, readonly Node[]> => {
  const groups = new Map<string, Node[]>();
  for (const child of children) {
    const group = groups.get(child.name);
    if (group) group.push(child);
    else groups.set(child.name, [child]);
  }
  return groups;
};

const complexOf = (node: Node, row: ElementShape, shapes: Shapes, path: string): unknown => {
  const shape = shapes(row.type);
  if (!shape) throw new Error(`no shape ${row.type}`);
  if (shape.name !== 'Resource') return elementsOf(node, shape, shapes, path);
  const [inner, ...more] = node.children;
  if (!inner || more.length > 0) throw wrong('One resource must stand here.', path);
  return resourceOf(inner, shapes, path);
};

/** R4 json.html#primitive: values under `name`, ids and extensions under `_name`, both lists as long as each other. */
const primitives = (row: ElementShape, nodes: readonly Node[], shapes: Shapes, paths: readonly string[]): object => {
  const values = nodes.map((node, index) => (row.type === 'xhtml' ? node.xhtml : valueOf(node, row.type, paths[index] ?? '')));
  const besides = nodes.map((node, index) => besideOf(node, row.type, shapes, paths[index] ?? ''));
  const holds = (list: readonly unknown[]) => list.some((item) => item !== undefined);
  const shown = (list: readonly unknown[]) => (row.list ? list.map((item) => item ?? null) : list[0]);
  return {
    ...(holds(values) ? { [row.name]: shown(values) } : {}),
    ...(holds(besides) ? { [`_${row.name}`]: shown(besides) } : {}),
  };
};

const besideOf = (node: Node, type: string, shapes: Shapes, path: string): object | undefined => {
  if (type === 'xhtml') return undefined;
  for (const name of node.attributes.keys())
    if (!['id', 'value', 'xmlns'].includes(name)) throw wrong(`A primitive has no attribute ${name}.`, path);
  const element = shapes('Element');
  if (!element) throw new Error('no shape Element');
  const attributes = new Map([...node.attributes].filter(([name]) => name === 'id'));
  const beside = elementsOf({ ...node, attributes }, element, shapes, path);
  return Object.keys(beside).length === 0 ? undefined : beside;
};

const numbers: Readonly<Record<string, RegExp>> = {
  integer: /^(0|-?[1-9][0-9]*)$/,
  unsignedInt: /^(0|[1-9][0-9]*)$/,
  positiveInt: /^[1-9][0-9]*$/,
  decimal: /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/,
};

const valueOf = (node: Node, type: string, path: string): unknown => {
  const text = node.attributes.get('value');
  if (text === undefined) return undefined;
  if (type === 'boolean') {
    if (text !== 'true' && text !== 'false')
      throw failure('invalid', 'value', `${text.slice(0, 40)} is not a boolean.`, { expression: [path] });
    return text === 'true';
  }
  const form = Object.hasOwn(numbers, type) ? numbers[type] : undefined;
  if (!form) return text;
  if (!form.test(text)) throw failure('invalid', 'value', `${text.slice(0, 40)} is not of the type ${type}.`, { expression: [path] });
  return String(Number(text)) === text ? Number(text) : new LosslessNumber(text);
};
