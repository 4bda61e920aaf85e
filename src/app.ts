import { randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { scopeConditions } from './access/narrow-plan.js';
import { RefusalBudget } from './access/refusal-budget.js';
import { auditValues } from './audit/audit-values.js';
import { openAudit } from './audit/open-audit.js';
import { createAuth } from './auth/create-auth.js';
import { readIssuers } from './auth/issuers-file.js';
import type { IdentityIssuer } from './auth/subjects.js';
import { sweepOrphans } from './bulk/sweep-orphans.js';
import { jobHandlers, sweepJobFiles } from './bulk/handlers.js';
import { ofSetting, originOf, type Config } from './config.js';
import { isConformanceSeeded, seedConformance } from './conformance/seed.js';
import { isDemoLoaded, loadDemo } from './demo/load.js';
import { areWorklistsMade, makeWorklists } from './domain/worklists/make-worklists.js';
import { Failure } from './fhir/outcome.js';
import { addressFinder } from './http/address.js';
import type { Tls } from './http/listener.js';
import { createServer, type Server } from './http/server.js';
import { stopAccepting } from './http/stop-accepting.js';
import { createHouse, openStore } from './create-house.js';
import type { Keyring } from './auth/keyring.js';
import { startRounds, type Round } from './rounds.js';
import { version } from './version.js';
import type { House } from './interactions/house.js';
import { lapseHolds } from './interactions/lapse-holds.js';
import { accessCheck } from './interactions/patient-access.js';
import { scanDocuments } from './interactions/scan-documents.js';
import { runJobs } from './jobs/runner.js';
import { openLog } from './log.js';
import { operations } from './operations/operations.js';
import { createConformance, type Built, type Conformance } from './resources/conformance.js';
import { registry } from './resources/registry.js';
import { startUpkeep, tendOutdated } from './search-index/upkeep.js';
import { alone } from './store/alone.js';
import type { Store } from './store/port.js';
import type { UnitWriter } from './store/sqlite/unit-writer.js';

/** how long a slot may still look held after its hold ran out; who books it does not wait for this */
const lapseEveryMs = 15_000;
const keysEveryMs = 30_000;
const scanEveryMs = 500;
const parametersEveryMs = 500;
/** so that a search waits neither for the first reading of all services nor for many changes */
const directoryEveryMs = 1000;
const outdatedEveryMs = 60_000;
/** who connected last has sent a request by then */
const lastRequestsMs = 1000;
/** what is under way when a server has drained may take so many times as long as that: with the default, as long as one statement */
const finishing = 6;
/** a start waits no longer than this for connections to become quick */
const warmUpMs = 10_000;
const sweepEveryMs = 600_000;
// all files are looked through
const orphansEveryMs = 6 * 3_600_000;

export type App = {
  readonly server: Server;
  readonly house: House;
  readonly baseUrl: string;
  /** Not ready, answering for DRAIN_MS with `Connection: close`. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const builtFile = async (name: string): Promise<Built> => {
  const at = (extension: string): string => fileURLToPath(new URL(`../dist/profiles/${name}.${extension}`, import.meta.url));
  return { hash: await readFile(at('sha256'), 'utf8'), text: async () => readFile(at('json'), 'utf8') };
};

/** The definitions that the server serves as resources. */
const readConformance = async (): Promise<Conformance> =>
  createConformance([await builtFile('artefacts'), await builtFile('base')], operations);

/** The text of a PEM file that a setting names; tried here, as a listener would tell of a wrong one at each handshake. */
const pem = (setting: string, file: string, attempt: (text: string) => unknown): Promise<string> =>
  ofSetting(setting, async () => {
    const text = await readFile(file, 'utf8');
    attempt(text);
    return text;
  });

const readTls = async ({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Config): Promise<Tls | undefined> => {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const cert = await pem('TLS_CERT_FILE', tlsCertFile, (text) => new X509Certificate(text));
  const key = await pem('TLS_KEY_FILE', tlsKeyFile, (text) => createSecureContext({ cert, key: text }));
  if (tlsClientCaFile === undefined) return { cert, key };
  return { cert, key, ca: await pem('TLS_CLIENT_CA_FILE', tlsClientCaFile, (text) => new X509Certificate(text)) };
};

const issuersOf = async ({ identityIssuers }: Config): Promise<readonly IdentityIssuer[]> =>
  identityIssuers === undefined ? [] : ofSetting('IDENTITY_ISSUERS', () => readIssuers(identityIssuers));

/** Whether an earlier start left nothing to do: most starts, which then neither wait for each other nor write. */
const isPrepared = async (house: House, conformance: Conformance, { demo }: Config): Promise<boolean> =>
  house.searchIndex.isAdopted() &&
  (await isConformanceSeeded(house, conformance)) &&
  (await areWorklistsMade(house.store)) &&
  (!demo || (await isDemoLoaded(house)));

/** What a server does by the clock. */
const roundsOf = (house: House, keys: Keyring): readonly Round[] => [
  { everyMs: lapseEveryMs, work: () => lapseHolds(house), trouble: 'holds that ran out could not be ended' },
  { everyMs: keysEveryMs, work: () => keys.refresh(), trouble: 'the signing keys could not be read' },
  { everyMs: scanEveryMs, work: () => scanDocuments(house), trouble: 'new documents could not be scanned' },
  {
    everyMs: parametersEveryMs,
    work: () => Promise.all([house.customParameters.refresh(), house.searchIndex.refresh()]),
    trouble: 'the search parameters that were added could not be read',
  },
  { everyMs: directoryEveryMs, work: () => house.directory.refresh(), trouble: 'the directory of services could not be read' },
  { everyMs: outdatedEveryMs, work: () => tendOutdated(house), trouble: 'what another version wrote could not be indexed anew' },
  { everyMs: sweepEveryMs, work: () => sweepJobFiles(house), trouble: 'files of old jobs could not be removed' },
  { everyMs: orphansEveryMs, work: () => sweepOrphans(house), trouble: 'files that nothing names could not be removed' },
];

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
  const conformance = await readConformance();
  if (await isPrepared(house, conformance, config)) await Promise.race([store.warmUp?.(), setTimeout(warmUpMs, undefined, { ref: false })]);
  else
    await alone(store, 'start', async () => {
      // the codes first: worklists are made with what they say
      await seedConformance(house, conformance);
      await makeWorklists(store);
      if (config.demo && (await loadDemo(house)) > 0) await store.countAnew?.();
      const due = await startUpkeep(house);
      if (due.length > 0) logger.info({ types: due }, 'stored resources are being indexed anew; until then searches may miss some');
    });
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
