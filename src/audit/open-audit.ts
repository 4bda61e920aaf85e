import type { Resource } from '../fhir/resource.js';
import type { Keyring } from '../auth/keyring.js';
import type { Store, Value } from '../store/port.js';
import { indexAudit } from './audit-index.js';
import { Sealer } from './seal.js';
import { createTrail } from './trail.js';
import { createWitness, type Witness } from './witness.js';

export type AuditParts = {
  readonly store: Store;
  readonly keys: Pick<Keyring, 'seal'>;
  readonly values: (resource: Resource) => Promise<readonly Value[]>;
  /** epoch ms */
  readonly clock: () => number;
  readonly newId: () => string;
  /** is told of what could not be written; it is tried again */
  readonly fault: (error: unknown) => void;
};

const sealMs = 60_000;
const indexMs = 1000;
/** accesses a second up to which the server counts as quiet */
const quiet = 50;
const inQuiet = 100;

/** The audit of this process: what it writes, what it makes readable in quiet moments, and the seal of each minute. */
export const openAudit = (parts: AuditParts): { readonly witness: Witness; readonly close: () => Promise<void> } => {
  const { store, keys, clock, newId, fault } = parts;
  const trail = createTrail(store, fault);
  const index = { running: undefined as Promise<unknown> | undefined };
  const makeReadable = (limit: number): Promise<unknown> => {
    index.running ??= indexAudit(parts, limit).finally(() => {
      index.running = undefined;
    });
    return index.running;
  };
  const catchUp = async (): Promise<void> => {
    await trail.flush();
    await index.running?.catch(() => undefined);
    await makeReadable(Number.MAX_SAFE_INTEGER);
  };
  const sealer = new Sealer(store, keys, clock);
  const every = (ms: number, act: () => Promise<unknown>): NodeJS.Timeout => {
    const timer = setInterval(() => {
      act().catch(fault);
    }, ms);
    return timer.unref();
  };
  const timers = [
    every(sealMs, () => sealer.seal()),
    every(indexMs, () => (trail.pace() <= quiet ? makeReadable(inQuiet) : Promise.resolve())),
  ];
  return {
    witness: createWitness({ trail, store, catchUp, clock, newId }),
    close: async () => {
      timers.forEach(clearInterval);
      await index.running?.catch(fault);
      await trail.close();
      await sealer.seal().catch(fault);
    },
  };
};
