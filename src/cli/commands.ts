import type { Environment } from './command.js';
import { printConfig } from './commands/config.js';
import { load } from './commands/load.js';
import { migrateSchema } from './commands/migrate.js';
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
    name: 'load',
    usage: 'load <file|folder>... [--no-validate] | --scale small|region|national | --postcodes <csv>  [--json]',
    purpose: 'write FHIR JSON, Bundles and NDJSON into the store; or generated data; or the ONS Postcode Directory',
    run: load,
  },
  {
    name: 'token',
    usage: 'token --client <id> [--user <sds id> | --patient <nhs number>]',
    purpose: 'print an access token of a demo client',
    run: printToken,
  },
  {
    name: 'validate',
    usage: 'validate <file...> [--profile <url>] [--json]',
    purpose: 'check FHIR JSON files against R4 and UK Core, or the profiles named; exit 1 on any error',
    run: validateFiles,
  },
  { name: 'config', usage: 'config [--json]', purpose: 'print every setting with its meaning and present value', run: printConfig },
];

export const help = (name: string | undefined): string => {
  const shown = commands.filter((command) => command.name === name);
  return [
    'referral-server <command>',
    '',
    ...(shown.length > 0 ? shown : commands).flatMap(({ usage, purpose }) => [`  ${usage}`, `      ${purpose}`]),
    '',
  ].join('\n');
};
