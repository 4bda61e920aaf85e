import { randomInt, randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Server } from '@hapi/hapi';
import { destination, pino } from 'pino';
import { scopeConditions } from './access/narrow-plan.js';
import { RefusalBudget } from './access/refusal-budget.js';
import { withAuditPlans } from './audit/audit-index.js';
import { auditValues } from './audit/audit-values.js';
import { openAudit } from './audit/open-audit.js';
import { unwitnessed, type Witness } from './audit/witness.js';
import { createAuth } from './auth/create-auth.js';
import { readIssuers } from './auth/issuers-file.js';
import { createFilesystemBlobs } from './blobs/filesystem.js';
import { jobHandlers, sweepJobFiles } from './bulk/handlers.js';
import { keptMs } from './bulk/status.js';
import type { Config } from './config.js';
import { createCustomParameters } from './custom-parameters/custom-parameters.js';
import { seedConformance } from './conformance/seed.js';
import { loadDemo } from './demo/load.js';
import { localDiary } from './domain/booking/provider-system.js';
import { localDemographics } from './domain/demographics/demographics.js';
import { listedStore } from './domain/worklists/listed-store.js';
import { makeWorklists } from './domain/worklists/make-worklists.js';
import { capabilityTexts } from './interactions/capabilities.js';
import { createExtractor } from './fhir/search/extract.js';
import { createModel } from './fhir/search/model.js';
import { createSearchParameters } from './fhir/search/parameters.js';
import { createQueryParser } from './fhir/search/parse.js';
import { Failure } from './fhir/outcome.js';
import { createShapes, typeUrl } from './fhir/shapes.js';
import { addressFinder } from './http/address.js';
import { createCursors, cursorKey } from './http/cursors.js';
import type { Tls } from './http/listener.js';
import { createServer } from './http/server.js';
import type { House } from './interactions/house.js';
import { lapseHolds } from './interactions/lapse-holds.js';
import { accessCheck } from './interactions/patient-access.js';
import { scanDocuments } from './interactions/scan-documents.js';
import { ServiceDirectory } from './interactions/service-directory.js';
import { createJobs } from './jobs/jobs.js';
import { nudgeable } from './jobs/nudgeable.js';
import { runJobs } from './jobs/runner.js';
import { operations } from './operations/operations.js';
import { createConformance, type Built, type Conformance } from './resources/conformance.js';
import { registry } from './resources/registry.js';
import { ersSearchParameters } from './resources/search-parameters.js';
import { narrowedStore } from './store/narrowed.js';
import type { Store } from './store/port.js';
import { alone } from './store/alone.js';
import { openStore as openNamedStore } from './store/open-store.js';
import type { UnitWriter } from './store/sqlite/unit-writer.js';
import { readDefinitions } from './packages/read-definitions.js';
import { configuredScanner, configuredTerminologyServer } from './partners/configured.js';
import { createSearchTerminology } from './validation/terminology/for-search.js';
import { createValidator, ukCoreByDefault } from './validation/validator.js';

export const version = '0.1.0';
/** the day of the statement of what this version offers */
export const released = '2026-11-25';

/** how long a slot may still look held after its hold ran out; who books it does not wait for this */
const lapseEveryMs = 15_000;
const scanEveryMs = 500;
// lines are written together: a write for each would cost more than the rest of the line
const logBytes = 16_000;
const logEveryMs = 100;

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

/** The store that the configuration names; `writer`: who writes to the embedded store, when another process does. */
export const openStore = async (config: Config, writer?: UnitWriter): Promise<Store> => {
  await mkdir(config.dataDir, { recursive: true });
  return listedStore(narrowedStore(withAuditPlans(await openNamedStore(config, writer))), config.referentialIntegrity);
};

/**
 * Everything that interactions and operations use, over a store; `origin.url` is where the server answers at present, and `warn` is told
 * of profile packages that cannot be used. Without a `witness` accesses leave no audit: for loaders, which run beside no client.
 */
export const createHouse = async (
  config: Config,
  store: Store,
  origin: { readonly url: string },
  warn: (problem: string) => void,
  witness: Witness = unwitnessed,
): Promise<House> => {
  const definitions = await readDefinitions(config.profilePackages, warn);
  const model = createModel(definitions.structures());
  const searchParameters = createSearchParameters([...definitions.searchParameters, ...ersSearchParameters], model);
  const clock = Date.now;
  const validator = createValidator(definitions, {
    ...ukCoreByDefault(definitions),
    unknownExtensions: config.unknownExtensions,
    unknownCodes: config.unknownCodes,
    undecidedCodes: config.unknownCodes,
  });
  const terminologyServer = configuredTerminologyServer(config, clock);
  const scanner = configuredScanner(config);
  const jobs = nudgeable(createJobs(store, { clock, newId: randomUUID, keepMs: keptMs }));
  const customParameters = createCustomParameters({
    store,
    jobs,
    ground: { parameters: searchParameters, model, types: [...registry.keys()] },
    elapsed: () => performance.now(),
    graceMs: isAlone(config) ? 1500 : 6000,
  });
  await customParameters.refresh();
  const house: House = {
    store,
    witness,
    jobs,
    customParameters,
    blobs: createFilesystemBlobs(path.resolve(config.documentStoreUrl.slice('file:'.length))),
    registry,
    definitions,
    shapes: createShapes((type) => definitions.findStructure(typeUrl(type))),
    validate: validator.validate,
    questions: validator.questions,
    terminology: validator.terminology,
    ...(terminologyServer === undefined ? {} : { terminologyServer }),
    searchParameters,
    extract: createExtractor(searchParameters, {
      model,
      isCaseSensitive: (system) => definitions.findCodeSystem(system)?.caseSensitive === true,
    }),
    parseQuery: createQueryParser({
      parameters: searchParameters,
      types: [...registry.keys()],
      baseUrl: () => `${origin.url}/FHIR/R4`,
      timeZone: config.timeZone,
      clock,
      terminology: createSearchTerminology(definitions),
    }),
    clock,
    newId: randomUUID,
    newUbrn: () => String(randomInt(1_000_000)).padStart(6, '0') + String(randomInt(1_000_000)).padStart(6, '0'),
    get baseUrl() {
      return `${origin.url}/FHIR/R4`;
    },
    demographics: localDemographics,
    providerSystem: localDiary,
    ...(scanner === undefined ? {} : { scanner }),
    directory: new ServiceDirectory(store),
    capability: capabilityTexts(version, released, () => house),
    timeZone: config.timeZone,
    maxEntries: config.maxEntries,
    maxBinary: config.maxBinary,
    integrity: config.referentialIntegrity,
    ...createCursors(await cursorKey(store)),
  };
  return house;
};

/** The task, passed over while it runs already. */
const oneAtATime = (task: () => Promise<unknown>): (() => Promise<unknown>) => {
  let running: Promise<unknown> | undefined;
  return () =>
    (running ??= task().finally(() => {
      running = undefined;
    }));
};

/** Whether one process alone serves the store, so that others write to it for a moment at most, as loaders do. */
const isAlone = ({ workers, databaseUrl }: Config): boolean => workers === 1 && databaseUrl.startsWith('sqlite:');

/** The server's root as its own settings tell it. */
const rootOf = ({ host, tlsCertFile }: Config, port: number): string =>
  `${tlsCertFile === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;

const readTls = async ({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Config): Promise<Tls | undefined> => {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const [cert, key] = await Promise.all([readFile(tlsCertFile, 'utf8'), readFile(tlsKeyFile, 'utf8')]);
  return { cert, key, ...(tlsClientCaFile === undefined ? {} : { ca: await readFile(tlsClientCaFile, 'utf8') }) };
};

/** Whoever connects while the server drains is told to come back by another connection, which reaches another server. */
const closeConnections = (server: Server, draining: () => boolean): void => {
  // a proxy that keeps connections must be the one to close them: a request may be on its way when this side does
  server.listener.keepAliveTimeout = 65_000;
  server.listener.prependListener('request', (_request, response) => {
    if (draining()) response.setHeader('connection', 'close');
  });
};

/**
 * The composition root: the one place that knows every part. The server it returns does not listen yet.
 *
 * @param writer who writes to the embedded store, when another process does
 */
export const createApp = async (config: Config, writer?: UnitWriter): Promise<App> => {
  const log = destination({ fd: 1, sync: false, minLength: logBytes });
  const logger = pino({ level: config.logLevel }, log);
  const logging = setInterval(() => {
    log.flush();
  }, logEveryMs);
  logging.unref();
  const store = await openStore(config, writer);
  const clock = Date.now;
  // with PORT=0 the address is known only when the server listens
  const origin = { url: config.baseUrl ?? rootOf(config, config.port) };
  const addressOf = addressFinder(config.trustedProxies);
  const rateLimit = config.demo ? undefined : config.rateLimit;
  const refusals = new RefusalBudget(config.demo ? undefined : config.refusalLimit, Date.now);
  const auth = await createAuth({
    store,
    clock,
    demo: config.demo,
    dataDir: config.dataDir,
    issuers: config.identityIssuers === undefined ? [] : await readIssuers(config.identityIssuers),
    rateLimit,
    refusals,
    rotationMs: config.signingKeyDays * 86_400_000,
    origin: () => origin.url,
    checkAccessCode: accessCheck(store),
    enforceable: (type, query) =>
      registry.has(type) && scopeConditions((pairs) => house.parseQuery(type, pairs, { lenient: false }), query) !== undefined,
  });
  const lapsing = setInterval(() => {
    lapseHolds(house).catch((error: unknown) => {
      logger.error({ err: error }, 'holds that ran out could not be ended');
    });
  }, lapseEveryMs);
  lapsing.unref();
  const refreshing = setInterval(() => {
    auth.keys.refresh().catch((error: unknown) => {
      logger.error({ err: error }, 'the signing keys could not be read');
    });
  }, 30_000);
  refreshing.unref();
  const audit = openAudit({
    store,
    keys: auth.keys,
    values: auditValues(store, () => house),
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
  const scan = oneAtATime(() => scanDocuments(house));
  const scanning = setInterval(() => {
    scan().catch((error: unknown) => {
      logger.error({ err: error }, 'new documents could not be scanned');
    });
  }, scanEveryMs);
  scanning.unref();
  const conformance = await readConformance();
  await alone(store, 'start', async () => {
    await makeWorklists(store);
    await seedConformance(house, conformance);
    if (config.demo) await loadDemo(house);
  });
  await house.customParameters.resume();
  const running = runJobs({
    jobs: house.jobs,
    handlers: jobHandlers(house),
    reasonOf: (error) => (error instanceof Failure ? error.message : 'The server failed; the fault is logged.'),
    onError: (error) => {
      logger.error({ err: error }, 'a job stumbled');
    },
  });
  house.jobs.onNudge(running.nudge);
  const listening = setInterval(() => {
    house.customParameters.refresh().catch((error: unknown) => {
      logger.error({ err: error }, 'the search parameters that were added could not be read');
    });
  }, 500);
  listening.unref();
  const sweeping = setInterval(() => {
    sweepJobFiles(house).catch((error: unknown) => {
      logger.error({ err: error }, 'files of old jobs could not be removed');
    });
  }, 600_000);
  sweeping.unref();
  let draining = false;
  const server = await createServer({
    house,
    tokens: auth.tokens,
    keys: auth.keys,
    clients: auth.clients,
    logger,
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
    if (config.baseUrl === undefined) origin.url = rootOf(config, Number(server.info.port));
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
      // right after the connections that wait were accepted
      await setImmediate();
    },
    close: async () => {
      await server.stop({ timeout: config.drainMs });
      clearInterval(refreshing);
      clearInterval(lapsing);
      clearInterval(scanning);
      clearInterval(sweeping);
      clearInterval(listening);
      await running.stop();
      await audit.close();
      await store.close();
      clearInterval(logging);
      logger.flush();
    },
  };
};
