import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Jwk } from './client.js';
import { isPublicAddress, publicLookup } from './public-address.js';

/** Why a key set could not be had; shown to the client, so it says nothing of this server's network. */
export class UnreadableKeys extends Error {
  override readonly name = 'UnreadableKeys';
}

const longestBody = 65_536;
const mostKeys = 50;
const answerMs = 3000;
const freshMs = 3_600_000;
/** an unknown kid, or a failure, asks again at most this often */
const againMs = 30_000;
const mostSets = 1000;

/**
 * Throws unless a key set may be fetched from the URL: https, no user name, no address that is not public. `internal` (DEMO) lifts
 * both.
 */
export const checkKeysUrl = (text: string, internal: boolean): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && !(internal && url.protocol === 'http:'))) throw new UnreadableKeys('a JWKS URL must be https');
  if (url.username !== '' || url.password !== '') throw new UnreadableKeys('a JWKS URL must not hold a user name');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // a literal address never reaches a lookup
  if (!internal && isIP(host) !== 0 && !isPublicAddress(host)) throw new UnreadableKeys('a JWKS URL must not name an internal address');
  return url;
};

/** One GET, no redirects, at most 64 KiB within 3 seconds. */
const fetchText = (url: URL, internal: boolean): Promise<string> =>
  new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(answerMs);
    const options = { headers: { accept: 'application/json' }, signal, agent: false, ...(internal ? {} : { lookup: publicLookup() }) };
    const request = send(url, options, (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        reject(new UnreadableKeys('the JWKS URL does not answer 200'));
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > longestBody) response.destroy(new UnreadableKeys('the JWKS is too large'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });

/** Reads a key set as RFC 7517 section 5 has it. */
export const readKeySet = (text: string): readonly Jwk[] => {
  let keys: unknown;
  try {
    keys = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  } catch {
    // told below
  }
  if (!Array.isArray(keys) || keys.length > mostKeys || !keys.every((key) => typeof key === 'object' && key !== null))
    throw new UnreadableKeys('the JWKS is not a key set of at most 50 keys');
  return keys as readonly Jwk[];
};

type Kept = { readonly keys: readonly Jwk[]; readonly triedAt: number; readonly readAt: number };

/** Key sets by URL: kept for an hour, fetched again when a kid is not among them, at most every 30 seconds, one fetch at a time. */
export class RemoteKeys {
  private readonly kept = new Map<string, Kept>();
  private readonly running = new Map<string, Promise<void>>();

  /** @param internal true under DEMO: http and internal addresses too. @param clock epoch ms */
  constructor(
    private readonly internal: boolean,
    private readonly clock: () => number,
  ) {}

  /** The keys with this kid; throws UnreadableKeys when the set could not be read. */
  async find(url: string, kid: string): Promise<readonly Jwk[]> {
    const known = this.kept.get(url);
    const now = this.clock();
    const fresh = known !== undefined && now - known.readAt < freshMs;
    const named = known?.keys.filter((key) => key.kid === kid) ?? [];
    if (fresh && named.length > 0) return named;
    if (known === undefined || now - known.triedAt >= againMs) await this.fetch(url);
    const kept = this.kept.get(url);
    if (!kept || this.clock() - kept.readAt >= freshMs * 24) throw new UnreadableKeys('the JWKS of the client cannot be read');
    return kept.keys.filter((key) => key.kid === kid);
  }

  private fetch(url: string): Promise<void> {
    const running = this.running.get(url) ?? this.read(url).finally(() => this.running.delete(url));
    this.running.set(url, running);
    return running;
  }

  private async read(url: string): Promise<void> {
    const before = this.kept.get(url);
    const triedAt = this.clock();
    if (this.kept.size >= mostSets) this.kept.clear();
    try {
      const keys = readKeySet(await fetchText(checkKeysUrl(url, this.internal), this.internal));
      this.kept.set(url, { keys, triedAt, readAt: triedAt });
    } catch {
      // what was read before still counts, for a day
      this.kept.set(url, { keys: before?.keys ?? [], triedAt, readAt: before?.readAt ?? Number.NEGATIVE_INFINITY });
    }
  }
}
