import { Readable } from 'node:stream';
import type { Request } from '@hapi/hapi';
import { checkOperation } from '../access/policy.js';
import { checkRoom } from '../bulk/submit.js';
import { TooLarge } from '../blobs/port.js';
import { failure } from '../fhir/outcome.js';
import { dispatch } from '../interactions/dispatch.js';
import type { Call, House, Success } from '../interactions/house.js';
import { importOperation, startImport } from '../operations/import.js';
import { collect } from './binary.js';
import { readBytes } from './body.js';
import { header } from './header.js';

const ndjson = /^application\/(fhir\+ndjson|ndjson|x-ndjson)\b/i;
/** bytes of one import; larger ones come in parts */
const largest = 4 * 1024 ** 3;

/** `POST $import`: NDJSON goes to the document store as it arrives, whatever its length; everything else is read as Parameters. */
export const uploadImport = async (house: House, call: Call, request: Request, limits: { readonly maxBody: number }): Promise<Success> => {
  const type = header(request, 'content-type');
  // an upload over the limit must still be answered: hapi waits for the end of the stream
  const stream = Readable.from((request.payload as Readable).iterator({ destroyOnReturn: false }));
  if (!ndjson.test(type ?? '')) {
    const body = readBytes(await collect(stream, limits.maxBody), request, house.shapes);
    request.app.audited = true;
    return dispatch(house, call, { method: 'POST', url: '$import', body });
  }
  const { code } = importOperation.definition;
  checkOperation(call.caller, { code, interaction: importOperation.interaction, type: '*' }, call.ifMatch);
  await checkRoom(house, call);
  const name = `import-${house.newId()}`;
  try {
    await house.blobs.write(name, stream, largest);
  } catch (error) {
    if (error instanceof TooLarge) throw failure('too-large', 'too-long', `At most ${String(largest)} bytes are taken at once.`);
    throw error;
  }
  request.app.audited = true;
  return house.witness.around(house, call, { doing: 'operation import', action: 'E' }, (own) => startImport(own, call, [name]));
};
