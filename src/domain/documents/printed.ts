import type { Claim } from '../../store/port.js';
import type { Facts } from '../command.js';

const keyOf = (request: string, provider: string): string => `printed|${request}|${provider}`;

/** The request whose printing a claim tells; undefined for every other claim. */
export const printedRequest = ({ kind, key }: Claim): string | undefined =>
  kind === 'identifier' && key.startsWith('printed|') ? key.split('|')[1] : undefined;

/**
 * When a provider (ODS code) last had the clinical information printed (A007), ISO 8601. Kept beside the request: printing is no change of it, so
 * that whoever has read it may still act on the version that he read.
 */
export const findPrinted = async (facts: Pick<Facts, 'findClaim'>, request: string, provider: string): Promise<string | undefined> =>
  (await facts.findClaim('identifier', keyOf(request, provider)))?.owner;

/** The printing of now in place of the one before. */
export const printedAt = (
  request: string,
  provider: string,
  now: string,
  before: string | undefined,
): { readonly claims: Claim[]; readonly releases: Claim[] } => ({
  claims: [{ kind: 'identifier', key: keyOf(request, provider), owner: now }],
  releases: before === undefined ? [] : [{ kind: 'identifier', key: keyOf(request, provider), owner: before }],
});
