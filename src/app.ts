import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { scopeConditions } from './access/narrow-plan.js';
import { RefusalBudget } from './access/refusal-budget.js';
import { auditValues } from './audit/audit-values.js';
import { openAudit } from './audit/open-audit.js';
import { createAuth } from './auth/create-auth.js';
import { readIssuers } from './auth/issuers-file.js';
import type { IdentityIssuer } from './auth/subjects.js';
import { jobHandlers } from './bulk/handlers.js';
import { ofSetting, originOf, type Config } from './config.js';
import { Failure } from './fhir/outcome.js';
import { addressFinder } from './http/address.js';
import { createServer, type Server } from './http/server.js';
import { readTls } from './http/tls-files.js';
import { stopAccepting } from './http/stop-accepting.js';
import { roundsOf } from './house-rounds.js';
import { createHouse, openStore } from './create-house.js';
import { prepare } from './prepare.js';
import { startRounds } from './rounds.js';
import { version } from './version.js';
import type { House } from './interactions/house.js';
import { accessCheck, birthDates } from './interactions/patient-access.js';
import { runJobs } from './jobs/runner.js';
import { openLog } from './log.js';
import { registry } from './resources/registry.js';
import type { Store } from './store/port.js';
import type { UnitWriter } from './store/sqlite/unit-writer.js';

/** who connected last has sent a request by then */
const lastRequestsMs = 1000;
/** what is under way when a server has drained may take so many times as long as that: with the default, as long as one statement */
const finishing = 6;

export type App = {
  readonly server: Server;
  readonly house: House;
  readonly baseUrl: string;
  /** Not ready, answering for DRAIN_MS with `Connection: close`. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const issuersOf = async ({ identityIssuers }: Config): Promise<readonly IdentityIssuer[]> =>
  identityIssuers === undefined ? [] : ofSetting('IDENTITY_ISSUERS', () => readIssuers(identityIssuers));

/** Whoever connects while the server drains is told to come back by another connection, which reaches another server. */
const closeConnections = (server: Server, draining: () => boolean): void => {
  // a proxy that keeps connections must be the one to close them: a request may be on its way when this side does
  server.listener.keepAliveTimeout = 65_000;
  server.listener.prependListener('request', (_request, response) => {
    if (draining()) response.setHeader('connection', 'close');
  });
};

/** The server over an open store, which its end closes. */
const createAppOver = async (store: Store, config: Config): Promise<App> => {
  const log = openLog(config.logLevel);
  const { logger } = log;
  const clock = Date.now;
  // with PORT=0 the address is known only when the server listens
  const origin = { url: originOf(config) };
  const addressOf = addressFinder(config.trustedProxies);
  const rateLimit = config.demo ? undefined : config.rateLimit;
  const refusals = new RefusalBudget(config.demo ? undefined : config.refusalLimit, Date.now);
  const auth = await createAuth({
    store,
    clock,
    demo: config.demo,
    dataDir: config.dataDir,
    issuers: await issuersOf(config),
    rateLimit,
    refusals,
    rotationMs: config.signingKeyDays * 86_400_000,
    origin: () => origin.url,
    checkAccessCode: accessCheck(store),
    birthDateOf: birthDates(store),
    enforceable: (type, query) =>
      registry.has(type) && scopeConditions((pairs) => house.parseQuery(type, pairs, { lenient: false }), query) !== undefined,
  });
  // the trail is opened first, as the house tells it of accesses; lines that an earlier process left may be indexed before the house stands
  let stands: (house: House) => void = () => undefined;
  const standing = new Promise<House>((resolve) => {
    stands = resolve;
  });
  const audit = openAudit({
    store,
    keys: auth.keys,
    values: auditValues(store, standing),
    clock,
    newId: randomUUID,
    fault: (error) => {
      logger.error({ err: error }, 'the audit trail could not be written');
    },
    sealed: (seal) => {
      logger.info({ seal }, 'audit sealed');
    },
  });
  const warn = (problem: string): void => {
    logger.warn(problem);
  };
  const house = await createHouse(config, store, origin, warn, audit.witness);
  stands(house);
  await prepare(house, config, logger);
  await house.customParameters.resume();
  const running = runJobs({
    jobs: house.jobs,
    handlers: jobHandlers(house, (type) => {
      logger.info({ type, left: house.searchIndex.due() }, 'stored resources were indexed anew');
    }),
    reasonOf: (error) => (error instanceof Failure ? error.message : 'The server failed; the fault is logged.'),
    onError: (error) => {
      logger.error({ err: error }, 'a job stumbled');
    },
  });
  house.jobs.onNudge(running.nudge);
  const endRounds = startRounds(roundsOf(house, auth.keys), (error, trouble) => {
    logger.error({ err: error }, trouble);
  });
  let draining = false;
  const server = await createServer({
    house,
    tokens: auth.tokens,
    keys: auth.keys,
    clients: auth.clients,
    log,
    host: config.host,
    port: config.port,
    get origin() {
      return origin.url;
    },
    corsOrigins: config.corsOrigins,
    rateLimit,
    refusals,
    addressOf,
    tls: await readTls(config),
    shared: config.workers > 1 || config.databaseUrl.startsWith('mssql:'),
    maxBody: config.maxBody,
    maxBinary: config.maxBinary,
    version,
    ready: async () => {
      if (draining) throw new Error('draining');
      await store.check();
    },
  });
  closeConnections(server, () => draining);
  server.events.on('start', () => {
    origin.url = originOf(config, Number(server.info.port));
  });
  return {
    server,
    house,
    get baseUrl() {
      return origin.url;
    },
    drain: async () => {
      draining = true;
      await setTimeout(config.drainMs);
      await stopAccepting(server.listener, Math.min(config.drainMs, lastRequestsMs));
    },
    close: async () => {
      await server.stop({ timeout: finishing * config.drainMs });
      await endRounds();
      await running.stop();
      await audit.close();
      await store.close();
      await log.close();
    },
  };
};

/**
 * The composition root: the one place that knows every part. The server it returns does not listen yet.
 *
 * @param writer who writes to the embedded store, when another process does
 */
export const createApp = async (config: Config, writer?: UnitWriter): Promise<App> => {
  const store = await openStore(config, writer);
  try {
    return await createAppOver(store, config);
  } catch (error) {
    await store.close();
    throw error;
  }
};
