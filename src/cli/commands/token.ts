import { existsSync } from 'node:fs';
import { fetchToken } from '../../auth/client-token.js';
import { originOf, readConfig } from '../../config.js';
import { option, type Environment } from '../command.js';

export const printToken = async (words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment);
  const clientId = option(words, 'client');
  if (clientId === undefined) throw new Error('--client <id> is needed');
  const user = option(words, 'user');
  const patient = option(words, 'patient');
  const keyFile = `${config.dataDir}/clients/${clientId}.jwk.json`;
  if (!existsSync(keyFile)) throw new Error(`there is no key ${keyFile}; those of the demo clients are made by the first start`);
  const token = await fetchToken({
    clientId,
    keyFile,
    tokenUrl: `${originOf(config)}/oauth2/token`,
    ...(words.includes('--exchange') ? { issuersOf: config.dataDir } : {}),
    ...(user === undefined ? {} : { user }),
    ...(patient === undefined ? {} : { patient }),
  });
  process.stdout.write(`${token}\n`);
};
