import Hapi, { type Server } from '@hapi/hapi';
import type { Logger } from 'pino';
import type { ClientRegistry } from '../auth/client.js';
import type { Keyring } from '../auth/keyring.js';
import type { TokenEndpoint } from '../auth/token-endpoint.js';
import type { House } from '../interactions/house.js';
import { Callers } from './callers.js';
import { correlated } from './plugins/correlation.js';
import { errors } from './plugins/errors.js';
import { fhir } from './plugins/fhir.js';
import { health } from './plugins/health.js';
import { landing } from './plugins/landing.js';
import { createMetrics, metricsRoute } from './plugins/metrics.js';
import { oauth } from './plugins/oauth.js';

export type ServerParts = {
  readonly house: House;
  readonly tokens: TokenEndpoint;
  readonly keys: Keyring;
  readonly clients: ClientRegistry;
  readonly logger: Logger;
  readonly host: string;
  readonly port: number;
  /** the server's root: scheme, host and port */
  readonly origin: string;
  readonly corsOrigins: readonly string[];
  readonly maxBody: number;
  readonly maxBinary: number;
  readonly capability: (mode: string | undefined) => string;
  readonly version: string;
  readonly ready: () => Promise<void>;
};

/** A server that does not listen yet: `start()` is the caller's. */
export const createServer = async (parts: ServerParts): Promise<Server> => {
  const server = Hapi.server({
    host: parts.host,
    port: parts.port,
    router: { stripTrailingSlash: true },
    routes: {
      cors:
        parts.corsOrigins.length === 0
          ? false
          : {
              origin: [...parts.corsOrigins],
              exposedHeaders: [
                ...[
                  'ETag',
                  'Location',
                  'Content-Location',
                  'Last-Modified',
                  'X-Request-ID',
                  'X-Correlation-ID',
                  'X-Progress',
                  'Retry-After',
                ],
              ],
              additionalHeaders: [
                'If-Match',
                'If-None-Match',
                'If-None-Exist',
                'If-Modified-Since',
                'Prefer',
                'X-Request-ID',
                'X-Correlation-ID',
                'NHSD-End-User-Organisation-ODS',
                'NHSD-eRS-Business-Function',
                'NHSD-eRS-On-Behalf-Of-User-ID',
              ],
            },
      state: { parse: false, failAction: 'ignore' },
    },
    compression: { minBytes: 1024 },
    debug: false,
  });
  const metrics = createMetrics();
  await server.register([
    errors(parts.logger, parts.house.shapes),
    correlated(parts.logger, metrics),
    health(parts.ready),
    metricsRoute(metrics),
    landing(parts.version),
    oauth(parts),
    fhir(parts.house, new Callers(parts.keys, parts.clients, parts.house), parts),
  ]);
  return server;
};
