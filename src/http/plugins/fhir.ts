import type { Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Caller } from '../../access/caller.js';
import type { FairShare } from '../../access/fair-share.js';
import { checkInteraction } from '../../access/policy.js';
import type { Access } from '../../audit/witness.js';
import { failure, type Failure } from '../../fhir/outcome.js';
import { readPrefer, type Preference } from '../../fhir/prefer.js';
import type { Resource } from '../../fhir/resource.js';
import { defer, isDeferrable } from '../../bulk/defer.js';
import { auditedBundle } from '../../interactions/batch.js';
import { dispatch, type Interactive } from '../../interactions/dispatch.js';
import type { Call, House, Success } from '../../interactions/house.js';
import { queryOf } from '../../interactions/query.js';
import { operations } from '../../operations/operations.js';
import { writeSuccess } from '../answer.js';
import { asksForBytes, readBinary, uploadBinary } from '../binary.js';
import { readBody, readForm } from '../body.js';
import { uploadImport } from '../import.js';
import { header } from '../header.js';
import { inTurn } from '../in-turn.js';
import { negotiate, type files, type Wire } from '../media.js';
import { createMetadata } from '../metadata.js';
import type { Once } from '../once.js';
import { aboutOf } from './correlation.js';

const base = '/FHIR/R4';

/** What follows `?`. `request.url` is parsed whole when it is asked for, which most requests can do without. */
const searchOf = (request: Request): string => {
  const target = request.raw.req.url ?? '';
  const mark = target.indexOf('?');
  const hash = target.indexOf('#');
  if (mark < 0 || (hash >= 0 && hash < mark)) return '';
  return target.slice(mark + 1, hash < 0 ? undefined : hash);
};

// what in a query says how to write; a letter of its name may be encoded
const tellsWire = /_format|_pretty|%/;

/** The operations whose answer is bytes. */
const printing = operations
  .filter(({ definition }) => definition.parameter?.some(({ use, type }) => use === 'out' && type === 'Binary'))
  .map(({ definition }) => `/$${definition.code}`);

/** What else than FHIR a path answers with. */
const fileAt = (path: string): keyof typeof files => {
  if (path.startsWith(`${base}/_job/`) || path.endsWith('/$export')) return 'lines';
  return printing.some((name) => path.endsWith(name)) ? 'pdf' : 'none';
};

/** What the request wants written; kept with it, so that an error is written alike. */
const wireFor = (request: Request): Wire => {
  const search = searchOf(request);
  return (request.app.wire = negotiate(
    header(request, 'accept'),
    tellsWire.test(search) ? new URLSearchParams(search) : undefined,
    fileAt(request.path),
  ));
};

/** The admission plugin has found it before the body was read. */
const callerOf = ({ app }: Request): Caller => {
  if (!app.caller) throw new Error('a FHIR request is admitted before it is handled');
  return app.caller;
};

const callOf = (request: Request, prefer: Preference): Call => ({
  caller: callerOf(request),
  about: aboutOf(request),
  ifMatch: header(request, 'if-match'),
  ifNoneMatch: header(request, 'if-none-match'),
  ifModifiedSince: header(request, 'if-modified-since'),
  ifNoneExist: header(request, 'if-none-exist'),
  lenient: prefer.lenient,
  commissioner: header(request, 'nhsd-ers-comm-rule-org'),
  returns: prefer.return,
});

/** The path below the base, its segments decoded; a slash that was encoded stays so, and names nothing. */
const pathOf = (request: Request): string => {
  const below = request.path.slice(base.length + 1);
  const path = below.endsWith('/') ? below.replace(/\/+$/, '') : below;
  if (!path.includes('%')) return path;
  return path
    .split('/')
    .map((segment) => {
      const decoded = decodeURIComponent(segment);
      return /[/?#]/.test(decoded) ? segment : decoded;
    })
    .join('/');
};

const notOffered = (method: string, path: string, allowed: readonly string[]): Failure =>
  failure('method', 'not-supported', `${method.toUpperCase()} is not offered at ${path}.`).withAllow(allowed);

type Options = {
  readonly maxBody: number;
  readonly maxBinary: number;
};

/** All of `/FHIR/R4`: one route, dispatched by the registry, so that a request and a batch entry run the same code. */
export const fhir = (house: House, once: Once, share: FairShare, options: Options): Plugin<undefined> => {
  /** A write whose request ids both came is carried out once, however often it is sent. */
  const carriedOut = (request: Request, call: Call, isBatch: boolean, run: (call: Call) => Promise<Success>): Promise<Success> => {
    const isRead = request.method === 'get' || request.method === 'head' || request.path.endsWith('/_search');
    if (isRead) return run(call);
    const requestId = header(request, 'x-request-id');
    const correlationId = call.about?.correlationId;
    if (requestId === undefined || correlationId === undefined) return run(call);
    const pair = { client: call.caller.clientId, requestId, correlationId };
    return once.run(pair, isBatch, (claim) => run({ ...call, about: { requestId, correlationId, once: claim } }));
  };

  const performed = (request: Request, call: Call, isBatch: boolean, run: (call: Call) => Promise<Success>): Promise<Success> =>
    carriedOut(request, call, isBatch, (own) => {
      // from here on the interaction's own AuditEvent tells of it
      request.app.audited = true;
      return run(own);
    });

  const atBase = async (request: Request, call: Call, asked: Interactive) => {
    // R4 search.html#all: GET of the base with parameters searches several types
    if (request.method === 'get' && asked.url !== '') return performed(request, call, false, (own) => dispatch(house, own, asked));
    if (request.method !== 'post') throw notOffered(request.method, 'the base', ['POST']);
    if (asked.body === undefined) throw failure('invalid', 'required', 'The body is missing.');
    const bundle = asked.body as Resource;
    return performed(request, call, bundle['type'] === 'batch', (own) => auditedBundle(house, own, bundle));
  };

  const handle = inTurn(share, async (request, h) => {
    const wire = wireFor(request);
    const prefer = readPrefer(header(request, 'prefer'));
    const call = callOf(request, prefer);
    const path = pathOf(request);
    const formed = request.method === 'post' && /(^|\/)_search$/.test(path);
    const search = searchOf(request);
    const query = formed ? [search, readForm(request)].filter(Boolean).join('&') : search;
    const asked: Interactive = {
      method: request.method.toUpperCase(),
      url: query === '' ? path : `${path}?${query}`,
      body: formed ? undefined : readBody(request, house.shapes),
    };
    const now = () => (path === '' ? atBase(request, call, asked) : performed(request, call, false, (own) => dispatch(house, own, asked)));
    const later = () => carriedOut(request, call, false, (own) => defer(house, own, asked));
    const success = await (prefer.respondAsync && isDeferrable(asked) ? later() : now());
    return writeSuccess(h, success, call, wire, house.shapes);
  });

  /** An access that answers by itself, not through a Success. */
  const audited = async (
    request: Request,
    call: Call,
    access: Access,
    run: (house: House) => Promise<ResponseObject>,
  ): Promise<ResponseObject> => {
    request.app.audited = true;
    const answer: { response?: ResponseObject } = {};
    await house.witness.around(house, call, access, async (own) => {
      answer.response = await run(own);
      return { status: 200, headers: {} };
    });
    return answer.response as ResponseObject;
  };

  const document = inTurn(share, (request, h) => {
    const call = callOf(request, readPrefer(header(request, 'prefer')));
    const doing = request.params['version'] === undefined ? 'read' : 'vread';
    return audited(request, call, { doing, action: 'R', type: 'Binary', id: String(request.params['id']) }, (own) => {
      checkInteraction(call.caller, 'Binary', 'r');
      return readBinary(own, call, request, h);
    });
  });

  const statement = createMetadata(house);
  const metadata = (request: Request, h: ResponseToolkit) => {
    const wire = wireFor(request);
    if (request.method !== 'get' && request.method !== 'head') throw notOffered(request.method, 'metadata', ['GET', 'HEAD']);
    return statement(request, h, queryOf(searchOf(request)), wire);
  };

  return {
    name: 'fhir',
    register: (server) => {
      const payload = { parse: false, output: 'data', maxBytes: options.maxBody } as const;
      const writes = ['POST', 'PUT', 'DELETE', 'PATCH'] as const;
      server.route([
        { method: 'GET', path: `${base}/metadata`, handler: metadata },
        { method: [...writes], path: `${base}/metadata`, options: { payload }, handler: metadata },
        { method: 'GET', path: `${base}/{path*}`, handler: handle },
        { method: [...writes], path: `${base}/{path*}`, options: { payload }, handler: handle },
        // R4 gives no other verb a meaning
        {
          method: '*',
          path: `${base}/{path*}`,
          handler: (request) => {
            throw notOffered(request.method, pathOf(request) || 'the base', ['GET', 'HEAD', ...writes]);
          },
        },
        {
          method: 'GET',
          path: `${base}/Binary/{id}`,
          // `_history`, `_search` and operations of the type are no ids
          handler: (request, h) => (/^[_$]/.test(String(request.params['id'])) ? handle(request, h) : document(request, h)),
        },
        {
          method: 'GET',
          path: `${base}/Binary/{id}/_history/{version}`,
          handler: (request, h) => (asksForBytes(request) ? document(request, h) : handle(request, h)),
        },
        {
          method: 'POST',
          path: `${base}/$import`,
          options: {
            payload: { parse: false, output: 'stream', maxBytes: Number.MAX_SAFE_INTEGER, timeout: 600_000 },
            timeout: { socket: 600_000 },
          },
          handler: async (request, h) => {
            const wire = wireFor(request);
            const call = callOf(request, readPrefer(header(request, 'prefer')));
            const success = await carriedOut(request, call, false, (own) => uploadImport(house, own, request, options));
            return writeSuccess(h, success, call, wire, house.shapes);
          },
        },
        {
          method: 'POST',
          path: `${base}/Binary`,
          options: {
            payload: { parse: false, output: 'stream', maxBytes: Number.MAX_SAFE_INTEGER, timeout: 120_000 },
            timeout: { socket: 20_000 },
          },
          handler: async (request, h) => {
            const wire = wireFor(request);
            const call = callOf(request, readPrefer(header(request, 'prefer')));
            const success = await performed(request, call, false, (asked) =>
              house.witness.around(house, asked, { doing: 'create', action: 'C', type: 'Binary' }, (own) => {
                checkInteraction(call.caller, 'Binary', 'c');
                return uploadBinary(own, asked, request, options);
              }),
            );
            return writeSuccess(h, success, call, wire, house.shapes);
          },
        },
      ]);
    },
  };
};

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** how the answer is written, errors too */
    wire?: Wire;
  }
}
