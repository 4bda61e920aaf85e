// Uploads and downloads one large document and shows how much memory the server needed beyond what it held before.
// Usage: npm run bench:documents [-- --mb 100]; exit 1 when either way adds 30 MB or more, or the bytes differ.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { residentMb, startServer } from './running.mjs';

const mb = Number(process.argv[process.argv.indexOf('--mb') + 1]) || 100;
const limitMb = 30;
const block = randomBytes(64 * 1024);
const blocks = mb * 16;

const server = await startServer({ MAX_BINARY: String((mb + 1) * 1024 * 1024), LOG_LEVEL: 'warn' });
const headers = { authorization: `Bearer ${await server.tokenOf('demo-system')}` };

/** The most memory a piece of work needed beyond what was held when it began. */
const added = async (work) => {
  const before = residentMb(server.child.pid);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, residentMb(server.child.pid))), 5);
  const result = await work();
  clearInterval(timer);
  return { result, mb: Math.max(most, residentMb(server.child.pid)) - before };
};

const upload = (count) =>
  new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    const request = http.request(`${server.base}/Binary`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
    });
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode, location: response.headers.location, hash: hash.digest('hex') }));
    });
    request.on('error', reject);
    let sent = 0;
    const send = () => {
      while (sent < count) {
        block.writeUInt32LE(sent++);
        const chunk = Buffer.from(block);
        hash.update(chunk);
        if (!request.write(chunk)) return void request.once('drain', send);
      }
      request.end();
    };
    send();
  });

const download = (url) =>
  new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    http
      .get(url, { headers: { ...headers, accept: '*/*' } }, (response) => {
        response.on('data', (chunk) => hash.update(chunk));
        response.on('end', () => resolve({ status: response.statusCode, hash: hash.digest('hex') }));
      })
      .on('error', reject);
  });

const urlOf = ({ location }) => location.replace(/\/_history\/.*/, '');
// the first small document pays for what the server loads only once
await download(urlOf(await upload(16)));
const up = await added(() => upload(blocks));
const down = await added(() => download(urlOf(up.result)));
console.table([
  { what: `upload of ${mb} MB`, status: up.result.status, 'memory added, MB': up.mb.toFixed(1) },
  { what: `download of ${mb} MB`, status: down.result.status, 'memory added, MB': down.mb.toFixed(1) },
]);
const same = up.result.hash === down.result.hash;
console.log(same ? 'The bytes came back the same.' : 'The bytes differ.');
if (!same || up.mb >= limitMb || down.mb >= limitMb) process.exitCode = 1;
await server.stop();
