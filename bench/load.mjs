// A load generator that costs little beside what it measures: requests are bytes made once, answers are only counted. It keeps
// `connections` sockets busy, each with one request at a time.
import net from 'node:net';

const ends = Buffer.from('\r\n\r\n');

/** The bytes of a request; `body` is text. */
export const bytesOf = ({ url, method = 'GET', headers = {}, body }) => {
  const { host, pathname, search } = new URL(url);
  const sent = { host, ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
};

/** The status of the answer that begins with `bytes`, and how long it is; undefined while its header is not whole. Every answer here has a Content-Length. */
const answerFrom = (bytes) => {
  const end = bytes.indexOf(ends);
  if (end < 0) return undefined;
  const head = bytes.latin1Slice(0, end);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
  if (Number.isNaN(length)) throw new Error(`an answer without its length: ${head}`);
  return { status: Number(head.slice(9, 12)), whole: end + ends.length + length };
};

/**
 * One connection; `next()` gives the bytes of each request, until there are none. `answered(status, ms)` is told of each answer. What comes
 * is read into one buffer again and again: a buffer for each piece keeps the collector of garbage busy on a core that the server could use.
 */
const keepAsking = (target, next, answered) =>
  new Promise((resolve, reject) => {
    let [read, sentAt, head, answer] = [0, 0, Buffer.alloc(0), undefined];
    const ask = () => {
      [read, head, answer] = [0, Buffer.alloc(0), undefined];
      const request = next();
      if (request === undefined) return socket.end();
      sentAt = performance.now();
      return socket.write(request);
    };
    const take = (length, buffer) => {
      read += length;
      if (answer === undefined) {
        const piece = buffer.subarray(0, length);
        const begun = head.length === 0 ? piece : Buffer.concat([head, piece]);
        answer = answerFrom(begun);
        // seldom: a header in two pieces
        if (answer === undefined) head = Buffer.from(begun);
      }
      if (answer === undefined || read < answer.whole) return true;
      answered(answer.status, performance.now() - sentAt);
      ask();
      return true;
    };
    const onread = { buffer: Buffer.alloc(256 * 1024), callback: take };
    const socket = net.connect({ port: Number(target.port), host: target.hostname, onread });
    socket.setNoDelay(true);
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('close', resolve);
  });

/** Asks for `seconds`, or until `next()` gives no more bytes: how long each answer took (ms), its status, and how long all of them (s). */
export const askFor = async ({ origin, connections, seconds, next }) => {
  const [took, statuses] = [[], []];
  const started = performance.now();
  const answered = (status, ms) => {
    took.push(ms);
    statuses.push(status);
  };
  const inTime = () => (performance.now() - started >= seconds * 1000 ? undefined : next());
  await Promise.all(Array.from({ length: connections }, () => keepAsking(new URL(origin), inTime, answered)));
  return { took, statuses, wall: (performance.now() - started) / 1000 };
};

/**
 * Asks for `seconds`, with `body`, or with each of `bodies` once. Resolves with the answers a second, the times of p50 and p99 in ms, how
 * many came, and how many were not 2xx.
 */
export const load = async ({ url, connections = 16, seconds, bodies, ...request }) => {
  const same = bytesOf({ url, ...request });
  const left = bodies?.map((body) => bytesOf({ url, ...request, body }));
  const { took, statuses, wall } = await askFor({ origin: url, connections, seconds, next: () => (left ? left.pop() : same) });
  took.sort((one, other) => one - other);
  const at = (share) => Number((took[Math.floor(took.length * share)] ?? 0).toFixed(2));
  const refused = statuses.filter((status) => status < 200 || status > 299).length;
  return { rate: Math.round(took.length / wall), p50: at(0.5), p99: at(0.99), answers: took.length, refused };
};
