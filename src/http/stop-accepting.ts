import { Server } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** ms of a turn of the event loop in which hardly anybody can have come */
const shortTurn = 1;
const mostTurns = 100;

const connectionsOf = (listener: Server): Promise<number> =>
  new Promise((resolve) => {
    listener.getConnections((error, count) => {
      resolve(error ? 0 : count);
    });
  });

/**
 * Ends listening without losing a request of who is just connecting: a connection that waits to be accepted when a listener closes is reset, and one that
 * was accepted and has not sent its request yet looks idle to who stops a server. A proxy may not send a POST again that was lost so.
 *
 * @param patienceMs how long connections may stay that say nothing
 */
export const stopAccepting = async (listener: Server, patienceMs: number): Promise<void> => {
  // a turn begins with accepting all that wait: close right after a short one
  for (let turn = 0, since = performance.now(); turn < mostTurns; turn++, since = performance.now()) {
    await setImmediate();
    if (performance.now() - since < shortTurn) break;
  }
  // not as an HTTP server closes, which ends what it takes for idle
  Server.prototype.close.call(listener);
  for (const until = performance.now() + patienceMs; performance.now() < until && (await connectionsOf(listener)) > 0;)
    await setTimeout(10);
};
