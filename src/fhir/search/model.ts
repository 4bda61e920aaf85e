import type { ElementDefinition } from 'fhir/r4.js';

/** A child element as JSON carries it: one name, or one per type for a choice (`value[x]` is `valueQuantity`, `valueString`...). */
export type Child = {
  readonly key: string;
  readonly type: string;
  /** of a `code`: the value set that it must be from */
  readonly valueSet?: string;
};

/** What the structure definitions say of elements, as far as paths need it. */
export type Model = {
  /** The children called `name` of a type; a backbone element is named by its path, as `Patient.contact`. Undefined: no such child. */
  readonly children: (type: string, name: string) => readonly Child[] | undefined;
};

export type StructureLike = {
  readonly type: string;
  readonly baseDefinition?: string | undefined;
  readonly derivation?: string | undefined;
  readonly snapshot?: { readonly element: readonly ElementDefinition[] };
  readonly differential?: { readonly element: readonly ElementDefinition[] };
};

type Entry = { readonly children: readonly Child[] };

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

// `Element.id` and the value of a primitive are typed by a FHIRPath URL
const plainType = (code: string): string => (code.startsWith('http://hl7.org/fhirpath/System.') ? 'string' : code);

const childrenOf = (element: ElementDefinition, hasChildren: boolean): readonly Child[] => {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1);
  if (element.contentReference !== undefined)
    return [{ key: name, type: element.contentReference.slice(element.contentReference.indexOf('#') + 1) }];
  const types = (element.type ?? []).map(({ code }) => plainType(code));
  if (name.endsWith('[x]')) return types.map((type) => ({ key: `${name.slice(0, -3)}${capital(type)}`, type }));
  const type = hasChildren ? element.path : (types[0] ?? 'Element');
  const { binding } = element;
  return [
    type === 'code' && binding?.strength === 'required' && binding.valueSet !== undefined
      ? { key: name, type, valueSet: binding.valueSet }
      : { key: name, type },
  ];
};

/** Built from the base definitions; structures that constrain others (profiles) add nothing to paths and are passed over. */
export const createModel = (structures: Iterable<StructureLike>): Model => {
  const byType = new Map<string, Map<string, Entry>>();
  const parents = new Map<string, string>();
  for (const structure of structures) {
    if (structure.derivation === 'constraint') continue;
    const elements = (structure.snapshot ?? structure.differential)?.element ?? [];
    const holders = new Set(elements.map(({ path }) => path.slice(0, path.lastIndexOf('.'))));
    if (structure.baseDefinition !== undefined)
      parents.set(structure.type, structure.baseDefinition.slice(structure.baseDefinition.lastIndexOf('/') + 1));
    for (const element of elements) {
      const dot = element.path.lastIndexOf('.');
      if (dot < 0) continue;
      const owner = element.path.slice(0, dot);
      const name = element.path.slice(dot + 1).replace('[x]', '');
      const entries = byType.get(owner) ?? new Map<string, Entry>();
      byType.set(owner, entries);
      entries.set(name, { children: childrenOf(element, holders.has(element.path)) });
    }
  }
  const find = (type: string, name: string): Entry | undefined => {
    for (let at: string | undefined = type; at !== undefined; at = parents.get(at)) {
      const entry = byType.get(at)?.get(name);
      if (entry) return entry;
    }
    // a backbone element inherits from BackboneElement and Element
    return type.includes('.') ? find('BackboneElement', name) : undefined;
  };
  return {
    children: (type, name) => find(type, name)?.children,
  };
};
