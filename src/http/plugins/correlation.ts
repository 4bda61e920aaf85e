import { randomUUID } from 'node:crypto';
import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import { failure } from '../../fhir/outcome.js';
import type { Metrics } from './metrics.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const correlation = /^[\x21-\x7e]{1,128}$/;

const security: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'",
  'cache-control': 'no-store',
};

/** The ids of a request; X-Correlation-ID only when it is printable and of a sane length. */
export const aboutOf = (request: Request): { readonly requestId: string; readonly correlationId?: string } => {
  const sent = request.headers['x-correlation-id'] as string | undefined;
  return {
    requestId: request.app.requestId ?? '',
    ...(sent !== undefined && correlation.test(sent) ? { correlationId: sent } : {}),
  };
};

/** What every answer carries: the ids of its request, the security headers, and what is left of the client's rate. */
export const dress = (request: Request, headers: Record<string, string | string[]>): void => {
  for (const name in security) headers[name] ??= security[name] ?? '';
  const { requestId, correlationId } = aboutOf(request);
  headers['x-request-id'] = requestId;
  if (correlationId !== undefined) headers['x-correlation-id'] = correlationId;
  Object.assign(headers, request.app.rateHeaders);
};

/** Request ids, one log line and one observation a request. Neither holds a URL: it may name a patient. */
export const correlated = (logger: Logger, metrics: Metrics): Plugin<undefined> => ({
  name: 'correlated',
  register: (server) => {
    server.ext('onRequest', (request: Request, h: ResponseToolkit) => {
      const given = request.headers['x-request-id'] as string | undefined;
      request.app.started = performance.now();
      request.app.requestId = given !== undefined && uuid.test(given) ? given : randomUUID();
      if (given !== undefined && !uuid.test(given))
        throw failure('invalid', 'value', 'X-Request-ID must be a UUID.', { expression: ['X-Request-ID'] });
      return h.continue;
    });
    server.events.on('response', (request) => {
      const { started, requestId, clientId } = request.app;
      const ms = started === undefined ? 0 : performance.now() - started;
      const status = 'statusCode' in request.response ? request.response.statusCode : 0;
      metrics.observe(request.method, status, ms);
      if (request.path.startsWith('/health') || request.path === '/metrics') return;
      const [, , , type] = request.path.split('/');
      logger.info(
        {
          method: request.method,
          type: /^[A-Z][A-Za-z]+$/.test(type ?? '') ? type : undefined,
          status,
          ms: Math.round(ms * 100) / 100,
          requestId,
          client: clientId,
        },
        'request',
      );
    });
  },
});

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** performance.now() when the request came */
    started?: number;
    requestId?: string;
    clientId?: string;
    rateHeaders?: Readonly<Record<string, string>>;
  }
}
