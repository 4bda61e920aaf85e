import type { Plugin } from '@hapi/hapi';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { ConnectionFigures } from '../../store/port.js';

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

/** @param connections undefined where the store is reached without any */
export const createMetrics = (connections: () => ConnectionFigures | undefined): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  if (connections()) watchConnections(registry, connections);
  const seconds = new Histogram({
    name: 'http_request_seconds',
    help: 'time to answer',
    labelNames: ['method'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers: [registry],
  });
  const answers = new Counter({
    name: 'http_answers_total',
    help: 'answers by status',
    labelNames: ['method', 'status'],
    registers: [registry],
  });
  // the children of a method and status are looked up by one short text, not by their labels
  const known = new Map<string, { readonly time: Histogram.Internal<'method'>; readonly count: Counter.Internal }>();
  const childrenOf = (method: string, status: number) => {
    const key = `${method} ${String(status)}`;
    const found = known.get(key) ?? { time: seconds.labels(method), count: answers.labels(method, String(status)) };
    known.set(key, found);
    return found;
  };
  return {
    registry,
    observe: (method, status, ms) => {
      const { time, count } = childrenOf(method, status);
      time.observe(ms / 1000);
      count.inc();
    },
  };
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
