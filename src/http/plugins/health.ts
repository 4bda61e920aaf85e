import type { Plugin } from '@hapi/hapi';

/** `/health/live`: the process answers. `/health/ready`: the store answers and the server is not draining. */
export const health = (ready: () => Promise<void>): Plugin<undefined> => ({
  name: 'health',
  register: (server) => {
    server.route([
      { method: 'GET', path: '/health/live', handler: () => ({ status: 'live' }) },
      {
        method: 'GET',
        path: '/health/ready',
        handler: async (_request, h) => {
          try {
            await ready();
            return { status: 'ready' };
          } catch (error) {
            return h.response({ status: 'not ready', reason: error instanceof Error ? error.message : 'unknown' }).code(503);
          }
        },
      },
    ]);
  },
});
