import path from 'node:path';
import type { Client, ClientRegistry } from './client.js';
import { loadOrMakeKeys, makeRsaKey, publicPart } from './key-file.js';

type Registration = Omit<Client, 'algorithms' | 'jwks'>;

/** The demo clients of contract section 8; the people and places are test data that e-RS publishes. */
const registrations: readonly Registration[] = [
  {
    id: 'demo-gp',
    kind: 'user',
    scopes: ['user/*.cruds'],
    organisations: ['D82106'],
    assertsUsers: ['021600556514'],
    defaultUser: '021600556514',
    exchanges: ['cis2'],
  },
  {
    id: 'demo-provider',
    kind: 'user',
    scopes: ['user/*.cruds'],
    organisations: ['RCD', 'R69'],
    assertsUsers: ['555032006106', '555073103100'],
    defaultUser: '555032006106',
    exchanges: ['cis2'],
  },
  {
    id: 'demo-provider-app',
    kind: 'app',
    scopes: ['system/*.cruds'],
    organisations: ['RCD'],
    businessFunction: 'PROVIDER_AUTHORISED_APPLICATION',
  },
  {
    id: 'demo-patient-app',
    kind: 'patient',
    scopes: ['patient/*.cruds'],
    organisations: [],
    assertsPatients: 'any',
    defaultPatient: '9912003888',
    exchanges: ['nhs-login', 'access-code'],
  },
  { id: 'demo-system', kind: 'system', scopes: ['system/*.cruds'], organisations: [] },
];

/** A registry over a fixed list of clients. */
export const registryOf = (clients: readonly Client[]): ClientRegistry => {
  const byId = new Map(clients.map((client) => [client.id, client]));
  return { find: (id) => Promise.resolve(byId.get(id)), list: () => Promise.resolve(clients) };
};

/**
 * The five demo clients. Their private keys are `<directory>/clients/<id>.jwk.json` (JWK, RSA 2048, `kid`, `alg` RS512, mode 0600);
 * missing ones are made, all at once.
 *
 * @param directory DATA_DIR
 * @throws Error when a key file cannot be read or written
 */
export const makeDemoClients = async ({ directory }: { readonly directory: string }): Promise<ClientRegistry> =>
  registryOf(
    await Promise.all(
      registrations.map(async (registration): Promise<Client> => {
        const keys = await loadOrMakeKeys(path.join(directory, 'clients', `${registration.id}.jwk.json`), () => makeRsaKey('RS512'));
        return { ...registration, algorithms: ['RS512'], jwks: { keys: keys.map(publicPart) } };
      }),
    ),
  );
