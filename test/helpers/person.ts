import path from 'node:path';
import { fetchToken } from '../../src/auth/client-token.js';
import type { Running } from './running-server.js';

/** The Authorization header of a demo client that acts for a person of its choice. */
export const personOf =
  (server: Pick<Running, 'dataDir' | 'baseUrl'>) =>
  async (clientId: string, person: { readonly user?: string; readonly patient?: string }): Promise<{ readonly authorization: string }> => ({
    authorization: `Bearer ${await fetchToken({
      clientId,
      keyFile: path.join(server.dataDir, 'clients', `${clientId}.jwk.json`),
      tokenUrl: `${server.baseUrl}/oauth2/token`,
      ...person,
    })}`,
  });
