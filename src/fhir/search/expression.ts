import type { Child, Model } from './model.js';

/** A value found in a resource, with the FHIR type that its element has. */
export type Item = { readonly value: unknown; readonly type: string };

/** What an expression asks of its surroundings: `resolve() is Patient` is decided by the reference alone, never by reading. */
export type Surroundings = { readonly typeOf: (reference: unknown) => string | undefined };

export type Evaluate = (resource: Item, around: Surroundings) => readonly Item[];

/** The expression is outside of the part of FHIRPath that is compiled here; the general engine takes it. */
export class Uncompiled extends Error {
  override readonly name = 'Uncompiled';
}

/** A path names an element that its type does not have. */
export class NoSuchElement extends Uncompiled {}

// The grammar that R4's search parameters use: http://hl7.org/fhirpath/N1, without arithmetic
type Node =
  | { readonly kind: 'member'; readonly of: Node | undefined; readonly name: string }
  | { readonly kind: 'cast'; readonly of: Node; readonly type: string }
  | { readonly kind: 'where'; readonly of: Node; readonly criteria: Node }
  | { readonly kind: 'first' | 'exists' | 'resolve'; readonly of: Node | undefined }
  | { readonly kind: 'is'; readonly of: Node; readonly type: string }
  | { readonly kind: 'and' | 'or' | '=' | '!=' | '|'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'literal'; readonly value: string | boolean };

const words = /\s*('(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_]*|\d+|!=|[().|=,[\]])/y;

const tokensOf = (text: string): readonly string[] => {
  const tokens: string[] = [];
  words.lastIndex = 0;
  while (words.lastIndex < text.trimEnd().length) {
    const match = words.exec(text);
    if (!match?.[1]) throw new Uncompiled(text);
    tokens.push(match[1]);
  }
  return tokens;
};

class Parser {
  private at = 0;
  constructor(
    private readonly tokens: readonly string[],
    private readonly text: string,
  ) {}

  whole(): Node {
    const node = this.union();
    if (this.at < this.tokens.length) throw new Uncompiled(this.text);
    return node;
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private take(token: string): boolean {
    if (this.peek() !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) throw new Uncompiled(this.text);
  }

  private name(): string {
    const token = this.peek();
    if (token === undefined || !/^[A-Za-z_]/.test(token)) throw new Uncompiled(this.text);
    this.at++;
    return token;
  }

  /** FHIRPath binds `|` closer than `=` and `and`; a search expression's outer `|` is the same operator. */
  private union(): Node {
    let node = this.conjunction();
    while (this.take('|')) node = { kind: '|', left: node, right: this.conjunction() };
    return node;
  }

  private conjunction(): Node {
    let node = this.comparison();
    for (;;) {
      if (this.take('and')) node = { kind: 'and', left: node, right: this.comparison() };
      else if (this.take('or')) node = { kind: 'or', left: node, right: this.comparison() };
      else return node;
    }
  }

  private comparison(): Node {
    const left = this.typed();
    if (this.take('=')) return { kind: '=', left, right: this.typed() };
    if (this.take('!=')) return { kind: '!=', left, right: this.typed() };
    return left;
  }

  private typed(): Node {
    let node = this.path();
    for (;;) {
      if (this.take('as')) node = { kind: 'cast', of: node, type: this.name() };
      else if (this.take('is')) node = { kind: 'is', of: node, type: this.name() };
      else return node;
    }
  }

  private path(): Node {
    let node = this.start();
    while (this.take('.')) node = this.step(node);
    return node;
  }

  private start(): Node {
    const token = this.peek();
    if (token?.startsWith("'")) {
      this.at++;
      if (token.includes('\\')) throw new Uncompiled(this.text);
      return { kind: 'literal', value: token.slice(1, -1) };
    }
    if (token === 'true' || token === 'false') {
      this.at++;
      return { kind: 'literal', value: token === 'true' };
    }
    if (this.take('(')) {
      const inner = this.union();
      this.expect(')');
      return inner;
    }
    return this.step(undefined);
  }

  private step(of: Node | undefined): Node {
    const name = this.name();
    if (this.take('[')) {
      this.expect('0');
      this.expect(']');
      return { kind: 'first', of: { kind: 'member', of, name } };
    }
    if (!this.take('(')) return { kind: 'member', of, name };
    const node = this.call(of, name);
    this.expect(')');
    return node;
  }

  private call(of: Node | undefined, name: string): Node {
    if (name === 'exists' || name === 'first' || name === 'resolve') return { kind: name, of };
    if (of === undefined) throw new Uncompiled(this.text);
    if (name === 'where') return { kind: 'where', of, criteria: this.union() };
    if (name === 'as' || name === 'ofType') return { kind: 'cast', of, type: this.name() };
    if (name === 'extension') {
      const url = this.start();
      const criteria: Node = { kind: '=', left: { kind: 'member', of: undefined, name: 'url' }, right: url };
      return { kind: 'where', of: { kind: 'member', of, name: 'extension' }, criteria };
    }
    throw new Uncompiled(this.text);
  }
}

type Compiled = {
  readonly types: readonly string[];
  /** of results that are a `code`: the value sets that they must be from, '' for one that need not */
  readonly bindings: readonly string[];
  readonly run: (input: Item, around: Surroundings) => readonly Item[];
};

const nothing: readonly Item[] = [];
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readChildren = (input: Item, children: readonly Child[], out: Item[]): void => {
  if (!isObject(input.value)) return;
  for (const { key, type } of children) {
    const value = input.value[key];
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (item !== null) out.push({ value: item, type });
    } else out.push({ value, type });
  }
};

const truth = (items: readonly Item[]): boolean => items.length > 0 && items[0]?.value !== false;
const boolean = (value: boolean): readonly Item[] => [{ value, type: 'boolean' }];
const sameType = (type: string, asked: string): boolean =>
  type === asked || (asked === 'Quantity' && ['Age', 'Count', 'Duration'].includes(type));

class Compiler {
  constructor(private readonly model: Model) {}

  compile(node: Node, types: readonly string[]): Compiled {
    switch (node.kind) {
      case 'literal': {
        const items: readonly Item[] = [{ value: node.value, type: typeof node.value }];
        return { types: [typeof node.value], bindings: [], run: () => items };
      }
      case 'member':
        return this.member(node.of, node.name, types);
      case 'cast':
        return this.filtered(node.of, types, ({ type }) => sameType(type, node.type), node.type);
      case 'where': {
        const of = this.compile(node.of, types);
        const criteria = this.compile(node.criteria, of.types);
        return {
          types: of.types,
          bindings: of.bindings,
          run: (input, around) => of.run(input, around).filter((item) => truth(criteria.run(item, around))),
        };
      }
      case 'first': {
        const of = this.optional(node.of, types);
        return { types: of.types, bindings: of.bindings, run: (input, around) => of.run(input, around).slice(0, 1) };
      }
      case 'exists': {
        const of = this.optional(node.of, types);
        return { types: ['boolean'], bindings: [], run: (input, around) => boolean(of.run(input, around).length > 0) };
      }
      case 'is':
        return this.is(node.of, node.type, types);
      case 'resolve':
        throw new Uncompiled('resolve() other than `resolve() is Type`');
      default:
        return this.binary(node, types);
    }
  }

  private optional(node: Node | undefined, types: readonly string[]): Compiled {
    return node === undefined ? { types, bindings: [], run: (input) => [input] } : this.compile(node, types);
  }

  private member(of: Node | undefined, name: string, types: readonly string[]): Compiled {
    // the type name at the start of a path stands for the resource itself
    if (of === undefined && /^[A-Z]/.test(name)) return { types, bindings: [], run: (input) => [input] };
    const base = this.optional(of, types);
    const children = new Map<string, readonly Child[]>();
    for (const type of base.types) {
      const found = this.model.children(type, name);
      if (found) children.set(type, found);
    }
    if (children.size === 0) throw new NoSuchElement(`${base.types.join(', ')} has no ${name}`);
    const run = (input: Item, around: Surroundings): readonly Item[] => {
      const out: Item[] = [];
      for (const item of base.run(input, around)) readChildren(item, children.get(item.type) ?? [], out);
      return out;
    };
    const all = [...children.values()].flat();
    const bindings = all.flatMap(({ type, valueSet }) => (type === 'code' ? [valueSet ?? ''] : []));
    return { types: [...new Set(all.map(({ type }) => type))], bindings, run };
  }

  private filtered(of: Node, types: readonly string[], keep: (item: Item) => boolean, type: string): Compiled {
    const base = this.compile(of, types);
    return {
      types: base.types.filter((candidate) => sameType(candidate, type)),
      bindings: base.bindings,
      run: (input, around) => base.run(input, around).filter(keep),
    };
  }

  private is(of: Node, type: string, types: readonly string[]): Compiled {
    if (of.kind === 'resolve') {
      const reference = this.optional(of.of, types);
      return {
        types: ['boolean'],
        bindings: [],
        run: (input, around) => boolean(reference.run(input, around).some(({ value }) => around.typeOf(value) === type)),
      };
    }
    const base = this.compile(of, types);
    return {
      types: ['boolean'],
      bindings: [],
      run: (input, around) => boolean(base.run(input, around).some((item) => sameType(item.type, type))),
    };
  }

  private binary(node: Extract<Node, { left: Node }>, types: readonly string[]): Compiled {
    const left = this.compile(node.left, types);
    const right = this.compile(node.right, types);
    if (node.kind === '|')
      return {
        types: [...left.types, ...right.types],
        bindings: [...left.bindings, ...right.bindings],
        run: (input, around) => [...left.run(input, around), ...right.run(input, around)],
      };
    const run = (input: Item, around: Surroundings): readonly Item[] => {
      const a = left.run(input, around);
      if (node.kind === 'and') return boolean(truth(a) && truth(right.run(input, around)));
      if (node.kind === 'or') return boolean(truth(a) || truth(right.run(input, around)));
      const b = right.run(input, around);
      // a comparison with nothing is nothing (FHIRPath N1, 4.5 singleton evaluation)
      if (a.length === 0 || b.length === 0) return nothing;
      if (a.length > 1 || b.length > 1) return boolean(node.kind === '!=');
      const equal = isObject(a[0]?.value) ? false : a[0]?.value === b[0]?.value;
      return boolean(equal === (node.kind === '='));
    };
    return { types: ['boolean'], bindings: [], run };
  }
}

/**
 * Compiles a search parameter's expression for one resource type (or, for a component, for the types it is evaluated on).
 *
 * @throws Uncompiled when the expression needs the general engine
 */
export const compileExpression = (
  text: string,
  types: readonly string[],
  model: Model,
): { readonly types: readonly string[]; readonly bindings: readonly string[]; readonly evaluate: Evaluate } => {
  const { types: results, bindings, run } = new Compiler(model).compile(new Parser(tokensOf(text), text).whole(), types);
  return { types: results, bindings, evaluate: run };
};
