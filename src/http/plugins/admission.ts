import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import type { Caller, Kind } from '../../access/caller.js';
import type { Allowance, RateLimit } from '../../access/rate-limit.js';
import { Failure } from '../../fhir/outcome.js';
import type { Witness } from '../../audit/witness.js';
import type { Callers } from '../callers.js';
import { aboutOf, begin } from './correlation.js';

export type AdmissionParts = {
  readonly callers: Callers;
  readonly witness: Pick<Witness, 'refused'>;
  readonly limit: RateLimit;
  /** requests a second of a client without a rate of its own; undefined: none */
  readonly rate: (kind: Kind) => number | undefined;
};

// RFC 6585 section 4 and the RateLimit header fields of the HTTP API working group
const rateHeaders = ({ limit, remaining, resetSeconds }: Allowance): Readonly<Record<string, string>> => ({
  'ratelimit-limit': String(limit),
  'ratelimit-remaining': String(remaining),
  'ratelimit-reset': String(resetSeconds),
});

const throttled = (allowance: Allowance): Failure =>
  new Failure(
    'throttled',
    [
      {
        severity: 'error',
        code: 'throttled',
        text: `The client has made more than ${String(allowance.limit)} requests a second.`,
        coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'TOO_MANY_REQUESTS' },
      },
    ],
    { 'retry-after': String(allowance.resetSeconds), ...rateHeaders(allowance) },
  );

const isFhir = (path: string): boolean => path.startsWith('/FHIR/R4') && (path.length === 8 || path[8] === '/');
const open = /^\/FHIR\/R4\/(metadata|\.well-known\/smart-configuration)\/?$/;

/**
 * Who asks, and whether he has asked too often, settled before a byte of the body is read: a request without a token costs the server
 * its headers.
 */
export const admission = ({ callers, witness, limit, rate }: AdmissionParts): Plugin<undefined> => {
  const limited = async (request: Request, clientId: string, allowedRate: number): Promise<void> => {
    const allowance = await limit.take(clientId, allowedRate);
    if (!allowance.allowed) throw throttled(allowance);
    request.app.rateHeaders = rateHeaders(allowance);
  };
  /** A promise only where there is something to wait for. */
  const counted = (request: Request): undefined | Promise<void> => {
    const { clientId, clientKind, clientRate } = request.app;
    if (clientId === undefined || clientKind === undefined) return undefined;
    const allowedRate = clientRate ?? rate(clientKind);
    return allowedRate === undefined ? undefined : limited(request, clientId, allowedRate);
  };
  const admit = (request: Request, caller: Caller): undefined | Promise<void> => {
    request.app.caller = caller;
    return counted(request);
  };
  /** Who proved who it is and is refused for a header or a role has made a request of its client all the same. */
  const found = async (request: Request, finding: Promise<Caller>): Promise<void> => {
    try {
      await admit(request, await finding);
    } catch (error) {
      if (request.app.caller === undefined) await counted(request);
      throw error;
    }
  };
  const refuse = (request: Request, error: unknown): never => {
    const { caller, clientId } = request.app;
    const who = { ...(caller === undefined ? {} : { caller }), ...(clientId === undefined ? {} : { clientId }) };
    witness.refused({ about: aboutOf(request), ...who }, error);
    request.app.audited = true;
    throw error;
  };
  const settled = async (request: Request, h: ResponseToolkit, waiting: Promise<void>): Promise<ResponseToolkit['continue']> => {
    try {
      await waiting;
    } catch (error) {
      return refuse(request, error);
    }
    return h.continue;
  };
  return {
    name: 'admission',
    register: (server) => {
      // all that comes before a handler in one step, as each costs every request
      server.ext('onPreAuth', (request: Request, h: ResponseToolkit) => {
        begin(request);
        if (!isFhir(request.path) || request.method === 'options' || open.test(request.path)) return h.continue;
        const caller = callers.of(request);
        const waiting = caller instanceof Promise ? found(request, caller) : admit(request, caller);
        return waiting === undefined ? h.continue : settled(request, h, waiting);
      });
    },
  };
};

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    caller?: Caller;
    /** true when the audit tells of the request, or will */
    audited?: true;
  }
}
