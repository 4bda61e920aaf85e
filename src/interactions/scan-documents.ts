import type { Caller } from '../access/caller.js';
import { changed } from '../domain/command.js';
import { withMarks } from '../domain/documents/availability.js';
import { Failure } from '../fhir/outcome.js';
import { factsOf } from './facts.js';
import type { House } from './house.js';
import { perform } from './perform.js';

const server: Caller = { kind: 'system', clientId: 'server', scopes: ['system/*.cruds'], organisations: [] };
/** scans that may fail before a document counts as one that cannot be validated */
const triesAllowed = 5;

/** Scans one document and notes what came of it; its entry goes in the same unit, so that several servers scan it once in the end. */
const scanOne = async (house: House, { key, version, body }: { readonly key: string; readonly version: number; readonly body: string }) => {
  const blob = await house.blobs.open(key);
  const tries = Number(body) + 1;
  const answer = blob && house.scanner ? await house.scanner.scan(blob.bytes).catch(() => undefined) : 'VALIDATION_FAILED';
  if (answer === undefined && tries < triesAllowed) {
    await house.store.commit({ entries: [{ kind: 'scan', key, version, body: String(tries) }] });
    return;
  }
  await perform(house, { caller: server, lenient: false }, async (facts) => {
    const found = await facts.find({ type: 'Binary', id: key }, 'all');
    if (!found) throw new Failure('not-found', []);
    return {
      drafts: [changed(found, withMarks(found.resource, { availability: answer ?? 'VALIDATION_FAILED' }))],
      entries: [{ kind: 'scan', key, version, body: undefined }],
      result: found,
    };
  });
};

/** Scans the documents that wait for it, one after the other. Resolves with the number that were tried. */
export const scanDocuments = async (house: House): Promise<number> => {
  if (house.scanner === undefined) return 0;
  const waiting = await house.store.listEntries('scan');
  for (const entry of waiting) await scanOne(house, entry).catch((error: unknown) => forget(house, entry, error));
  return waiting.length;
};

/** A document that was deleted meanwhile is scanned no more; what another server did first is done. */
const forget = async (
  house: House,
  { key, version }: { readonly key: string; readonly version: number },
  error: unknown,
): Promise<void> => {
  const gone = (await factsOf(house.store, server).find({ type: 'Binary', id: key }, 'all')) === undefined;
  if (gone) await house.store.commit({ entries: [{ kind: 'scan', key, version, body: undefined }] }).catch(() => undefined);
  else if (!(error instanceof Failure)) throw error;
};
