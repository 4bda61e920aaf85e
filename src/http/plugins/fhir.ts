import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import { parseJson } from '../../fhir/json.js';
import { failure } from '../../fhir/outcome.js';
import type { Resource } from '../../fhir/resource.js';
import { checkInteraction } from '../../access/policy.js';
import { dispatch } from '../../interactions/dispatch.js';
import type { Call, House } from '../../interactions/house.js';
import { processBundle } from '../../interactions/transaction.js';
import { writeSuccess } from '../answer.js';
import type { Callers } from '../callers.js';
import { fhirJson, refuseUnacceptable, refuseUnknownBody } from '../media.js';
import { readBinary, uploadBinary } from '../binary.js';

const base = '/FHIR/R4';

const bodyOf = (request: Request): Resource | undefined => {
  const bytes = request.payload as Buffer | undefined;
  if (!bytes || bytes.length === 0) return undefined;
  refuseUnknownBody(request.headers['content-type'] as string | undefined);
  const parsed = parseJson(bytes.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || typeof (parsed as { resourceType?: unknown }).resourceType !== 'string')
    throw failure('invalid', 'structure', 'The body must be one FHIR resource: a JSON object with resourceType.');
  return parsed as Resource;
};

const callOf = async (request: Request, callers: Callers): Promise<Call> => {
  const header = (name: string) => request.headers[name] as string | undefined;
  return {
    caller: await callers.of(request),
    ifMatch: header('if-match'),
    ifNoneMatch: header('if-none-match'),
    ifNoneExist: header('if-none-exist'),
    lenient: /handling\s*=\s*lenient/.test(header('prefer') ?? ''),
  };
};

const searchForm = (request: Request): string => {
  if (!/^application\/x-www-form-urlencoded\b/i.test(String(request.headers['content-type'] ?? '')))
    throw failure('media-type', 'not-supported', '_search takes application/x-www-form-urlencoded.');
  return (request.payload as Buffer).toString('utf8');
};

/** All of `/FHIR/R4`: one route, dispatched by the registry, so that a request and a batch entry run the same code. */
export const fhir = (
  house: House,
  callers: Callers,
  options: { readonly maxBody: number; readonly maxBinary: number; readonly capability: () => string },
): Plugin<undefined> => {
  const handle = async (request: Request, h: ResponseToolkit) => {
    refuseUnacceptable(
      request.headers['accept'] as string | undefined,
      request.query['_format'] === undefined ? null : String(request.query['_format']),
    );
    const call = await callOf(request, callers);
    const path = request.path.slice(base.length + 1).replace(/\/+$/, '');
    if (path === '') {
      if (request.method !== 'post') throw failure('method', 'not-supported', 'The base takes POST of a Bundle.').withAllow(['POST']);
      const bundle = bodyOf(request);
      if (!bundle) throw failure('invalid', 'required', 'The body is missing.');
      return writeSuccess(request, h, await processBundle(house, call, bundle));
    }
    const formed = path.endsWith('/_search') && request.method === 'post';
    const query = [request.url.search.slice(1), ...(formed ? [searchForm(request)] : [])].filter(Boolean).join('&');
    const resource = formed ? undefined : bodyOf(request);
    if ((request.method === 'put' || (request.method === 'post' && !/\/(_search|\$[^/]+)$/.test(path))) && !resource)
      throw failure('invalid', 'required', 'The body is missing.');
    return writeSuccess(
      request,
      h,
      await dispatch(house, call, { method: request.method.toUpperCase(), url: query === '' ? path : `${path}?${query}`, resource }),
    );
  };
  return {
    name: 'fhir',
    register: (server) => {
      const payload = { parse: false, output: 'data', maxBytes: options.maxBody } as const;
      server.route([
        {
          method: 'GET',
          path: `${base}/metadata`,
          handler: (request, h) => {
            refuseUnacceptable(
              request.headers['accept'] as string | undefined,
              request.query['_format'] === undefined ? null : String(request.query['_format']),
            );
            return h.response(options.capability()).type(fhirJson);
          },
        },
        { method: 'GET', path: `${base}/{path*}`, handler: handle },
        { method: ['POST', 'PUT', 'DELETE', 'PATCH'], path: `${base}/{path*}`, options: { payload }, handler: handle },
        {
          method: 'GET',
          path: `${base}/Binary/{id}`,
          handler: async (request, h) => {
            const call = await callOf(request, callers);
            checkInteraction(call.caller, 'Binary', 'r');
            return readBinary(house, call, request, h);
          },
        },
        {
          method: 'POST',
          path: `${base}/Binary`,
          options: {
            payload: { parse: false, output: 'stream', maxBytes: Number.MAX_SAFE_INTEGER, timeout: 600_000 },
            timeout: { socket: 600_000 },
          },
          handler: async (request, h) => {
            const call = await callOf(request, callers);
            checkInteraction(call.caller, 'Binary', 'c');
            return writeSuccess(request, h, await uploadBinary(house, call, request, options));
          },
        },
      ]);
    },
  };
};
