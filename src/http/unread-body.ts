import type { IncomingMessage } from 'node:http';

/** ms for what is still on its way of a body that nobody reads */
const longest = 30_000;

/**
 * Lets a client send the rest of a body that is answered before its end, and throws that away. A connection that is closed on it at once is
 * reset: a client that writes everything before it reads would never see why it was refused (RFC 9112 9.6).
 */
export const letFinish = (request: IncomingMessage): void => {
  const { complete, socket } = request;
  // what hapi injects comes over no connection
  if (complete || !('destroySoon' in socket)) return;
  const close = socket.destroySoon.bind(socket);
  // what Node calls once it has written the answer, since that says `Connection: close`
  socket.destroySoon = () => {
    if (request.complete) {
      close();
      return;
    }
    socket.end();
    const timer = setTimeout(() => socket.destroy(), longest);
    request.once('end', close);
    socket.once('close', () => {
      clearTimeout(timer);
    });
  };
};
