// Slow senders and one client's flood, while another client asks calmly.
import net from 'node:net';
import { after, calmTimes, flooded, percentile } from '../calm.mjs';
import { must } from './world.mjs';

/** Another client's answers, twenty a second, until done. */
const calm = ({ ask, one }, done) =>
  calmTimes(async () => (await ask('gp', 'GET', 'HealthcareService?_count=1', undefined, {}, one)).status, 50, done);
const told = (alone, during) =>
  `calm p50 ${percentile(alone, 0.5).toFixed(1)} -> ${percentile(during, 0.5).toFixed(1)} ms, p95 ${percentile(alone, 0.95).toFixed(1)} -> ${percentile(during, 0.95).toFixed(1)} ms`;

/** 500 connections that send a byte a second: heads that never end, and bodies that do not come. */
const slow = async (world) => {
  const { port } = new URL(world.one.origin);
  const alone = await calm(world, after(5000));
  const token = await world.tokenOf('system');
  const closed = { heads: 0, bodies: 0 };
  const sockets = Array.from({ length: 500 }, (_, n) => {
    const kind = n % 2 === 0 ? 'heads' : 'bodies';
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed[kind]++);
    socket.resume();
    if (kind === 'heads') socket.write('GET /FHIR/R4/Slot HTTP/1.1\r\nhost: x\r\n');
    else
      socket.write(
        `POST /FHIR/R4/Patient HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/fhir+json\r\ncontent-length: 100000\r\n\r\n{`,
      );
    const timer = setInterval(() => socket.writable && socket.write(kind === 'heads' ? 'x' : ' '), 1000);
    socket.on('close', () => clearInterval(timer));
    return socket;
  });
  const during = await calm(world, after(20_000));
  for (const socket of sockets) socket.destroy();
  must(closed.heads === 250, `${250 - closed.heads} slow heads were kept for 20 s`);
  must(closed.bodies === 250, `${250 - closed.bodies} slow bodies were kept for 20 s`);
  must(percentile(during, 0.95) < Math.max(100, 3 * percentile(alone, 0.95)), told(alone, during));
  return { tries: sockets.length, told: `cut off; ${told(alone, during)}` };
};

/** A client without a limit sends as fast as it can, for `seconds` at most; others are not slowed by more than their share of the work. */
const flood =
  (path, { share, seconds }) =>
  async (world, { flood: wanted }) => {
    const alone = await calm(world, after(5000));
    const headers = { authorization: `Bearer ${await world.tokenOf('system')}` };
    const amount = Math.ceil(wanted * share);
    const asked = { url: `${world.one.origin}/FHIR/R4/${path}`, headers, connections: 200, amount, seconds };
    const { times: during, sent, rate, refused } = await flooded(asked, (done) => calm(world, done));
    must(percentile(during, 0.5) < Math.max(150, 10 * percentile(alone, 0.5)), told(alone, during));
    return { tries: sent, told: `${rate.toFixed(0)}/s, ${refused} refused; ${told(alone, during)}` };
  };

export const floods = [
  ['slow heads and bodies, 500 connections', slow],
  ['a flood of cheap requests by a client without a limit', flood('HealthcareService?_count=1', { share: 1, seconds: 120 })],
  ['a flood of costly ones', flood('ServiceRequest?_count=100&_include=*', { share: 0.005, seconds: 40 })],
];
