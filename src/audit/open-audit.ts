import { setTimeout } from 'node:timers/promises';
import { Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { Keyring } from '../auth/keyring.js';
import type { Store, Value } from '../store/port.js';
import { indexAudit, type AuditIndexParts } from './audit-index.js';
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
  /** is told each seal, which is to leave this machine: what the store says later must agree with it */
  readonly sealed: (seal: string) => void;
};

const sealMs = 60_000;
const indexMs = 1000;
/** accesses a second up to which the server counts as quiet */
const quiet = 50;
/** lines that are made readable in a quiet round */
const inQuiet = 500;
/** so many times as long as a part of that work takes it rests: whoever writes in a quiet moment seldom waits for it */
const ease = 3;
/** how long who reads AuditEvents waits until the newest are readable */
const patienceMs = 5000;

const behind = (): Failure =>
  new Failure(
    'transient',
    [{ severity: 'error', code: 'transient', text: 'The latest accesses are still being made readable as AuditEvents: ask again.' }],
    { 'retry-after': '5' },
  );

/** True when the work is done within the time; it goes on otherwise. Throws what it throws. */
const inTime = async (work: Promise<unknown>, ms: number): Promise<boolean> => {
  const waiting = new AbortController();
  try {
    const late = setTimeout(ms, false, { signal: waiting.signal }).catch(() => false);
    return await Promise.race([work.then(() => true), late]);
  } finally {
    waiting.abort();
  }
};

/** The audit of this process: what it writes, what it makes readable in quiet moments, and the seal of each minute. */
export const openAudit = (parts: AuditParts): { readonly witness: Witness; readonly close: () => Promise<void> } => {
  const { store, keys, clock, newId, fault, sealed } = parts;
  const trail = createTrail(store, fault);
  const index = { running: undefined as Promise<unknown> | undefined, indexed: new Map<string, number>(), ending: false, hurried: false };
  const isEnding = (): boolean => index.ending;
  const makeReadable = (limit: number, rest: AuditIndexParts['rest']): Promise<unknown> => {
    index.running ??= indexAudit({ ...parts, indexed: index.indexed, isEnding, ...(rest && { rest }) }, limit).finally(() => {
      index.running = undefined;
    });
    return index.running;
  };
  /** until somebody waits for it */
  const easily = (took: number): Promise<void> => (index.hurried || index.ending ? Promise.resolve() : setTimeout(ease * took));
  const whenQuiet = (): Promise<unknown> => (trail.pace() <= quiet ? makeReadable(inQuiet, easily) : Promise.resolve());
  const catchUp = async (): Promise<void> => {
    await trail.flush();
    index.hurried = true;
    await index.running?.catch(() => undefined);
    index.hurried = false;
    const all = makeReadable(Number.MAX_SAFE_INTEGER, undefined);
    // goes on whether somebody waits for it or not
    all.catch(fault);
    if (!(await inTime(all, patienceMs))) throw behind();
  };
  const sealer = new Sealer(store, keys, clock);
  const every = (ms: number, act: () => Promise<unknown>): NodeJS.Timeout => {
    const timer = setInterval(() => {
      act().catch(fault);
    }, ms);
    return timer.unref();
  };
  const seal = async (): Promise<void> => {
    const jws = await sealer.seal();
    if (jws !== undefined) sealed(jws);
  };
  // what an earlier process wrote since its last seal is fixed from now on, also when it was killed
  seal().catch(fault);
  const timers = [every(sealMs, seal), every(indexMs, whenQuiet)];
  return {
    witness: createWitness({ trail, store, catchUp, clock, newId }),
    close: async () => {
      timers.forEach(clearInterval);
      index.ending = true;
      await index.running?.catch(fault);
      await trail.close();
      await seal().catch(fault);
    },
  };
};
