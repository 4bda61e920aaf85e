import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Scanner } from '../domain/documents/availability.js';

const timeoutMs = 30_000;

const sized = (chunk: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(chunk.length);
  return Buffer.concat([length, chunk]);
};

const send = async (socket: Socket, bytes: Buffer): Promise<void> => {
  if (!socket.write(bytes)) await once(socket, 'drain');
};

const answerOf = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1').replaceAll('\0', '').trim();
};

/**
 * ClamAV's daemon as a scanner, by its INSTREAM command (clamd(8)): chunks with their length before them, an empty one as the end. A file
 * over its StreamMaxLength cannot be validated; any other answer than OK or FOUND is no answer.
 *
 * @param url `clamd://host:port`
 */
export const createClamd = (url: string): Scanner => {
  const { hostname, port } = new URL(url);
  return {
    scan: async (bytes) => {
      const socket = connect({ host: hostname, port: Number(port === '' ? 3310 : port) });
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error('clamd does not answer')));
      try {
        await once(socket, 'connect');
        const answered = answerOf(socket);
        // what the daemon refuses midway is in its answer: a broken pipe alone says less
        const sent = (async () => {
          await send(socket, Buffer.from('zINSTREAM\0'));
          for await (const chunk of bytes) await send(socket, sized(chunk));
          await send(socket, Buffer.alloc(4));
        })();
        const [answer] = await Promise.all([answered, sent.catch(() => undefined)]);
        if (answer.endsWith('OK')) return 'AVAILABLE';
        if (answer.endsWith('FOUND')) return 'THREATS_FOUND';
        if (/size limit exceeded/i.test(answer)) return 'VALIDATION_FAILED';
        throw new Error(`clamd answered ${answer}`);
      } finally {
        socket.destroy();
      }
    },
  };
};
