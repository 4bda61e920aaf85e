import { spawn } from 'node:child_process';
import { fetchToken } from '../../src/auth/client-token.js';
import { startServer } from '../helpers/running-server.js';

const number = '9912003888';

it('the log of a server holds no NHS number, no name and no token, whatever is asked', async () => {
  // the demo data of a server that has run is what this one starts from
  const first = await startServer();
  const { dataDir } = first;
  const env = { ...process.env, ...first.environment, WORKERS: '1', LOG_LEVEL: 'trace', DRAIN_MS: '0' };
  const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const ready = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log += chunk.toString('utf8');
        const found = /FHIR base\s+(\S+)\/FHIR\/R4/.exec(log)?.[1];
        if (found !== undefined) resolve(found);
      });
  });
  const origin = await ready;
  const token = await fetchToken({
    clientId: 'demo-patient-app',
    keyFile: `${dataDir}/clients/demo-patient-app.jwk.json`,
    tokenUrl: `${origin}/oauth2/token`,
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', 'x-correlation-id': 'found-in-audit' };
  const identifier = `https://fhir.nhs.uk/Id/nhs-number|${number}`;
  for (const url of [`Patient?identifier=${identifier}`, `Patient/${number}`, `Nothing/${number}`, `Patient?nonsense=${number}`])
    await fetch(`${origin}/FHIR/R4/${url}`, { headers });
  for (const body of [`{"resourceType":"Patient","identifier":[{"value":"${number}"}],"wrong":"${number}"}`, `{"broken ${number}`])
    for (const type of ['Patient', 'DocumentReference']) await fetch(`${origin}/FHIR/R4/${type}`, { method: 'POST', headers, body });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  await first.stop();
  expect(log).toContain('"status":');
  for (const secret of [number, token, 'Bearer ']) expect(log).not.toContain(secret);
}, 120_000);
