import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ofSetting, type Config } from '../config.js';
import type { Tls } from './listener.js';

/** The text of a PEM file that a setting names; tried here, as a listener would tell of a wrong one at each handshake. */
const pem = (setting: string, file: string, attempt: (text: string) => unknown): Promise<string> =>
  ofSetting(setting, async () => {
    const text = await readFile(file, 'utf8');
    attempt(text);
    return text;
  });

/** What the listener needs for TLS, from the files that the settings name; undefined when they name none. Throws with the setting's name. */
export const readTls = async ({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Config): Promise<Tls | undefined> => {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const cert = await pem('TLS_CERT_FILE', tlsCertFile, (text) => new X509Certificate(text));
  const key = await pem('TLS_KEY_FILE', tlsKeyFile, (text) => createSecureContext({ cert, key: text }));
  if (tlsClientCaFile === undefined) return { cert, key };
  return { cert, key, ca: await pem('TLS_CLIENT_CA_FILE', tlsClientCaFile, (text) => new X509Certificate(text)) };
};
