/** Variants of a valid resource with one fault each, made from what R4 says of the elements that it has. */
import type { ElementRule, Property, Shape, Shapes } from '../../src/validation/shapes.js';
import { isNode } from '../../src/validation/walk.js';

type Node = { [name: string]: unknown };

export type SingleFault = {
  readonly kind: string;
  /** FHIRPath of what is wrong */
  readonly at: string;
  /** Makes the fault, and gives what takes it away again. */
  readonly make: () => () => void;
};

const otherJson: Readonly<Record<string, unknown>> = { boolean: 'true', integer: '5', positiveInt: '5', unsignedInt: '5', decimal: '5' };

const badValues: Readonly<Record<string, unknown>> = {
  ...{ date: '2020-13-45', dateTime: '2020-02-30', instant: '2020-01-01', time: '25:00:00', code: ' bad ', uri: 'not a uri', url: 'a b' },
  ...{ canonical: 'a b', id: 'a_b!', base64Binary: '***', positiveInt: 0, unsignedInt: -1, string: '', markdown: '' },
};

const change = (holder: Node, key: string, value: unknown): (() => void) => {
  const before = holder[key];
  if (value === undefined) Reflect.deleteProperty(holder, key);
  else holder[key] = value;
  return () => {
    holder[key] = before;
  };
};

const ofElement = (holder: Node, key: string, element: ElementRule, at: string): readonly SingleFault[] => {
  const value = holder[key];
  const to = (kind: string, other: unknown): SingleFault => ({ kind, at, make: () => change(holder, key, other) });
  return [
    ...(element.min > 0 ? [to('removed', undefined)] : []),
    ...(element.many ? [to('no list', (value as readonly unknown[])[0]), to('empty list', [])] : [to('list', [value])]),
  ];
};

const ofPrimitive = ({ type, element }: Property, put: (kind: string, value: unknown) => SingleFault): readonly SingleFault[] => [
  put('another JSON type', otherJson[type.code] ?? 5),
  put('object for primitive', { a: 1 }),
  put('null', null),
  ...(type.code in badValues ? [put('bad value', badValues[type.code])] : []),
  ...(type.code === 'code' && element.definition.binding?.strength === 'required' ? [put('bad code', 'no-such-code')] : []),
];

const ofObject = (value: Node, { type }: Property, put: (kind: string, value: unknown) => SingleFault): readonly SingleFault[] => {
  const faults = [put('primitive for object', 'x'), put('empty object', {}), put('unknown element', { ...value, fooBar: 'x' })];
  const { reference, system, value: number, start } = value;
  if (type.code === 'Reference' && typeof reference === 'string' && !reference.startsWith('#')) {
    const { type: _type, ...bare } = value;
    if (type.targets.length > 0 && !type.targets.some((url) => url.endsWith('/Resource')))
      faults.push(put('bad target', { ...bare, reference: 'TestScript/1' }));
    faults.push(put('bad reference', { ...bare, reference: 'Patient/a b' }));
  }
  if (type.code === 'Identifier' && system === 'https://fhir.nhs.uk/Id/nhs-number' && typeof number === 'string')
    faults.push(put('bad NHS number', { ...value, value: number.slice(0, 9) + String((Number(number[9]) + 1) % 10) }));
  if (type.code === 'Period' && typeof start === 'string')
    faults.push(put('period that ends before it starts', { ...value, end: '1850-01-01' }));
  return faults;
};

/** Every single fault of an object; the object is changed and restored. */
export const singleFaults = (node: Node, shape: Shape, at: string, shapes: Shapes): readonly SingleFault[] =>
  Object.keys(node).flatMap((key) => {
    const property = shape.properties.get(key);
    if (property === undefined || property.sibling) return [];
    const { element, type } = property;
    const place = `${at}.${element.name}`;
    const list: unknown = node[key];
    const values: readonly unknown[] = element.many ? (list as readonly unknown[]) : [list];
    return [
      ...ofElement(node, key, element, place),
      ...values.flatMap((value, index): readonly SingleFault[] => {
        if (value === null) return [];
        const [holder, name, where] = element.many ? [list as Node, String(index), `${place}[${String(index)}]`] : [node, key, place];
        const put = (kind: string, other: unknown): SingleFault => ({ kind, at: where, make: () => change(holder, name, other) });
        if (!isNode(value)) return ofPrimitive(property, put);
        const resource = typeof value['resourceType'] === 'string' ? shapes.find(value['resourceType']) : undefined;
        const inner = resource ?? (type.shape?.resource === false ? type.shape : undefined);
        return [...ofObject(value, property, put), ...(inner === undefined ? [] : singleFaults(value, inner, where, shapes))];
      }),
    ];
  });
