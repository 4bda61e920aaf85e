import { fetchClientToken } from '../auth/client-token.js';
import type { Config } from '../config.js';
import type { Scanner } from '../domain/documents/availability.js';
import type { TerminologyServer } from '../validation/terminology/port.js';
import { AccessTokens } from './access-tokens.js';
import { createClamd } from './clamd.js';
import { createTerminologyServer } from './terminology-server.js';

/** The terminology server that the configuration names; undefined when it names none. */
export const configuredTerminologyServer = (config: Config, clock: () => number): TerminologyServer | undefined => {
  const { terminologyUrl: url, terminologyTokenUrl: tokenUrl, terminologyClientId: clientId } = config;
  if (url === undefined) return undefined;
  if (tokenUrl === undefined || clientId === undefined) return createTerminologyServer({ url, clock });
  const credentials = { tokenUrl, clientId, keyFile: config.terminologyKeyFile, secret: config.terminologyClientSecret };
  return createTerminologyServer({ url, clock, tokens: new AccessTokens(() => fetchClientToken(credentials, clock), clock) });
};

/** The scanner of new documents that the configuration names; undefined when it names none. */
export const configuredScanner = ({ scannerUrl }: Config): Scanner | undefined =>
  scannerUrl === undefined ? undefined : createClamd(scannerUrl);
