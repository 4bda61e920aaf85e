import { sightOf } from '../access/policy.js';
import { checkRoom, submitted } from '../bulk/submit.js';
import { laterCall, type ImportRequest } from '../bulk/work.js';
import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import { notFound } from '../interactions/answers.js';
import type { Call, House, Success } from '../interactions/house.js';
import type { Operation } from './operation.js';
import { parametersIn } from './inputs.js';

/** Takes on the import of NDJSON that is in the document store already. */
export const startImport = async (house: House, call: Call, blobs: readonly string[]): Promise<Success> => {
  const request: ImportRequest = { call: laterCall(call), url: `${house.baseUrl}/$import`, blobs, at: house.clock() };
  return submitted(house, call, { kind: 'import', request });
};

/** The Binaries of this server that the inputs name: nothing is fetched from elsewhere. */
const binariesOf = async (house: House, call: Call, urls: readonly unknown[]): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (const url of urls) {
    const key = typeof url === 'string' ? readReference(url, house.baseUrl) : undefined;
    if (key?.type !== 'Binary')
      throw failure('invalid', 'value', 'The url of an input is a Binary of this server.', { expression: ['Parameters.parameter'] });
    const stored = await house.store.find(key, sightOf(call.caller, 'Binary'));
    if (stored?.body === undefined) throw notFound(key);
    ids.push(key.id);
  }
  return ids;
};

/** NDJSON as the body itself (see http), or Parameters whose inputs name Binaries. */
export const importOperation: Operation = {
  definition: {
    name: 'Import',
    code: 'import',
    description:
      'Bulk import of NDJSON: the body itself as application/fhir+ndjson, or inputs that name Binaries of this server. Ids are kept; answers 202 with a URL to ask.',
    affectsState: true,
    system: true,
    type: false,
    instance: false,
    parameter: [
      {
        name: 'input',
        use: 'in',
        min: 1,
        max: '*',
        part: [{ name: 'url', use: 'in', min: 1, max: '1', type: 'uri' }],
      },
    ],
  },
  interaction: 'c',
  perform: async (house, call, invocation) => {
    await checkRoom(house, call);
    const inputs = parametersIn(invocation).filter(({ name }) => name === 'input');
    const urls = inputs.map((input) => {
      const parts = (input['part'] ?? []) as readonly {
        readonly name?: string;
        readonly valueUri?: unknown;
        readonly valueUrl?: unknown;
      }[];
      const part = parts.find(({ name }) => name === 'url');
      return part?.valueUri ?? part?.valueUrl;
    });
    if (urls.length === 0)
      throw failure('invalid', 'required', 'Send NDJSON (application/fhir+ndjson), or Parameters with input.url.', {
        expression: ['Parameters.parameter'],
      });
    return startImport(house, call, await binariesOf(house, call, urls));
  },
};
