import { randomInt, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { withAuditPlans } from './audit/audit-index.js';
import { unwitnessed, type Witness } from './audit/witness.js';
import { readPrivateKey } from './auth/client-token.js';
import { openFilesystemBlobs } from './blobs/filesystem.js';
import { keptMs } from './bulk/status.js';
import { ofSetting, type Config } from './config.js';
import { createCustomParameters } from './custom-parameters/custom-parameters.js';
import { localDiary } from './domain/booking/provider-system.js';
import { localDemographics } from './domain/demographics/demographics.js';
import { listedStore } from './domain/worklists/listed-store.js';
import { capabilityTexts } from './interactions/capabilities.js';
import { createExtractor } from './fhir/search/extract.js';
import { createModel } from './fhir/search/model.js';
import { createSearchParameters } from './fhir/search/parameters.js';
import { createQueryParser } from './fhir/search/parse.js';
import { createShapes, typeUrl } from './fhir/shapes.js';
import { createCursors, cursorKey } from './http/cursors.js';
import { extractDiscreetly } from './interactions/discreet-house.js';
import type { House } from './interactions/house.js';
import { ServiceDirectory } from './interactions/service-directory.js';
import { createJobs } from './jobs/jobs.js';
import { nudgeable } from './jobs/nudgeable.js';
import { registry } from './resources/registry.js';
import { fingerprintsOf } from './search-index/fingerprints.js';
import { markOutdated } from './search-index/outdated.js';
import { createSearchIndex } from './search-index/search-index.js';
import { ersSearchParameters } from './resources/search-parameters.js';
import { narrowedStore } from './store/narrowed.js';
import type { Store } from './store/port.js';
import { openStore as openNamedStore } from './store/open-store.js';
import type { UnitWriter } from './store/sqlite/unit-writer.js';
import { readDefinitions } from './packages/read-definitions.js';
import { configuredScanner, configuredTerminologyServer } from './partners/configured.js';
import { createSearchTerminology } from './validation/terminology/for-search.js';
import { released, version } from './version.js';
import { createValidator, ukCoreByDefault } from './validation/validator.js';

/** Whether one process alone serves the store, so that others write to it for a moment at most, as loaders do. */
const isAlone = ({ workers, databaseUrl }: Config): boolean => workers === 1 && databaseUrl.startsWith('sqlite:');

/** The store that the configuration names; `writer`: who writes to the embedded store, when another process does. */
export const openStore = async (config: Config, writer?: UnitWriter): Promise<Store> => {
  // the records of patients, and private keys: for the server's own user
  await ofSetting('DATA_DIR', () => mkdir(config.dataDir, { recursive: true, mode: 0o700 }));
  const named = await ofSetting('DATABASE_URL', () => openNamedStore(config, writer));
  return listedStore(narrowedStore(withAuditPlans(named)), config.referentialIntegrity);
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
  const documents = path.resolve(config.documentStoreUrl.slice('file:'.length));
  const blobs = await ofSetting('DOCUMENT_STORE_URL', () => openFilesystemBlobs(documents));
  const clock = Date.now;
  const validator = createValidator(definitions, {
    ...ukCoreByDefault(definitions),
    unknownExtensions: config.unknownExtensions,
    unknownCodes: config.unknownCodes,
    undecidedCodes: config.unknownCodes,
  });
  const { terminologyKeyFile } = config;
  if (terminologyKeyFile !== undefined) await ofSetting('TERMINOLOGY_KEY_FILE', () => readPrivateKey(terminologyKeyFile));
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
  const fingerprints = fingerprintsOf(registry.keys(), { parameters: searchParameters, definitions, timeZone: config.timeZone });
  const searchIndex = createSearchIndex(store, fingerprints, () => performance.now());
  await searchIndex.begin();
  const extract = createExtractor(searchParameters, {
    model,
    isCaseSensitive: (system) => definitions.findCodeSystem(system)?.caseSensitive === true,
  });
  const house: House = {
    store,
    mayLag: (type) => config.replicaSearches.includes(type),
    witness,
    jobs,
    customParameters,
    blobs,
    registry,
    definitions,
    shapes: createShapes((type) => definitions.findStructure(typeUrl(type))),
    validate: validator.validate,
    questions: validator.questions,
    terminology: validator.terminology,
    ...(terminologyServer === undefined ? {} : { terminologyServer }),
    searchParameters,
    searchIndex,
    extract: markOutdated(extractDiscreetly(extract), (type) => searchIndex.isOvertaken(type)),
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
