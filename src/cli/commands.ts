import type { Environment } from './command.js';
import { audit } from './commands/audit.js';
import { manageClients } from './commands/clients.js';
import { printConfig } from './commands/config.js';
import { load } from './commands/load.js';
import { migrateSchema } from './commands/migrate.js';
import { migrateStore } from './commands/migrate-store.js';
import { printToken } from './commands/token.js';
import { validateFiles } from './commands/validate.js';
import { serve } from './serve.js';

export type Command = {
  readonly name: string;
  readonly usage: string;
  readonly purpose: string;
  readonly run: (words: readonly string[], environment: Environment) => Promise<void>;
};

export const commands: readonly Command[] = [
  { name: 'serve', usage: 'serve', purpose: 'start the server', run: (_words, environment) => serve(environment) },
  { name: 'migrate', usage: 'migrate', purpose: 'bring the database schema up to date, and stop', run: migrateSchema },
  {
    name: 'migrate-store',
    usage: 'migrate-store --from <sqlite:file | mssql://...> --to <mssql://... | sqlite:file> [--json]',
    purpose: 'copy all of a store that nobody serves into an empty one, and compare; run again, it goes on where it was cut off',
    run: migrateStore,
  },
  {
    name: 'load',
    usage: 'load <file|folder>... [--no-validate] | --scale small|region|national | --postcodes <csv>  [--json]',
    purpose: 'write FHIR JSON, Bundles and NDJSON into the store; or generated data; or the ONS Postcode Directory',
    run: load,
  },
  {
    name: 'token',
    usage: 'token --client <id> [--user <sds id> | --patient <nhs number>] [--exchange]',
    purpose: 'print an access token of a demo client; --exchange brings the person as an id_token of a demo issuer',
    run: printToken,
  },
  {
    name: 'validate',
    usage: 'validate <file|folder>... [--profile <url>]... [--json]',
    purpose: 'check FHIR JSON, XML and NDJSON against R4 and UK Core, or the profiles named; exit 1 on any error',
    run: validateFiles,
  },
  {
    name: 'clients',
    usage:
      'clients add --id <id> --kind system|app|user|patient --jwks <file|url> --scope "<scopes>" [--alg RS512,RS384,ES384] [--org <ODS,...>] [--business-function <name>] [--exchange cis2|nhs-login,access-code] [--rate <n>] [--user <sds id,...>] [--patient <nhs number,...>]\n  clients list [--json]\n  clients revoke <id>',
    purpose: 'register, show and revoke clients; a running server takes notice within seconds',
    run: manageClients,
  },
  {
    name: 'audit',
    usage: 'audit verify [--seals <file>] [--json]',
    purpose:
      'check every chain of the audit trail, its seals and the AuditEvents, and seals kept elsewhere (such as the log); exit 1 when something was changed',
    run: audit,
  },
  { name: 'config', usage: 'config [--json]', purpose: 'print every setting with its meaning and present value', run: printConfig },
];

/** Throws when an option was given that the command does not have, as a misspelt one would else be passed over. */
export const refuseUnknown = ({ usage }: Command, words: readonly string[]): void => {
  const known = new Set(usage.match(/--[a-z-]+/g));
  const unknown = words.find((word) => word.startsWith('--') && !known.has(word));
  if (unknown !== undefined) throw new Error(`there is no option ${unknown}`);
};

/** How the command of that name is called; of all without one. */
export const help = (name: string | undefined): string => {
  const shown = commands.filter((command) => command.name === name);
  return [
    'referral-server <command>',
    '',
    ...(shown.length > 0 ? shown : commands).flatMap(({ usage, purpose }) => [`  ${usage}`, `      ${purpose}`]),
    '',
  ].join('\n');
};
