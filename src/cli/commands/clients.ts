import { readFile } from 'node:fs/promises';
import { scopeConditions } from '../../access/narrow-plan.js';
import { readScope } from '../../access/scopes.js';
import { createHouse } from '../../create-house.js';
import type { Client, Jwk } from '../../auth/client.js';
import { makeDemoClients, registryOf } from '../../auth/demo-clients.js';
import { clientOf } from '../../auth/registration.js';
import { readKeySet } from '../../auth/remote-keys.js';
import { storedClients, type StoredRegistry } from '../../auth/stored-clients.js';
import { registry as types } from '../../resources/registry.js';
import type { Config } from '../../config.js';
import type { Store } from '../../store/port.js';
import { option, type Environment } from '../command.js';
import { withStore } from '../with-store.js';

const list = (words: readonly string[], name: string): readonly string[] =>
  (option(words, name) ?? '').split(/[\s,]+/).filter((word) => word !== '');

const needed = (words: readonly string[], name: string): string => {
  const value = option(words, name);
  if (value === undefined) throw new Error(`--${name} is needed`);
  return value;
};

/** A file of one public JWK or of a key set, or the URL of a key set. */
const readKeys = async (source: string): Promise<readonly Jwk[] | string> => {
  if (/^https?:\/\//.test(source)) return source;
  const text = await readFile(source, 'utf8');
  return text.includes('"keys"') ? readKeySet(text) : [JSON.parse(text) as Jwk];
};

/** Whether the server can hold a client to a granular scope; the definitions are read only when a scope asks for it. */
const enforcer = async (scopes: readonly string[], store: Store, config: Config): Promise<(scope: string) => boolean> => {
  if (!scopes.some((scope) => scope.includes('?'))) return () => true;
  const house = await createHouse(config, store, { url: '' }, () => undefined);
  return (scope) => {
    const { type = '', query } = readScope(scope) ?? {};
    if (query === undefined) return true;
    return types.has(type) && scopeConditions((pairs) => house.parseQuery(type, pairs, { lenient: false }), query) !== undefined;
  };
};

const add = async (words: readonly string[], registry: StoredRegistry, store: Store, config: Config): Promise<string> => {
  const scopes = (option(words, 'scope') ?? '').split(/\s+/).filter((scope) => scope !== '');
  const given = {
    id: needed(words, 'id'),
    kind: needed(words, 'kind'),
    algorithms: list(words, 'alg').length === 0 ? ['RS512'] : list(words, 'alg'),
    keys: await readKeys(needed(words, 'jwks')),
    scopes,
    organisations: list(words, 'org'),
    users: list(words, 'user'),
    patients: list(words, 'patient'),
    exchanges: list(words, 'exchange'),
    businessFunction: option(words, 'business-function'),
    rate: option(words, 'rate'),
  };
  const client = clientOf(given, config.demo, await enforcer(scopes, store, config));
  await registry.put(client);
  return `${client.id} is registered.\n`;
};

const row = ({ id, kind, algorithms, scopes, organisations, jwksUrl, jwks, ratePerSecond }: Client): string =>
  [
    id.padEnd(24),
    kind.padEnd(8),
    algorithms.join(',').padEnd(14),
    (organisations.join(',') || '-').padEnd(10),
    scopes.join(' '),
    jwksUrl ?? jwks.keys.map(({ kid }) => kid).join(','),
    ...(ratePerSecond === undefined ? [] : [`${String(ratePerSecond)}/s`]),
  ].join('  ');

/** `clients add|list|revoke`. */
export const manageClients = (words: readonly string[], environment: Environment): Promise<void> =>
  withStore(environment, async (store, config) => {
    const given = config.demo ? await makeDemoClients({ directory: config.dataDir }) : registryOf([]);
    const registry = storedClients(store, given, Date.now);
    const [verb, id] = words;
    if (verb === 'add') process.stdout.write(await add(words, registry, store, config));
    else if (verb === 'list') {
      const clients = await registry.list();
      process.stdout.write(
        words.includes('--json') ? `${JSON.stringify(clients)}\n` : clients.map((client) => `${row(client)}\n`).join(''),
      );
    } else if (verb === 'revoke' && id !== undefined) {
      if (!(await registry.revoke(id.startsWith('--') ? needed(words, 'id') : id))) throw new Error('there is no such client');
      process.stdout.write('The client is revoked: its tokens stop working within 10 seconds.\n');
    } else throw new Error('say clients add, clients list or clients revoke <id>');
  });
