import { scopesFault } from '../access/scopes.js';
import type { Kind } from '../access/caller.js';
import { algorithms, subjectKinds, type Algorithm, type Client, type Jwk, type SubjectKind } from './client.js';
import { isStrong, suits } from './client-assertion.js';
import { checkKeysUrl } from './remote-keys.js';

/** What an operator says of a new client; lists as given. Everything is text, as it comes from a command line. */
export type Registration = {
  readonly id: string;
  readonly kind: string;
  readonly algorithms: readonly string[];
  /** public keys, or where they are */
  readonly keys: readonly Jwk[] | string;
  readonly scopes: readonly string[];
  readonly organisations: readonly string[];
  readonly users: readonly string[];
  readonly patients: readonly string[];
  readonly exchanges: readonly string[];
  readonly businessFunction?: string | undefined;
  readonly rate?: string | undefined;
};

const kinds: readonly Kind[] = ['system', 'app', 'user', 'patient'];
const appFunctions = ['PROVIDER_AUTHORISED_APPLICATION', 'REFERRER_AUTHORISED_APPLICATION'];
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const must: (condition: boolean, reason: string) => asserts condition = (condition, reason) => {
  if (!condition) throw new Error(reason);
};

const checkKeys = (keys: readonly Jwk[], algs: readonly Algorithm[]): readonly Jwk[] => {
  must(keys.length > 0, '--jwks holds no key');
  const ids = keys.map(({ kid }) => kid);
  must(
    ids.every((kid) => typeof kid === 'string' && kid !== '') && new Set(ids).size === ids.length,
    'each key of --jwks needs a kid of its own',
  );
  for (const key of keys) {
    must(!privateMembers.some((name) => name in key), `key ${key.kid ?? ''} is private: register the public part only`);
    must(
      algs.some((alg) => suits(key, alg)),
      `key ${key.kid ?? ''} suits none of ${algs.join(', ')} (RSA for RS384 and RS512, EC P-384 for ES384)`,
    );
    must(isStrong(key), `key ${key.kid ?? ''} is shorter than 2048 bits`);
  }
  return keys;
};

const checkKind = (given: Registration, kind: Kind, demo: boolean): void => {
  must(kind === 'user' || given.users.length === 0, '--user is for kind user');
  must(kind === 'patient' || given.patients.length === 0, '--patient is for kind patient');
  must(
    demo || (given.users.length === 0 && given.patients.length === 0),
    'only under DEMO may a client assert users or patients: use --exchange',
  );
  must(kind !== 'app' || given.organisations.length === 1, 'kind app needs one --org');
  must(kind !== 'user' || given.organisations.length > 0, 'kind user needs --org (ODS codes, or * for those of its users)');
  must(
    kind !== 'app' || appFunctions.includes(given.businessFunction ?? ''),
    `kind app needs --business-function ${appFunctions.join(' or ')}`,
  );
  must(kind === 'app' || given.businessFunction === undefined, '--business-function is for kind app');
  const mine: readonly SubjectKind[] = kind === 'user' ? ['cis2'] : kind === 'patient' ? ['nhs-login', 'access-code'] : [];
  must(
    given.exchanges.every((name) => (mine as readonly string[]).includes(name)),
    mine.length === 0 ? `kind ${kind} exchanges no tokens` : `--exchange of kind ${kind} takes ${mine.join(', ')}`,
  );
};

/**
 * A client from what the operator said; throws an Error with the one reason why not.
 *
 * @param demo true under DEMO: clients may assert users, and key sets may stand on internal addresses
 * @param enforceable false for a granular scope that this server cannot hold a client to
 */
export const clientOf = (given: Registration, demo: boolean, enforceable: (scope: string) => boolean): Client => {
  must(/^[A-Za-z0-9._-]{1,64}$/.test(given.id), '--id has 1 to 64 letters, digits, ., _ and -');
  const kind = kinds.find((name) => name === given.kind);
  must(kind !== undefined, `--kind must be one of ${kinds.join(', ')}`);
  const algs = algorithms.filter((name) => given.algorithms.includes(name));
  must(algs.length > 0 && algs.length === given.algorithms.length, `--alg takes ${algorithms.join(', ')}`);
  must(given.scopes.length > 0, '--scope is needed');
  const fault = scopesFault(given.scopes, kind);
  must(fault === undefined, fault ?? '');
  const wrong = given.scopes.find((scope) => !enforceable(scope));
  must(wrong === undefined, `scope ${wrong ?? ''} cannot be enforced: use token or reference search parameters without modifiers`);
  checkKind(given, kind, demo);
  const rate = given.rate === undefined ? undefined : Number(given.rate);
  must(rate === undefined || (rate > 0 && rate <= 100_000), '--rate is requests a second, up to 100000');
  const keys =
    typeof given.keys === 'string'
      ? { jwks: { keys: [] }, jwksUrl: checkKeysUrl(given.keys, demo).href }
      : { jwks: { keys: checkKeys(given.keys, algs) } };
  return {
    id: given.id,
    kind,
    algorithms: algs,
    ...keys,
    scopes: given.scopes,
    organisations: given.organisations,
    ...(given.users.length === 0 ? {} : { assertsUsers: given.users, defaultUser: given.users[0] ?? '' }),
    ...(given.patients.length === 0 ? {} : { assertsPatients: given.patients, defaultPatient: given.patients[0] ?? '' }),
    ...(given.exchanges.length === 0 ? {} : { exchanges: subjectKinds.filter((name) => given.exchanges.includes(name)) }),
    ...(given.businessFunction === undefined ? {} : { businessFunction: given.businessFunction }),
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
  };
};
