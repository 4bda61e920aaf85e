import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { categories, outcomeOf } from '../fhir/outcome-text.js';
import { Failure } from '../fhir/outcome.js';
import type { Success } from '../interactions/house.js';
import { fhirJson } from './media.js';

/** R4 http.html#ops: what `Prefer: return` asks for of a write. */
export const writeSuccess = (request: Request, h: ResponseToolkit, { status, body, contentType, headers }: Success): ResponseObject => {
  const prefer = /return\s*=\s*(minimal|OperationOutcome)/.exec(String(request.headers['prefer'] ?? ''))?.[1];
  const wrote = headers['location'] !== undefined || request.method === 'put';
  let text: string | Buffer | undefined = body instanceof Uint8Array ? Buffer.from(body) : body;
  if (wrote && prefer === 'minimal') text = undefined;
  if (wrote && prefer === 'OperationOutcome')
    text = JSON.stringify({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'information', code: 'informational', details: { text: status === 201 ? 'Created.' : 'Updated.' } }],
    });
  const response = h.response(text ?? undefined).code(status);
  if (text !== undefined) response.type(contentType ?? fhirJson);
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
  return response;
};

export const writeFailure = (h: ResponseToolkit, failed: Failure): ResponseObject => {
  const response = h
    .response(JSON.stringify(outcomeOf(failed.category, failed.issues)))
    .code(categories[failed.category].status)
    .type(fhirJson);
  for (const [name, value] of Object.entries(failed.headers)) response.header(name, value);
  return response;
};
