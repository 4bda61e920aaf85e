import { failure, type Failure } from '../fhir/outcome.js';

export const fhirJson = 'application/fhir+json; charset=utf-8';
export const fhirXml = 'application/fhir+xml; charset=utf-8';

/** How a resource goes over the wire. */
export type Wire = { readonly format: 'json' | 'xml'; readonly pretty: boolean };

const formats: Readonly<Record<string, Wire['format']>> = {
  'application/fhir+json': 'json',
  'application/json': 'json',
  'application/json+fhir': 'json',
  'text/json': 'json',
  json: 'json',
  'application/fhir+xml': 'xml',
  'application/xml': 'xml',
  'application/xml+fhir': 'xml',
  'text/xml': 'xml',
  xml: 'xml',
  '*/*': 'json',
  'application/*': 'json',
  'text/*': 'json',
};
const formatOf = (type: string): Wire['format'] | undefined => (Object.hasOwn(formats, type) ? formats[type] : undefined);

type Range = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

const rangesOf = (text: string): readonly Range[] =>
  text.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return {
      type,
      parameters: new Map(
        parameters.map((parameter) => [parameter.split('=')[0] ?? '', (parameter.split('=')[1] ?? '').replaceAll('"', '')]),
      ),
    };
  });

const isR4 = (version: string | undefined): boolean => version === undefined || version === '4.0' || version === '4.0.1';
// BaRS names its own version in `version`; every 1.x of it is R4 as served here
const isBars = (version: string | undefined): boolean => version === undefined || /^1(\.|$)/.test(version);

const notAcceptable = (text: string): Failure =>
  failure('not-acceptable', 'not-supported', `${text}: this server writes application/fhir+json and application/fhir+xml of FHIR 4.0.`);

/** The best of the client's ranges: by q, then by their order (RFC 9110 section 12.5.1). */
const best = (accept: string): Wire['format'] => {
  let chosen: Wire['format'] | undefined;
  let most = 0;
  for (const { type, parameters } of rangesOf(accept)) {
    const format = formatOf(type);
    const q = parameters.has('q') ? Number(parameters.get('q')) : 1;
    if (format === undefined || !(q > most) || !isR4(parameters.get('fhirversion')) || !isBars(parameters.get('version'))) continue;
    chosen = format;
    most = q;
  }
  if (chosen === undefined) throw notAcceptable('None of what Accept names is offered');
  return chosen;
};

// clients send the same few headers again and again
const remembered = new Map<string, Wire['format']>();

const accepted = (accept: string): Wire['format'] => {
  const known = remembered.get(accept);
  if (known !== undefined) return known;
  const format = best(accept);
  if (remembered.size > 500) remembered.clear();
  remembered.set(accept, format);
  return format;
};

/** What else than FHIR a path may answer with, by the media types that ask for it: the file comes whatever is asked for, its errors are JSON. */
export const files = {
  none: [],
  lines: ['application/fhir+ndjson', 'application/ndjson', 'application/x-ndjson', 'ndjson'],
  pdf: ['application/pdf'],
} as const;

const jsonPlain: Wire = { format: 'json', pretty: false };

/**
 * R4 http.html#mime-type: what to write, by Accept, or by `_format`, which wins over it. Throws 406. `file`: what is accepted too, as Bulk
 * Data Access has its clients ask for NDJSON, and e-RS for a PDF.
 */
export const negotiate = (accept: string | undefined, query: URLSearchParams | undefined, file: keyof typeof files = 'none'): Wire => {
  if (accept !== undefined && files[file].some((type) => accept.toLowerCase().includes(type))) return jsonPlain;
  const asked = query?.get('_format') ?? null;
  // a + that was not encoded arrives as a space
  const format =
    asked === null
      ? accept === undefined || accept === ''
        ? 'json'
        : accepted(accept)
      : formatOf(asked.split(';')[0]?.trim().replace(' ', '+').toLowerCase() ?? '');
  if (format === undefined) throw notAcceptable(`_format=${(asked ?? '').slice(0, 40)} is not offered`);
  const pretty = query?.get('_pretty') ?? null;
  if (pretty !== null && !['true', 'false', ''].includes(pretty))
    throw failure('invalid', 'value', '_pretty is true or false.', { expression: ['_pretty'] });
  if (format === 'json' && pretty !== 'true' && pretty !== '') return jsonPlain;
  return { format, pretty: pretty === 'true' || pretty === '' };
};

const patches: Readonly<Record<string, Wire['format']>> = { 'application/json-patch+json': 'json' };

/** The format of a body by its Content-Type; throws 415 for every other, and for another character set than UTF-8. */
export const formatOfBody = (contentType: string | undefined, method: string): Wire['format'] => {
  const [body] = rangesOf(contentType ?? '');
  const type = body?.type ?? '';
  const format = type.includes('*')
    ? undefined
    : (formatOf(type) ?? (method === 'patch' && Object.hasOwn(patches, type) ? patches[type] : undefined));
  const charset = body?.parameters.get('charset') ?? 'utf-8';
  if (format === undefined || !['utf-8', 'utf8'].includes(charset) || !isR4(body?.parameters.get('fhirversion')) || !type.includes('/'))
    throw failure(
      'media-type',
      'not-supported',
      method === 'patch'
        ? 'PATCH takes application/json-patch+json, or Parameters as application/fhir+json or application/fhir+xml, in UTF-8.'
        : 'The body must be application/fhir+json or application/fhir+xml, in UTF-8.',
    );
  return format;
};
