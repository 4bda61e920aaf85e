import type { ElementDefinition } from 'fhir/r4.js';

/** One element as it stands in JSON and XML; an element with a choice of types has one row a type (`valueString`, `valueQuantity`). */
export type ElementShape = {
  readonly name: string;
  /** `value` for every row of `value[x]` */
  readonly choice: string | undefined;
  /** the name of its shape: `string`, `HumanName`, `Patient.contact`, `Resource` for a resource inside */
  readonly type: string;
  readonly list: boolean;
  readonly required: boolean;
  readonly summary: boolean;
  readonly modifier: boolean;
  /** R4 xml.html: an attribute of its parent's element */
  readonly attribute: boolean;
};

export type TypeShape = {
  readonly name: string;
  readonly kind: 'primitive' | 'complex' | 'resource';
  /** in the order of the definition, which is the order of XML */
  readonly elements: readonly ElementShape[];
  readonly byName: ReadonlyMap<string, ElementShape>;
};

/** The shape of a type or of an element with children; undefined for an unknown name. */
export type Shapes = (name: string) => TypeShape | undefined;

const systemType = 'http://hl7.org/fhirpath/System.';
const inherited = new Set(['Element', 'BackboneElement', 'Quantity']);

type Definition = {
  readonly type: string;
  readonly kind: string;
  readonly snapshot?: { readonly element: readonly ElementDefinition[] } | undefined;
};

/** Reads the shapes out of the snapshots of the base definitions, each when it is first asked for; `find` takes a type's name. */
export const createShapes = (find: (type: string) => Definition | undefined): Shapes => {
  const known = new Map<string, TypeShape>();
  return (name) => {
    const cached = known.get(name);
    if (cached) return cached;
    const definition = find(name.split('.')[0] ?? '');
    if (definition?.snapshot) for (const shape of shapesOf(definition)) known.set(shape.name, shape);
    // names come from clients: only what exists is remembered
    return known.get(name);
  };
};

const shapesOf = (structure: Definition): readonly TypeShape[] => {
  const elements = structure.snapshot?.element ?? [];
  const owners = new Map<string, ElementShape[]>([[structure.type, []]]);
  for (const element of elements) {
    const cut = element.path.lastIndexOf('.');
    if (cut < 0) continue;
    const owner = element.path.slice(0, cut);
    const rows = owners.get(owner) ?? [];
    rows.push(...rowsOf(element));
    owners.set(owner, rows);
  }
  const kindOf = (name: string): TypeShape['kind'] =>
    name !== structure.type
      ? 'complex'
      : structure.kind === 'primitive-type'
        ? 'primitive'
        : structure.kind === 'resource'
          ? 'resource'
          : 'complex';
  return [...owners].map(([name, rows]) => ({
    name,
    kind: kindOf(name),
    elements: rows,
    byName: new Map(rows.map((row) => [row.name, row])),
  }));
};

const rowsOf = (element: ElementDefinition): readonly ElementShape[] => {
  const last = element.path.slice(element.path.lastIndexOf('.') + 1);
  const choice = last.endsWith('[x]') ? last.slice(0, -3) : undefined;
  const common = {
    choice,
    list: element.max !== '1',
    required: (element.min ?? 0) > 0,
    summary: element.isSummary === true,
    modifier: element.isModifier === true,
    attribute: element.representation?.includes('xmlAttr') === true,
  };
  if (element.contentReference !== undefined)
    return [{ ...common, name: last, type: element.contentReference.slice(element.contentReference.indexOf('#') + 1) }];
  return (element.type ?? []).map(({ code }) => {
    const type = code.startsWith(systemType) ? 'string' : code;
    const own = inherited.has(type) && type !== 'Quantity' ? element.path : type;
    return { ...common, name: choice === undefined ? last : `${choice}${type.charAt(0).toUpperCase()}${type.slice(1)}`, type: own };
  });
};

/** True for the primitive types, whose JSON is a value with an optional `_name` beside it (R4 json.html#primitive). */
export const isPrimitive = (shapes: Shapes, type: string): boolean => type === 'xhtml' || shapes(type)?.kind === 'primitive';

/** The canonical URL of a base type. */
export const typeUrl = (type: string): string => `http://hl7.org/fhir/StructureDefinition/${type}`;
