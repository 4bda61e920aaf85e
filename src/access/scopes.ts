import type { Caller, Kind } from './caller.js';

/** create, read, update, delete, search: the letters of a SMART v2 scope (SMART App Launch 2, scopes-and-launch-context). */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';

export type Scope = { readonly prefix: 'system' | 'user' | 'patient'; readonly type: string; readonly interactions: string };

// Granular scopes (`?category=...`) are not understood: one read without its restriction would grant too much.
const form = /^(system|user|patient)\/(\*|[A-Z][A-Za-z]+)\.(?=[cruds])(c?r?u?d?s?)$/;

const prefixOf = { system: 'system', app: 'system', user: 'user', patient: 'patient' } as const satisfies Record<Kind, Scope['prefix']>;

/** Reads one SMART v2 scope, letters in the order `cruds`; undefined for every other text. */
export const readScope = (text: string): Scope | undefined => {
  const match = form.exec(text);
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { prefix: match[1] as Scope['prefix'], type: match[2], interactions: match[3] };
};

const grants = (scopes: readonly string[], prefix: Scope['prefix'], type: string, letter: string): boolean =>
  scopes.some((text) => {
    const scope = readScope(text);
    return scope?.prefix === prefix && (scope.type === '*' || scope.type === type) && scope.interactions.includes(letter);
  });

/** True when the registered scopes together allow all that the asked one does, so that a client may ask for less than it has. */
export const coversScope = (registered: readonly string[], asked: string): boolean => {
  const scope = readScope(asked);
  return scope !== undefined && [...scope.interactions].every((letter) => grants(registered, scope.prefix, scope.type, letter));
};

/** True when the scopes of the caller's own prefix (`system/` for system and app, `user/`, `patient/`) allow the interaction. */
export const mayInteract = (caller: Pick<Caller, 'kind' | 'scopes'>, type: string, interaction: Interaction): boolean =>
  grants(caller.scopes, prefixOf[caller.kind], type, interaction);
