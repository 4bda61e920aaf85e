import type { Plugin } from '@hapi/hapi';
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Metrics = { readonly registry: Registry; readonly observe: (method: string, status: number, ms: number) => void };

export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
