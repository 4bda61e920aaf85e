import { isLosslessNumber } from 'lossless-json';
import { SaxesParser } from 'saxes';
import type { Resource } from '../resource.js';
import { isPrimitive, type ElementShape, type Shapes, type TypeShape } from '../shapes.js';
import { fhirNamespace, xhtmlNamespace } from './namespaces.js';
import { escapeAttribute, escapeText } from './text.js';

type Tree = Readonly<Record<string, unknown>>;

/** A resource as FHIR XML (R4 xml.html), elements in the order of the definitions, decimals as they were read. */
export const writeXml = (resource: Resource, shapes: Shapes, indent?: number): string => {
  const lines: string[] = [];
  const writer = new XmlWriter(shapes, lines);
  writer.resource(resource, 0, ` xmlns="${fhirNamespace}"`);
  const head = '<?xml version="1.0" encoding="UTF-8"?>';
  if (indent === undefined) return head + lines.map((line) => line.trimStart()).join('');
  return `${head}\n${lines.map((line) => line.replace(/^\t+/, (tabs) => ' '.repeat(tabs.length * indent))).join('\n')}\n`;
};

class XmlWriter {
  constructor(
    private readonly shapes: Shapes,
    private readonly lines: string[],
  ) {}

  resource(resource: Resource, depth: number, attributes = ''): void {
    const shape = this.shapes(resource.resourceType);
    if (!shape) throw new Error(`no shape ${resource.resourceType}`);
    this.complex(resource, shape, resource.resourceType, depth, attributes);
  }

  private line(depth: number, text: string): void {
    this.lines.push('\t'.repeat(depth) + text);
  }

  private complex(tree: Tree, shape: TypeShape, name: string, depth: number, attributes = ''): void {
    const own = shape.elements
      .filter(({ attribute, name: property }) => attribute && tree[property] !== undefined)
      .map(({ name: property }) => ` ${property}="${escapeAttribute(String(tree[property]))}"`);
    const opening = `<${name}${attributes}${own.join('')}`;
    const at = this.lines.length;
    this.line(depth, `${opening}>`);
    for (const row of shape.elements) if (!row.attribute) this.element(tree, row, depth + 1);
    if (this.lines.length === at + 1) this.lines[at] = `${'\t'.repeat(depth)}${opening}/>`;
    else this.line(depth, `</${name}>`);
  }

  private element(tree: Tree, row: ElementShape, depth: number): void {
    const value = tree[row.name];
    const beside = tree[`_${row.name}`];
    if (value === undefined && beside === undefined) return;
    if (isPrimitive(this.shapes, row.type)) {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      const besides: readonly unknown[] = Array.isArray(beside) ? beside : [beside];
      for (let index = 0; index < Math.max(values.length, besides.length); index++)
        this.primitive(row, values[index], besides[index], depth);
      return;
    }
    const shape = this.shapes(row.type);
    if (!shape) throw new Error(`no shape ${row.type}`);
    for (const item of (Array.isArray(value) ? value : [value]) as readonly Tree[]) {
      if (shape.name !== 'Resource') this.complex(item, shape, row.name, depth);
      else {
        this.line(depth, `<${row.name}>`);
        this.resource(item as Resource, depth + 1);
        this.line(depth, `</${row.name}>`);
      }
    }
  }

  private primitive(row: ElementShape, value: unknown, beside: unknown, depth: number): void {
    if (row.type === 'xhtml') {
      this.line(depth, narrativeOf(String(value)));
      return;
    }
    const shown = value === undefined || value === null ? '' : ` value="${escapeAttribute(textOf(value))}"`;
    const extra = (beside ?? undefined) as Tree | undefined;
    const element = this.shapes('Element');
    if (extra === undefined || !element) this.line(depth, `<${row.name}${shown}/>`);
    else this.complex(extra, element, row.name, depth, shown);
  }
}

const textOf = (value: unknown): string => (isLosslessNumber(value) ? value.value : String(value));

/** The div as it is when it is well-formed; otherwise its text alone, so that the document stays XML. */
const narrativeOf = (div: string): string => {
  try {
    const parser = new SaxesParser({ xmlns: true });
    parser.on('error', (error) => {
      throw error;
    });
    parser.on('doctype', () => {
      throw new Error('a DOCTYPE in a narrative');
    });
    parser.write(div).close();
    return div;
  } catch {
    return `<div xmlns="${xhtmlNamespace}">${escapeText(div.replace(/<[^>]*>/g, ' '))}</div>`;
  }
};
