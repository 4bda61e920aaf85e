import type { Plugin } from '@hapi/hapi';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { ConnectionFigures } from '../../store/port.js';
import { answerFigures } from './answer-figures.js';

export type Metrics = { readonly registry: Registry; readonly observe: (method: string, status: number, ms: number) => void };

const none: ConnectionFigures = { size: 0, available: 0, borrowed: 0, pending: 0, retries: 0, troubles: {} };

/** The connections to the database, read when somebody asks. */
const watchConnections = (registry: Registry, figures: () => ConnectionFigures | undefined): void => {
  const registers = [registry];
  const pool = new Gauge({
    name: 'database_connections',
    help: 'connections to the database: size (open), available, borrowed; pending (callers that wait for one)',
    labelNames: ['state'],
    registers,
    collect: () => {
      const { size, available, borrowed, pending } = figures() ?? none;
      for (const [state, count] of Object.entries({ size, available, borrowed, pending })) pool.set({ state }, count);
    },
  });
  const retries = new Counter({
    name: 'database_retries_total',
    help: 'statements that were sent again',
    registers,
    collect: () => {
      retries.reset();
      retries.inc((figures() ?? none).retries);
    },
  });
  const troubles = new Counter({
    name: 'database_transient_errors_total',
    help: 'failures that pass: passing (the server said so), race (a unique index or key), unknown (a connection broke), unreachable',
    labelNames: ['trouble'],
    registers,
    collect: () => {
      troubles.reset();
      for (const [trouble, count] of Object.entries((figures() ?? none).troubles)) troubles.inc({ trouble }, count);
    },
  });
};

/** How much of the stored is still to be indexed anew after an upgrade, read when somebody asks. */
const watchIndex = (registry: Registry, typesDue: () => number): void => {
  const due = new Gauge({
    name: 'search_index_types_due',
    help: 'resource types whose stored resources are still being indexed anew: searches on them may miss some',
    registers: [registry],
    collect: () => {
      due.set(typesDue());
    },
  });
};

/** @param connections undefined where the store is reached without any */
export const createMetrics = (connections: () => ConnectionFigures | undefined, typesDue: () => number): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  watchIndex(registry, typesDue);
  if (connections()) watchConnections(registry, connections);
  return { registry, observe: answerFigures(registry) };
};

export const metricsRoute = (metrics: Metrics): Plugin<undefined> => ({
  name: 'metrics',
  register: (server) => {
    server.route({
      method: 'GET',
      path: '/metrics',
      handler: async (_request, h) => h.response(await metrics.registry.metrics()).type(metrics.registry.contentType),
    });
  },
});
