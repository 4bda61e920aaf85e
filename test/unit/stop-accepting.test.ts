import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { stopAccepting } from '../../src/http/stop-accepting.js';

const listen = async (): Promise<{ readonly server: http.Server; readonly port: number }> => {
  const server = http.createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end('done');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
};
const connect = (port: number): Promise<net.Socket> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      resolve(socket);
    });
    socket.once('error', reject);
  });

it('who has connected and not asked yet is answered, nobody else can connect', async () => {
  const { server, port } = await listen();
  const socket = await connect(port);
  const stopped = stopAccepting(server, 5000);
  await setTimeout(200);
  await expect(connect(port)).rejects.toThrow(/ECONNREFUSED/);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
  await ended;
  expect(answer).toContain('200 OK');
  const since = performance.now();
  await stopped;
  expect(performance.now() - since).toBeLessThan(2000);
});

it('who says nothing is waited for no longer than told', async () => {
  const { server, port } = await listen();
  const socket = await connect(port);
  const since = performance.now();
  await stopAccepting(server, 100);
  expect(performance.now() - since).toBeGreaterThanOrEqual(99);
  socket.destroy();
});
