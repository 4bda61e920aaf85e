import { failure } from '../fhir/outcome.js';

export const fhirJson = 'application/fhir+json; charset=utf-8';
const json = new Set(['application/fhir+json', 'application/json', 'application/json+fhir', 'text/json']);

const parts = (text: string) =>
  text.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return {
      type,
      parameters: new Map(
        parameters.map((parameter) => [parameter.split('=')[0] ?? '', (parameter.split('=')[1] ?? '').replaceAll('"', '')]),
      ),
    };
  });

/** R4 http.html#mime-type: throws 406 unless the client takes FHIR JSON of R4. `_format` wins over Accept. */
export const refuseUnacceptable = (accept: string | undefined, format: string | null): void => {
  if (format !== null) {
    if (format === 'json' || json.has(format.split(';')[0]?.trim() ?? '')) return;
    throw failure(
      'not-acceptable',
      'not-supported',
      `_format=${format.slice(0, 40)} is not offered: this server writes application/fhir+json.`,
    );
  }
  if (accept === undefined || accept === '') return;
  const ranges = parts(accept);
  const taken = ranges.some(({ type, parameters }) => {
    const version = parameters.get('fhirversion');
    return (
      parameters.get('q') !== '0' &&
      (json.has(type) || type === '*/*' || type === 'application/*') &&
      (version === undefined || version === '4.0' || version === '4.0.1')
    );
  });
  if (!taken) throw failure('not-acceptable', 'not-supported', 'This server writes application/fhir+json of FHIR 4.0.');
};

/** Throws 415 unless the body is FHIR JSON in UTF-8. */
export const refuseUnknownBody = (contentType: string | undefined): void => {
  const [body] = parts(contentType ?? '');
  const charset = body?.parameters.get('charset') ?? 'utf-8';
  const version = body?.parameters.get('fhirversion') ?? '4.0';
  if (!body || !json.has(body.type) || charset !== 'utf-8' || !version.startsWith('4.0'))
    throw failure('media-type', 'not-supported', 'The body must be application/fhir+json in UTF-8.');
};
