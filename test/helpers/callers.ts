import type { Caller, Kind } from '../../src/access/caller.js';
import { Failure } from '../../src/fhir/outcome.js';

/** `allowed`, or how it was refused: category, issue code and the code of its coding. */
export const outcome = (act: () => unknown): string => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [error.category, error.issues[0]?.code, error.issues[0]?.coding?.code].filter((text) => text !== undefined).join(' ');
  }
};

/** What the scopes of a kind begin with. */
export const prefixes = { system: 'system', app: 'system', user: 'user', patient: 'patient' } as const;
/** A caller of a kind with all the scopes of it. */
export const callerWith = (kind: Kind, more: Partial<Caller> = {}): Caller => ({
  ...(kind === 'app' ? { businessFunction: 'PROVIDER_AUTHORISED_APPLICATION' } : {}),
  kind,
  clientId: 'client',
  scopes: [`${prefixes[kind]}/*.cruds`],
  organisations: [],
  ...more,
});
