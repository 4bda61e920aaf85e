import { fetchToken } from '../../auth/client-token.js';
import { readConfig } from '../../config.js';
import { option, type Environment } from '../command.js';

export const printToken = async (words: readonly string[], environment: Environment): Promise<void> => {
  const config = readConfig(environment);
  const clientId = option(words, 'client');
  if (clientId === undefined) throw new Error('--client <id> is needed');
  const user = option(words, 'user');
  const patient = option(words, 'patient');
  const token = await fetchToken({
    clientId,
    keyFile: `${config.dataDir}/clients/${clientId}.jwk.json`,
    tokenUrl: `${config.baseUrl ?? `http://${config.host}:${String(config.port)}`}/oauth2/token`,
    ...(words.includes('--exchange') ? { issuersOf: config.dataDir } : {}),
    ...(user === undefined ? {} : { user }),
    ...(patient === undefined ? {} : { patient }),
  });
  process.stdout.write(`${token}\n`);
};
