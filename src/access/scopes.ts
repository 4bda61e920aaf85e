import type { Predicate } from '../store/port.js';
import type { Caller, Kind } from './caller.js';

/** create, read, update, delete, search: the letters of a SMART v2 scope (SMART App Launch 2, scopes-and-launch-context). */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';

export type Scope = {
  readonly prefix: 'system' | 'user' | 'patient';
  readonly type: string;
  readonly interactions: string;
  /** the search parameters of a granular scope, as written after the question mark */
  readonly query?: string;
};

/** What the granular scopes of a token say about one type: conditions that every resource it reads or writes there must meet. */
export type Constraint = { readonly type: string; readonly query: string; readonly where: readonly Predicate[] };

const form = /^(system|user|patient)\/(\*|[A-Z][A-Za-z]+)\.(?=[cruds])(c?r?u?d?s?)(?:\?(\S+))?$/;

// The NHS API platform's scopes name a product and an access mode (e-RS API, access modes); what they allow is all of that mode.
const products: readonly (readonly [form: RegExp, prefix: Scope['prefix']])[] = [
  [/^urn:nhsd:apim:app:level3:e-referrals-service-api$/, 'system'],
  [/^urn:nhsd:apim:user-nhs-id:aal[23]:e-referrals-service-api$/, 'user'],
  [/^urn:nhsd:apim:user-nhs-login:P9:e-referrals-service-(?:patient-care-)?api$/, 'patient'],
];

const prefixOf = { system: 'system', app: 'system', user: 'user', patient: 'patient' } as const satisfies Record<Kind, Scope['prefix']>;

/** Reads one scope: SMART v2 with the letters in the order `cruds`, or an NHS product scope; undefined for every other text. */
export const readScope = (text: string): Scope | undefined => {
  const product = products.find(([shape]) => shape.test(text));
  if (product) return { prefix: product[1], type: '*', interactions: 'cruds' };
  const match = form.exec(text);
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  // a search parameter belongs to a type
  if (match[4] !== undefined && match[2] === '*') return undefined;
  const scope = { prefix: match[1] as Scope['prefix'], type: match[2], interactions: match[3] };
  return match[4] === undefined ? scope : { ...scope, query: match[4] };
};

const readOnce = new WeakMap<readonly string[], readonly Scope[]>();
const scopesOf = (texts: readonly string[]): readonly Scope[] => {
  const known = readOnce.get(texts) ?? texts.flatMap((text) => readScope(text) ?? []);
  readOnce.set(texts, known);
  return known;
};

const granting = (scopes: readonly Scope[], prefix: Scope['prefix'], type: string, letter: string): readonly Scope[] =>
  scopes.filter((scope) => scope.prefix === prefix && (scope.type === '*' || scope.type === type) && scope.interactions.includes(letter));

/**
 * True when the registered scopes together allow all that the asked one does, so that a client may ask for less than it has: fewer
 * types, fewer letters, or only what meets a search parameter.
 */
export const coversScope = (registered: readonly string[], asked: string): boolean => {
  if (registered.includes(asked)) return true;
  const scope = readScope(asked);
  const held = scopesOf(registered);
  return (
    scope !== undefined &&
    Array.from(scope.interactions).every((letter) =>
      granting(held, scope.prefix, scope.type, letter).some(({ query }) => query === undefined || query === scope.query),
    )
  );
};

/** The scopes that restrict a type, less those that a wider one makes void. */
const restricting = (scopes: readonly Scope[], prefix: Scope['prefix']): readonly (Scope & { readonly query: string })[] =>
  scopes.flatMap((scope) => {
    if (scope.prefix !== prefix || scope.query === undefined) return [];
    const open = Array.from(scope.interactions).every((letter) =>
      granting(scopes, prefix, scope.type, letter).some(({ query }) => query === undefined),
    );
    return open ? [] : [{ ...scope, query: scope.query }];
  });

/**
 * Why the scopes of a kind cannot be held together; undefined when they can. One restriction for a type is enforced on every path; two
 * different ones, or one for reading that searching does not have, are refused rather than served wrongly.
 */
export const scopesFault = (texts: readonly string[], kind: Kind): string | undefined => {
  const prefix = prefixOf[kind];
  const wrong = texts.find((text) => readScope(text)?.prefix !== prefix);
  if (wrong !== undefined) return `scope ${wrong} is none that a client of kind ${kind} can hold (SMART v2 or an NHS product scope)`;
  const scopes = scopesOf(texts);
  for (const { type, query } of restricting(scopes, prefix)) {
    const letters = Array.from('cruds').flatMap((letter) => {
      const grants = granting(scopes, prefix, type, letter);
      return grants.length === 0 ? [] : [grants.every((grant) => grant.query === query) ? 'same' : 'other'];
    });
    if (letters.includes('other')) return `the scopes of ${type} must all have the same search parameters, or none`;
  }
  return undefined;
};

/**
 * The restrictions of a token's scopes, read once for the token.
 *
 * @param parse turns the query of a scope into conditions; throws for a form that cannot be enforced
 */
export const constraintsOf = (
  texts: readonly string[],
  kind: Kind,
  parse: (type: string, query: string) => readonly Predicate[],
): readonly Constraint[] => {
  const found = new Map<string, Constraint>();
  for (const { type, query } of restricting(scopesOf(texts), prefixOf[kind])) found.set(type, { type, query, where: parse(type, query) });
  return [...found.values()];
};

/** True when the scopes of the caller's own prefix (`system/` for system and app, `user/`, `patient/`) allow the interaction. */
export const mayInteract = (caller: Pick<Caller, 'kind' | 'scopes' | 'constraints'>, type: string, interaction: Interaction): boolean =>
  granting(scopesOf(caller.scopes), prefixOf[caller.kind], type, interaction).some(
    // a restriction that was not read must not be served as none
    ({ query }) => query === undefined || caller.constraints?.some((constraint) => constraint.type === type) === true,
  );
