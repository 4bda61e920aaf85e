import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be cut at any moment, as networks are. */
export type CuttingProxy = {
  readonly port: number;
  /** breaks every connection there is */
  readonly cut: () => void;
  /** from now on the server is heard no more: requests reach it, answers do not come back, and the connection breaks */
  readonly swallowAnswers: (swallow: boolean) => void;
  /** new connections are refused */
  readonly close: (closed: boolean) => void;
  readonly stop: () => Promise<void>;
};

export const startProxy = async (host: string, port: number): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  let [closed, swallowing] = [false, false];
  const server = createServer((client) => {
    if (closed) {
      client.destroy();
      return;
    }
    const target = connect(port, host);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => target.write(chunk));
    target.on('data', (chunk) => {
      if (swallowing) client.destroy();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    swallowAnswers: (swallow) => {
      swallowing = swallow;
    },
    close: (wanted) => {
      closed = wanted;
      if (closed) cut();
    },
    stop: () => {
      cut();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
};
