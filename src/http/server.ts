import { constants, createBrotliCompress } from 'node:zlib';
import Hapi, { type Server } from '@hapi/hapi';
import { FairShare } from '../access/fair-share.js';
import { RateLimit } from '../access/rate-limit.js';
import type { RefusalBudget } from '../access/refusal-budget.js';
import type { ClientRegistry } from '../auth/client.js';
import type { Keyring } from '../auth/keyring.js';
import type { TokenEndpoint } from '../auth/token-endpoint.js';
import type { ConnectionFigures } from '../store/port.js';
import type { House } from '../interactions/house.js';
import type { Log } from '../log.js';
import type { AddressFinder } from './address.js';
import { Callers } from './callers.js';
import { limitBodies } from './body-deadline.js';
import { createListener, type Tls } from './listener.js';
import { answerMalformed } from './malformed.js';
import { Once } from './once.js';
import { compressedFrom } from './whole-answer.js';
import { admission } from './plugins/admission.js';
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
  readonly log: Pick<Log, 'logger' | 'answered'>;
  readonly host: string;
  readonly port: number;
  /** the server's root: scheme, host and port */
  readonly origin: string;
  readonly corsOrigins: readonly string[];
  /** requests a second of a client without a rate of its own; undefined under DEMO */
  readonly rateLimit: number | undefined;
  /** forged tokens of one address */
  readonly refusals: RefusalBudget;
  readonly addressOf: AddressFinder;
  readonly tls: Tls | undefined;
  /** other processes serve the same store */
  readonly shared: boolean;
  readonly maxBody: number;
  readonly maxBinary: number;
  readonly version: string;
  readonly ready: () => Promise<void>;
};

export type { Server } from '@hapi/hapi';

/** A server that does not listen yet: `start()` is the caller's. */
export const createServer = async (parts: ServerParts): Promise<Server> => {
  const server = Hapi.server({
    host: parts.host,
    port: parts.port,
    listener: createListener(parts.tls),
    autoListen: true,
    tls: parts.tls !== undefined,
    router: { stripTrailingSlash: true },
    routes: {
      cors:
        parts.corsOrigins.length === 0
          ? false
          : {
              origin: [...parts.corsOrigins],
              // told to whoever names an origin, by what dresses the answers
              exposedHeaders: [],
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
                'NHSD-eRS-File-Name',
                'NHSD-eRS-Referral-ID',
                'NHSD-eRS-Comm-Rule-Org',
              ],
            },
      state: { parse: false, failAction: 'ignore' },
      security: false,
      // what has parts (a document) answers with one itself
      response: { ranges: false },
    },
    compression: { minBytes: compressedFrom },
    // hapi compresses what its table of media types calls compressible
    mime: { override: { 'application/fhir+ndjson': { source: 'iana', compressible: true } } },
    debug: false,
  });
  answerMalformed(server.listener);
  limitBodies(server.listener);
  // quality 4: the usual 11 takes a hundred times as long and saves little
  server.encoder('br', () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }));
  const { store, searchIndex } = parts.house;
  const connections = (): ConnectionFigures | undefined => store.connections?.();
  const metrics = createMetrics(connections, () => searchIndex.due().length);
  await server.register([
    errors(parts.log.logger, parts.house.shapes, parts.house.witness, parts.tls !== undefined),
    correlated(parts.log, metrics),
    health(parts.ready),
    metricsRoute(metrics),
    landing(parts.version),
    oauth(parts),
    admission({
      callers: new Callers(parts.keys, parts.clients, parts.house, parts.refusals, parts.addressOf),
      witness: parts.house.witness,
      limit: new RateLimit(parts.house.store, parts.house.clock),
      rate: (kind) => (kind === 'system' ? undefined : parts.rateLimit),
    }),
    fhir(parts.house, new Once(parts.house.store, parts.house.clock, parts.shared), new FairShare(), parts),
  ]);
  return server;
};
