import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApp } from '../../src/app.js';
import { fetchToken } from '../../src/auth/client-token.js';
import { readConfig } from '../../src/config.js';
import type { House } from '../../src/interactions/house.js';
import { demoTemplate } from './demo-template.js';
import { ownStore, templateStore, type OwnStore } from './own-store.js';
import { serveHere, serveInProcesses } from './serving.js';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
};
export type Role = 'system' | 'gp' | 'provider' | 'patient' | 'app' | 'nobody';
export type Running = {
  /** the server's root, and the FHIR base under it */
  readonly baseUrl: string;
  readonly base: string;
  /** the parts behind the server, for what no request can do */
  readonly house: () => Promise<House>;
  readonly dataDir: string;
  /** what it was started with, for another process over the same store */
  readonly environment: Readonly<Record<string, string>>;
  /** a request as one of the demo clients; a string body is sent as it is */
  readonly as: (role: Role, method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  /** the Authorization header of a demo client */
  readonly bearer: (role: Exclude<Role, 'nobody'>) => Promise<string>;
  readonly stop: () => Promise<void>;
};

const clients = {
  system: 'demo-system',
  gp: 'demo-gp',
  provider: 'demo-provider',
  patient: 'demo-patient-app',
  app: 'demo-provider-app',
} as const;
const ersHeaders: Readonly<Partial<Record<Role, Readonly<Record<string, string>>>>> = {
  gp: { 'NHSD-End-User-Organisation-ODS': 'D82106', 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN' },
  provider: { 'NHSD-End-User-Organisation-ODS': 'RCD', 'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN' },
};

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
};

const quiet = { PORT: '0', LOG_LEVEL: 'silent', DRAIN_MS: '100' };

/** stores of the servers that run, by their data folder: a second server over the folder has the same store */
const stores = new Map<string, OwnStore>();

/** A folder and a store of its own; with the demo data in it unless the settings ask for another store or none. */
const freshFolder = async (settings: Readonly<Record<string, string>>): Promise<string> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'referrals-'));
  if (settings['DATABASE_URL'] !== undefined) return folder;
  const filled = settings['DEMO'] !== 'false';
  if (filled) cpSync(await demoTemplate(makeTemplate), folder, { recursive: true });
  stores.set(folder, await ownStore(filled));
  return folder;
};

const makeTemplate = async (folder: string): Promise<void> => {
  const app = await createApp(readConfig({ ...quiet, ...(await templateStore()), DATA_DIR: folder }));
  await app.close();
};

const processes = process.env['WORKERS'] ?? '1';

/**
 * A whole server on a free port, with demo data of its own in a temporary folder. MSSQL_URL puts the data into a database of its own on
 * that server, and WORKERS has so many processes serve.
 */
export const startServer = async (settings: Readonly<Record<string, string>> = {}): Promise<Running> => {
  const dataDir = settings['DATA_DIR'] ?? (await freshFolder(settings));
  const environment = { ...quiet, ...stores.get(dataDir)?.settings, WORKERS: processes, DATA_DIR: dataDir, ...settings };
  const serving = await (environment.WORKERS === '1' ? serveHere : serveInProcesses)(environment);
  const { baseUrl } = serving;
  const tokens = new Map<Role, Promise<string>>();
  const tokenOf = (role: Exclude<Role, 'nobody'>): Promise<string> => {
    const known =
      tokens.get(role) ??
      fetchToken({
        clientId: clients[role],
        keyFile: `${dataDir}/clients/${clients[role]}.jwk.json`,
        tokenUrl: `${baseUrl}/oauth2/token`,
      });
    tokens.set(role, known);
    return known;
  };
  return {
    baseUrl,
    house: serving.house,
    dataDir,
    environment,
    base: `${baseUrl}/FHIR/R4`,
    bearer: async (role) => `Bearer ${await tokenOf(role)}`,
    as: async (role, method, url, body, headers = {}) => {
      const authorization: Readonly<Record<string, string>> = role === 'nobody' ? {} : { authorization: `Bearer ${await tokenOf(role)}` };
      const response = await fetch(url.startsWith('http') ? url : `${baseUrl}${url.startsWith('/') ? url : `/FHIR/R4/${url}`}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
          ...authorization,
          ...ersHeaders[role],
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: parsed(text) };
    },
    stop: async () => {
      await serving.stop();
      if (settings['DATA_DIR'] !== undefined) return;
      await stores.get(dataDir)?.remove();
      stores.delete(dataDir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

/** The server of a suite: started before its tests, stopped after them. */
export const suiteServer = (settings: Readonly<Record<string, string>> = {}): Running => {
  let running: Running | undefined;
  beforeAll(async () => {
    running = await startServer(settings);
  }, 120_000);
  afterAll(async () => {
    await running?.stop();
  });
  return new Proxy({} as Running, { get: (_none, name: keyof Running) => running?.[name] });
};

/** The one entry's resources of a type in a Bundle. */
export const resourcesOf = (bundle: Readonly<Record<string, unknown>>, type?: string): readonly Readonly<Record<string, unknown>>[] =>
  ((bundle['entry'] ?? []) as readonly { readonly resource?: Readonly<Record<string, unknown>> }[]).flatMap(({ resource }) =>
    resource && (type === undefined || resource['resourceType'] === type) ? [resource] : [],
  );
