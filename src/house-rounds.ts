import type { Keyring } from './auth/keyring.js';
import { sweepJobFiles } from './bulk/handlers.js';
import { sweepOrphans } from './bulk/sweep-orphans.js';
import type { House } from './interactions/house.js';
import { lapseHolds } from './interactions/lapse-holds.js';
import { scanDocuments } from './interactions/scan-documents.js';
import type { Round } from './rounds.js';
import { tendOutdated } from './search-index/upkeep.js';

/** how long a slot may still look held after its hold ran out; who books it does not wait for this */
const lapseEveryMs = 15_000;
const keysEveryMs = 30_000;
const scanEveryMs = 500;
const parametersEveryMs = 500;
/** so that a search waits neither for the first reading of all services nor for many changes */
const directoryEveryMs = 1000;
const outdatedEveryMs = 60_000;
const sweepEveryMs = 600_000;
// all files are looked through
const orphansEveryMs = 6 * 3_600_000;

/** What a server does by the clock. */
export const roundsOf = (house: House, keys: Keyring): readonly Round[] => [
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
