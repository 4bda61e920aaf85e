import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { parseJson, stringifyJson } from '../fhir/json.js';
import { categories, outcomeOf } from '../fhir/outcome-text.js';
import { Failure } from '../fhir/outcome.js';
import type { Resource } from '../fhir/resource.js';
import type { Shapes } from '../fhir/shapes.js';
import { writeXml } from '../fhir/xml/write.js';
import { preferred } from '../interactions/answers.js';
import type { Call, Success } from '../interactions/house.js';
import { fhirJson, fhirXml, type Wire } from './media.js';

/** The wire text of a resource in the form asked for. As JSON it is sent as it is stored; it is parsed only to be written otherwise. */
export const rendered = (text: string, wire: Wire, shapes: Shapes): string => {
  if (wire.format === 'json' && !wire.pretty) return text;
  const resource = parseJson(text) as Resource;
  return wire.format === 'xml' ? writeXml(resource, shapes, wire.pretty ? 2 : undefined) : stringifyJson(resource, 2);
};

/** The answer of an interaction, as `Prefer: return` and the negotiated format ask for it. */
export const writeSuccess = (
  h: ResponseToolkit,
  success: Success,
  call: Pick<Call, 'returns'>,
  wire: Wire,
  shapes: Shapes,
): ResponseObject => {
  const { status, body, contentType, headers, around } = preferred(success, call.returns);
  const isResource = typeof body === 'string' && contentType === undefined;
  const payload = isResource ? rendered(body, wire, shapes) : body instanceof Uint8Array ? Buffer.from(body) : body;
  const response = h.response(payload).code(status);
  if (payload !== undefined) response.type(contentType ?? (wire.format === 'xml' ? fhirXml : fhirJson));
  if (around !== undefined && payload === body) response.app.around = around;
  // their names are in lower case: hapi's own way of setting one looks at each for what none of them is
  Object.assign(response.headers, headers);
  return response;
};

/** What a request that failed may be answered in: JSON when its own wishes cannot be read. */
export const wireOf = (request: Request): Wire => (request.app as { readonly wire?: Wire }).wire ?? { format: 'json', pretty: false };

export const writeFailure = (h: ResponseToolkit, failed: Failure, wire: Wire, shapes: Shapes): ResponseObject => {
  const text = JSON.stringify(outcomeOf(failed.category, failed.issues));
  const response = h
    .response(rendered(text, wire, shapes))
    .code(categories[failed.category].status)
    .type(wire.format === 'xml' ? fhirXml : fhirJson);
  for (const [name, value] of Object.entries(failed.headers)) response.header(name, value);
  return response;
};
