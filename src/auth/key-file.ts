import { createHash, generateKeyPair, randomUUID, type KeyObject } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Jwk } from './client.js';

const makePair = promisify(generateKeyPair);

// RFC 7638 section 3.2: the required members in lexicographic order.
const thumbprint = (key: Jwk): string => {
  const members = key.kty === 'RSA' ? { e: key.e, kty: key.kty, n: key.n } : { crv: key.crv, kty: key.kty, x: key.x, y: key.y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
};

const asJwk = (privateKey: KeyObject, alg: string): Jwk => {
  const key = privateKey.export({ format: 'jwk' }) as Jwk;
  return { ...key, kid: thumbprint(key), alg, use: 'sig' };
};

/** A new RSA 2048 private key with `kid` (RFC 7638 thumbprint). */
export const makeRsaKey = async (alg: 'RS512' | 'RS384'): Promise<Jwk> =>
  asJwk((await makePair('rsa', { modulusLength: 2048 })).privateKey, alg);

/** A new P-256 private key with `kid`. */
export const makeEs256Key = async (): Promise<Jwk> => asJwk((await makePair('ec', { namedCurve: 'P-256' })).privateKey, 'ES256');

/** The public part of a key: the members of RFC 7518 sections 6.2.1 and 6.3.1 and the common ones, nothing else. */
export const publicPart = (key: Jwk): Jwk =>
  Object.fromEntries(Object.entries(key).filter(([name]) => ['kty', 'kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y'].includes(name)));

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

const readText = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

// A hard link fails where a file is already, so of several processes that start together the first one's key stays.
const publish = async (temporary: string, file: string): Promise<void> => {
  try {
    await link(temporary, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    // some mounted folders know no hard links
    await rename(temporary, file);
  }
};

const parse = (text: string, file: string): readonly Jwk[] => {
  try {
    const read = JSON.parse(text) as Jwk & { keys?: readonly Jwk[] };
    const keys = Array.isArray(read.keys) ? (read.keys as readonly Jwk[]) : [read];
    if (keys.length > 0 && keys.every(({ kty, kid, d }) => [kty, kid, d].every((member) => typeof member === 'string'))) return keys;
  } catch {
    // told below without the parser's words, which can quote the key
  }
  throw new Error(`${path.basename(file)} is not a private JWK with kid, nor a set of them`);
};

/**
 * Reads private keys from a file (one JWK, or a JWK set whose first key signs), or makes one and writes it with mode 0600, whole or
 * not at all.
 *
 * @throws Error when the file is there but holds no private key
 */
export const loadOrMakeKeys = async (file: string, make: () => Promise<Jwk>): Promise<readonly Jwk[]> => {
  const present = await readText(file);
  if (present !== undefined) {
    const keys = parse(present, file);
    await chmod(file, 0o600);
    return keys;
  }
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${JSON.stringify(await make(), null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await publish(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return parse((await readText(file)) ?? '', file);
};
