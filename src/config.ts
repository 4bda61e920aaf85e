import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import Joi from 'joi';

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly baseUrl: string | undefined;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly databaseUrlFile: string | undefined;
  readonly databaseReplicaUrl: string | undefined;
  readonly databaseReplicaUrlFile: string | undefined;
  /** types whose searches read the replica */
  readonly replicaSearches: readonly string[];
  readonly workers: number;
  readonly documentStoreUrl: string;
  readonly demo: boolean;
  readonly rateLimit: number;
  readonly refusalLimit: number;
  readonly trustedProxies: readonly string[];
  readonly identityIssuers: string | undefined;
  readonly signingKeyDays: number;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly tlsClientCaFile: string | undefined;
  readonly referentialIntegrity: boolean;
  /** folder of FHIR packages */
  readonly profilePackages: string | undefined;
  readonly unknownExtensions: 'ignore' | 'error';
  readonly unknownCodes: 'warning' | 'error';
  /** FHIR base of a terminology server */
  readonly terminologyUrl: string | undefined;
  readonly terminologyTokenUrl: string | undefined;
  readonly terminologyClientId: string | undefined;
  readonly terminologyKeyFile: string | undefined;
  readonly terminologyClientSecret: string | undefined;
  readonly terminologyClientSecretFile: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly timeZone: string;
  readonly maxBody: number;
  readonly maxBinary: number;
  readonly scannerUrl: string | undefined;
  readonly maxEntries: number;
  readonly drainMs: number;
  readonly logLevel: string;
};

type Setting = {
  readonly name: string;
  readonly meaning: string;
  readonly schema: Joi.Schema;
  /** never shown */
  readonly secret?: true;
};

const zone = (value: string): string => {
  new Intl.DateTimeFormat('en-GB', { timeZone: value });
  return value;
};

const listOf = (value: string): readonly string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

// who looks for a slot, or for where a referral stands, goes by what is there now
const neverBehind: readonly string[] = ['Appointment', 'Schedule', 'ServiceRequest', 'Slot', 'Task'];
const searchedElsewhere = (value: string): string => {
  for (const type of listOf(value)) {
    if (!/^[A-Z][A-Za-z]+$/.test(type)) throw new Error(`${type} is not a resource type`);
    if (neverBehind.includes(type)) throw new Error(`${type} is always searched where it is written`);
  }
  return value;
};

const networks = (value: string): string => {
  for (const network of listOf(value)) {
    const [address = '', bits, ...rest] = network.split('/');
    const most = isIP(address) === 6 ? 128 : 32;
    const isRight = isIP(address) !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
    if (!isRight) throw new Error(`${network} is no address or network`);
  }
  return value;
};

/** Every setting with its meaning; `referral-server config` prints this table. */
export const settings: readonly Setting[] = [
  { name: 'HOST', meaning: 'address to listen on', schema: Joi.string().default('127.0.0.1') },
  { name: 'PORT', meaning: 'port to listen on; 0 picks a free one and prints it', schema: Joi.number().port().default(8080) },
  {
    name: 'BASE_URL',
    meaning: 'public base of links, Location and token audience; from HOST and PORT when not set',
    schema: Joi.string().uri({ scheme: ['http', 'https'] }),
  },
  { name: 'DATA_DIR', meaning: 'embedded database, documents, keys', schema: Joi.string().default('./data') },
  {
    name: 'DATABASE_URL',
    meaning: 'sqlite:<file>, from DATA_DIR without it; or mssql://user:password@host:1433/database?encrypt=true',
    schema: Joi.string().pattern(/^(sqlite|mssql):.+/, 'sqlite:<file> or mssql://...'),
  },
  { name: 'DATABASE_URL_FILE', meaning: 'file that holds DATABASE_URL, which then stands in no environment', schema: Joi.string() },
  {
    name: 'DATABASE_REPLICA_URL',
    meaning:
      'mssql:// URL of a readable copy (readOnly=true for Azure SQL), for exports and REPLICA_SEARCHES, which may be seconds behind; none without it',
    schema: Joi.string().pattern(/^mssql:.+/, 'mssql://...'),
  },
  {
    name: 'DATABASE_REPLICA_URL_FILE',
    meaning: 'file that holds DATABASE_REPLICA_URL, which then stands in no environment',
    schema: Joi.string(),
  },
  {
    name: 'REPLICA_SEARCHES',
    meaning: 'comma list of types that are searched on that copy, as Organization,HealthcareService; never what bookings are decided on',
    schema: Joi.string().custom(searchedElsewhere, 'a list of types').allow(''),
  },
  { name: 'WORKERS', meaning: 'server processes that share the port', schema: Joi.number().integer().min(1).max(64).default(1) },
  {
    name: 'DOCUMENT_STORE_URL',
    meaning: 'file:<folder>; from DATA_DIR without it',
    schema: Joi.string().pattern(/^file:.+/, 'file:<folder>'),
  },
  { name: 'DEMO', meaning: 'demo data and clients; by default only on a loopback host', schema: Joi.boolean() },
  {
    name: 'RATE_LIMIT',
    meaning: 'requests a second of one client, bursts of twice that; not for system clients nor under DEMO',
    schema: Joi.number().min(1).max(100_000).default(10),
  },
  {
    name: 'REFUSAL_LIMIT',
    meaning: 'failed logins and forged tokens a second of one address, five times as many at once; not under DEMO',
    schema: Joi.number().min(1).max(100_000).default(20),
  },
  {
    name: 'TRUSTED_PROXIES',
    meaning: 'comma list of addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed; none without it',
    schema: Joi.string().custom(networks, 'a list of addresses').allow(''),
  },
  {
    name: 'IDENTITY_ISSUERS',
    meaning: 'JSON file of the identity providers (CIS2, NHS login) whose id_tokens are exchanged; none without it',
    schema: Joi.string(),
  },
  {
    name: 'SIGNING_KEY_DAYS',
    meaning: 'days for which a key signs access tokens before the next one does',
    schema: Joi.number().integer().min(1).max(365).default(30),
  },
  { name: 'TLS_CERT_FILE', meaning: 'PEM file of the certificate chain; with TLS_KEY_FILE the server speaks TLS', schema: Joi.string() },
  { name: 'TLS_KEY_FILE', meaning: 'PEM file of the private key of TLS_CERT_FILE', schema: Joi.string() },
  {
    name: 'TLS_CLIENT_CA_FILE',
    meaning: 'PEM file of the authorities whose client certificates are demanded (mutual TLS)',
    schema: Joi.string(),
  },
  {
    name: 'REFERENTIAL_INTEGRITY',
    meaning: 'enforce, or off for loading example sets',
    schema: Joi.string().valid('enforce', 'off').default('enforce'),
  },
  { name: 'PROFILE_PACKAGES', meaning: 'folder of FHIR packages (.tgz or unpacked) to load', schema: Joi.string() },
  {
    name: 'UNKNOWN_EXTENSIONS',
    meaning: 'what an extension without a known definition is: ignore, or error',
    schema: Joi.string().valid('ignore', 'error').default('ignore'),
  },
  {
    name: 'UNKNOWN_CODES',
    meaning: 'what a code is that its system does not have, or that nobody can judge against a required binding: warning, or error',
    schema: Joi.string().valid('warning', 'error').default('warning'),
  },
  {
    name: 'SCANNER_URL',
    meaning: 'clamd://host:port of a ClamAV daemon that looks through uploaded documents; they are not scanned without it',
    schema: Joi.string().uri({ scheme: ['clamd'] }),
  },
  {
    name: 'TERMINOLOGY_URL',
    meaning: 'FHIR base of a terminology server that is asked about codes that nothing here can judge; none without it',
    schema: Joi.string().uri({ scheme: ['http', 'https'] }),
  },
  {
    name: 'TERMINOLOGY_TOKEN_URL',
    meaning: 'where its access tokens come from (client credentials); none are sent without it',
    schema: Joi.string().uri({ scheme: ['http', 'https'] }),
  },
  { name: 'TERMINOLOGY_CLIENT_ID', meaning: 'client id at TERMINOLOGY_TOKEN_URL', schema: Joi.string() },
  {
    name: 'TERMINOLOGY_KEY_FILE',
    meaning: 'file of the private JWK that signs for that client; either this or TERMINOLOGY_CLIENT_SECRET',
    schema: Joi.string(),
  },
  { name: 'TERMINOLOGY_CLIENT_SECRET', meaning: 'the secret of that client', schema: Joi.string(), secret: true },
  {
    name: 'TERMINOLOGY_CLIENT_SECRET_FILE',
    meaning: 'file that holds TERMINOLOGY_CLIENT_SECRET, which then stands in no environment',
    schema: Joi.string(),
  },
  { name: 'CORS_ORIGINS', meaning: 'comma list of origins, or *; * under DEMO, else none', schema: Joi.string().allow('') },
  {
    name: 'TIME_ZONE',
    meaning: 'zone of dates and searches without one',
    schema: Joi.string().custom(zone, 'a time zone').default('Europe/London'),
  },
  {
    name: 'MAX_BODY',
    meaning: 'bytes of a JSON body',
    schema: Joi.number()
      .integer()
      .min(1024)
      .default(16 * 1024 * 1024),
  },
  {
    name: 'MAX_BINARY',
    meaning: 'bytes of a raw Binary',
    schema: Joi.number()
      .integer()
      .min(1024)
      .default(5 * 1024 * 1024),
  },
  { name: 'MAX_ENTRIES', meaning: 'entries of a Bundle', schema: Joi.number().integer().min(1).max(10_000).default(1000) },
  {
    name: 'DRAIN_MS',
    meaning: 'on SIGTERM: not ready, keep answering for this long, then close',
    schema: Joi.number().integer().min(0).default(5000),
  },
  {
    name: 'LOG_LEVEL',
    meaning: 'structured JSON logs, never patient data',
    schema: Joi.string().valid('silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace').default('info'),
  },
];

/** settings that may hold a secret, which a file may hold instead */
const secrets = ['DATABASE_URL', 'DATABASE_REPLICA_URL', 'TERMINOLOGY_CLIENT_SECRET'] as const;

const textOf = (name: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
};

/** The environment with what its files hold. */
const withSecrets = (environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> => {
  const read = secrets.flatMap((name) => {
    const file = environment[`${name}_FILE`];
    if (file === undefined || file === '') return [];
    if (environment[name] !== undefined) throw new Error(`Wrong settings: ${name} and ${name}_FILE exclude each other`);
    return [[name, textOf(`${name}_FILE`, file)]];
  });
  return { ...environment, ...(Object.fromEntries(read) as Readonly<Record<string, string>>) };
};

const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

/**
 * Reads the settings of an environment; this module is its only reader. Throws one Error that names every wrong variable.
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config => {
  const told = withSecrets(environment);
  const schema = Joi.object(Object.fromEntries(settings.map(({ name, schema: rule }) => [name, rule])))
    .and('TLS_CERT_FILE', 'TLS_KEY_FILE')
    .with('TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE')
    .with('TERMINOLOGY_TOKEN_URL', ['TERMINOLOGY_URL', 'TERMINOLOGY_CLIENT_ID'])
    .with('TERMINOLOGY_CLIENT_ID', 'TERMINOLOGY_TOKEN_URL')
    .with('TERMINOLOGY_KEY_FILE', 'TERMINOLOGY_CLIENT_ID')
    .with('TERMINOLOGY_CLIENT_SECRET', 'TERMINOLOGY_CLIENT_ID')
    .oxor('TERMINOLOGY_KEY_FILE', 'TERMINOLOGY_CLIENT_SECRET');
  const given = Object.fromEntries(settings.flatMap(({ name }) => (told[name] === undefined ? [] : [[name, told[name]]])));
  const { value, error } = schema.validate(given, { abortEarly: false, convert: true }) as {
    value: Record<string, unknown>;
    error?: Joi.ValidationError;
  };
  if (error) throw new Error(`Wrong settings: ${error.details.map(({ message }) => maskedUrl(message)).join('; ')}`);
  const dataDir = path.resolve(value['DATA_DIR'] as string);
  const databaseUrl = (value['DATABASE_URL'] as string | undefined) ?? `sqlite:${path.join(dataDir, 'referrals.db')}`;
  const demo = (value['DEMO'] as boolean | undefined) ?? (databaseUrl.startsWith('sqlite:') && loopback.has(value['HOST'] as string));
  const origins = (value['CORS_ORIGINS'] as string | undefined) ?? (demo ? '*' : '');
  return Object.freeze({
    host: value['HOST'] as string,
    port: value['PORT'] as number,
    baseUrl: (value['BASE_URL'] as string | undefined)?.replace(/\/+$/, ''),
    dataDir,
    databaseUrl,
    databaseUrlFile: value['DATABASE_URL_FILE'] as string | undefined,
    databaseReplicaUrl: value['DATABASE_REPLICA_URL'] as string | undefined,
    databaseReplicaUrlFile: value['DATABASE_REPLICA_URL_FILE'] as string | undefined,
    replicaSearches: listOf((value['REPLICA_SEARCHES'] as string | undefined) ?? ''),
    workers: value['WORKERS'] as number,
    documentStoreUrl: (value['DOCUMENT_STORE_URL'] as string | undefined) ?? `file:${path.join(dataDir, 'documents')}`,
    demo,
    rateLimit: value['RATE_LIMIT'] as number,
    refusalLimit: value['REFUSAL_LIMIT'] as number,
    trustedProxies: listOf((value['TRUSTED_PROXIES'] as string | undefined) ?? ''),
    identityIssuers: value['IDENTITY_ISSUERS'] as string | undefined,
    signingKeyDays: value['SIGNING_KEY_DAYS'] as number,
    tlsCertFile: value['TLS_CERT_FILE'] as string | undefined,
    tlsKeyFile: value['TLS_KEY_FILE'] as string | undefined,
    tlsClientCaFile: value['TLS_CLIENT_CA_FILE'] as string | undefined,
    referentialIntegrity: value['REFERENTIAL_INTEGRITY'] === 'enforce',
    profilePackages: value['PROFILE_PACKAGES'] as string | undefined,
    unknownExtensions: value['UNKNOWN_EXTENSIONS'] as 'ignore' | 'error',
    unknownCodes: value['UNKNOWN_CODES'] as 'warning' | 'error',
    scannerUrl: value['SCANNER_URL'] as string | undefined,
    terminologyUrl: (value['TERMINOLOGY_URL'] as string | undefined)?.replace(/\/+$/, ''),
    terminologyTokenUrl: value['TERMINOLOGY_TOKEN_URL'] as string | undefined,
    terminologyClientId: value['TERMINOLOGY_CLIENT_ID'] as string | undefined,
    terminologyKeyFile: value['TERMINOLOGY_KEY_FILE'] as string | undefined,
    terminologyClientSecret: value['TERMINOLOGY_CLIENT_SECRET'] as string | undefined,
    terminologyClientSecretFile: value['TERMINOLOGY_CLIENT_SECRET_FILE'] as string | undefined,
    corsOrigins: listOf(origins),
    timeZone: value['TIME_ZONE'] as string,
    maxBody: value['MAX_BODY'] as number,
    maxBinary: value['MAX_BINARY'] as number,
    maxEntries: value['MAX_ENTRIES'] as number,
    drainMs: value['DRAIN_MS'] as number,
    logLevel: value['LOG_LEVEL'] as string,
  });
};

/** The server's root as its own settings tell it: BASE_URL, else scheme, host and port. `port`: where it listens, with PORT=0. */
export const originOf = ({ baseUrl, host, port: asked, tlsCertFile }: Config, port = asked): string =>
  baseUrl ?? `${tlsCertFile === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;

/** A URL of the settings without its user and password, also where the password holds an @. */
export const maskedUrl = (value: string): string => value.replace(/\/\/.*@/, '//***@');

/** What `work` gives. What it throws is about the setting `name`, and its message says so. */
export const ofSetting = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};
