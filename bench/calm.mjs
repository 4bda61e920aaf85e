// One client asks calmly while another floods: what the benches of security share.
import autocannon from 'autocannon';

/** The value below which `share` of the times are. */
export const percentile = (times, share) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

/** Done after so many ms. */
export const after = (ms) => {
  const until = performance.now() + ms;
  return () => performance.now() > until;
};

/**
 * The ms that each answer took, one asked every `everyMs` until `done()`, whether the last one has come or not: as clients do who know nothing of each
 * other. `ask` resolves to the status, which must be 200.
 */
export const calmTimes = async (ask, everyMs, done) => {
  const asked = [];
  const timed = async () => {
    const started = performance.now();
    const status = await ask();
    if (status !== 200) throw new Error(`the calm client was answered ${status}`);
    return performance.now() - started;
  };
  for (let due = performance.now(); !done(); due += everyMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    asked.push(timed());
  }
  return Promise.all(asked);
};

/**
 * So many requests as fast as they are answered, or as many as `seconds` allow; and what `calm` measured meanwhile.
 * `calm(done)` resolves when `done()` is true.
 */
export const flooded = async ({ url, headers, connections, amount, seconds }, calm) => {
  const state = { over: false };
  const running = autocannon({ url, headers, connections, amount, workers: 1, timeout: 60 });
  const end = setTimeout(() => running.stop(), seconds * 1000);
  running.on('done', () => {
    state.over = true;
  });
  const times = await calm(() => state.over);
  const { requests, non2xx, ...answered } = await running;
  clearTimeout(end);
  return { times, sent: requests.total, rate: requests.average, served: answered['2xx'], refused: non2xx };
};
