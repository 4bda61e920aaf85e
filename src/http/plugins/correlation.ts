import { randomUUID } from 'node:crypto';
import type { Plugin, Request } from '@hapi/hapi';
import { failure } from '../../fhir/outcome.js';
import type { Log } from '../../log.js';
import type { Metrics } from './metrics.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const correlation = /^[\x20-\x7e]{1,256}$/;

const security: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'",
  'cache-control': 'no-store',
};
/** RFC 6797: browsers come back over TLS only */
const strictTransport = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } as const;

/** What a page of another origin may read of an answer. */
const exposed =
  'ETag,Location,Content-Location,Content-Disposition,Last-Modified,X-Request-ID,X-Correlation-ID,X-Progress,Retry-After,' +
  'RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,WWW-Authenticate';

type About = { readonly requestId: string; readonly correlationId?: string };

const idsOf = ({ headers }: Request): About => {
  const given = headers['x-request-id'] as string | undefined;
  const sent = headers['x-correlation-id'] as string | undefined;
  return {
    requestId: given !== undefined && uuid.test(given) ? given : randomUUID(),
    ...(sent !== undefined && correlation.test(sent) ? { correlationId: sent } : {}),
  };
};

/** The ids of a request: its own, or a new one; X-Correlation-ID as it was sent, when it is printable and of a sane length. */
export const aboutOf = (request: Request): About => (request.app.about ??= idsOf(request));

/** What each request that has a route begins with: its id, and its time. Throws for an id that is none. */
export const begin = (request: Request): void => {
  request.app.started = performance.now();
  const given = request.headers['x-request-id'] as string | undefined;
  if (given !== undefined && aboutOf(request).requestId !== given)
    throw failure('invalid', 'value', 'X-Request-ID must be a UUID.', { expression: ['X-Request-ID'] });
  // it is echoed, and tells a repeated write: neither can be done with what is left out
  if (request.headers['x-correlation-id'] !== undefined && aboutOf(request).correlationId === undefined)
    throw failure('invalid', 'value', 'X-Correlation-ID is at most 256 printable characters of ASCII.', {
      expression: ['X-Correlation-ID'],
    });
};

/** Whether the configuration names the page's origin; hapi looks only where it names any. */
const isOfTold = ({ info }: Request): boolean => (info.cors as { readonly isOriginMatch?: boolean } | undefined)?.isOriginMatch === true;

/** What every answer carries: the ids of its request, the security headers, and what is left of the client's rate. */
export const dress = (request: Request, headers: Record<string, string | string[]>, overTls: boolean): void => {
  for (const name in security) headers[name] ??= security[name] ?? '';
  if (overTls) Object.assign(headers, strictTransport);
  const { requestId, correlationId } = aboutOf(request);
  headers['x-request-id'] = requestId;
  if (correlationId !== undefined) headers['x-correlation-id'] = correlationId;
  if (request.app.rateHeaders !== undefined) Object.assign(headers, request.app.rateHeaders);
  if (request.headers['origin'] !== undefined && isOfTold(request)) headers['access-control-expose-headers'] = exposed;
};

/** The resource type that a path names, as the third of its parts. */
const typeIn = (path: string): string | undefined => /^\/[^/]*\/[^/]*\/([A-Z][A-Za-z]+)(?:\/|$)/.exec(path)?.[1];

/** Request ids, one log line and one observation a request. Neither holds a URL: it may name a patient. */
export const correlated = (log: Pick<Log, 'answered'>, metrics: Metrics): Plugin<undefined> => ({
  name: 'correlated',
  register: (server) => {
    server.events.on('response', (request) => {
      const { started, clientId, sent } = request.app;
      // what has no route never began
      const ms = started === undefined ? Date.now() - request.info.received : performance.now() - started;
      const { response } = request;
      const status = sent ?? (typeof response === 'object' && 'statusCode' in response ? response.statusCode : 0);
      metrics.observe(request.method, status, ms);
      if (request.path.startsWith('/health') || request.path === '/metrics') return;
      log.answered({
        method: request.method,
        type: typeIn(request.path),
        status,
        ms,
        requestId: aboutOf(request).requestId,
        client: clientId,
      });
    });
  },
});

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** performance.now() when the request came */
    started?: number;
    about?: About;
    clientId?: string;
    rateHeaders?: Readonly<Record<string, string>>;
  }
}
