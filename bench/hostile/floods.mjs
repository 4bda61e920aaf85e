// Slow senders and one client's flood, while another client asks calmly.
import net from 'node:net';
import autocannon from 'autocannon';
import { must } from './world.mjs';

const percentile = (times, share) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

/** Another client's answers, twenty a second, until done. */
const calm = async ({ ask, one }, done) => {
  const times = [];
  for (let due = performance.now(); !done(); due += 50) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const started = performance.now();
    const { status } = await ask('gp', 'GET', 'HealthcareService?_count=1', undefined, {}, one);
    must(status === 200, `the calm client was answered ${status}`);
    times.push(performance.now() - started);
  }
  return times;
};
const after = (ms) => {
  const until = performance.now() + ms;
  return () => performance.now() > until;
};
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

/** A client without a limit sends as fast as it can; others are not slowed by more than their share of the work. */
const flood =
  (path, share) =>
  async (world, { flood: wanted }) => {
    const amount = Math.ceil(wanted * share);
    const alone = await calm(world, after(5000));
    const state = { over: false };
    const running = autocannon({
      url: `${world.one.origin}/FHIR/R4/${path}`,
      headers: { authorization: `Bearer ${await world.tokenOf('system')}` },
      ...{ connections: 200, amount, workers: 1, timeout: 60 },
    }).then((result) => {
      state.over = true;
      return result;
    });
    const during = await calm(world, () => state.over);
    const { requests, non2xx } = await running;
    must(percentile(during, 0.5) < Math.max(150, 10 * percentile(alone, 0.5)), told(alone, during));
    return { tries: amount, told: `${requests.average.toFixed(0)}/s, ${non2xx} refused; ${told(alone, during)}` };
  };

export const floods = [
  ['slow heads and bodies, 500 connections', slow],
  ['a flood of cheap requests by a client without a limit', flood('HealthcareService?_count=1', 1)],
  ['a flood of costly ones', flood('ServiceRequest?_count=100&_include=*', 0.005)],
];
