import { etagOf } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import type { Preference } from '../fhir/prefer.js';
import type { Key, Put, Stored } from '../store/port.js';
import type { House, Success } from './house.js';

// HTTP dates have whole seconds: the text of the last one asked for is kept, as reads of one moment's data ask for it again
let lastSecond = Number.NaN;
let lastText = '';
const fhirDate = (epochMs: number): string => {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toUTCString();
    lastSecond = second;
  }
  return lastText;
};

/** 200 with the stored text, its ETag and Last-Modified (R4 http.html#read). */
export const found = (stored: Stored): Success & { readonly body: string | undefined } => ({
  status: 200,
  body: stored.body,
  headers: { etag: etagOf(stored.version), 'last-modified': fhirDate(stored.lastUpdated) },
  key: stored,
  seen: [stored],
});

export const versionUrl = (house: House, { type, id }: Key, version: number): string =>
  `${house.baseUrl}/${type}/${id}/_history/${String(version)}`;

const writtenAs = (house: House, key: Key, version: number, about: { readonly status: 200 | 201; readonly lastUpdated: number }) => ({
  status: about.status,
  headers: {
    etag: etagOf(version),
    'last-modified': fhirDate(about.lastUpdated),
    location: versionUrl(house, key, version),
    'content-location': versionUrl(house, key, version),
  },
  key: { type: key.type, id: key.id },
  wrote: true,
});

/**
 * The answer of a write that is committed (R4 http.html#create, #update, #delete): Location names the version; of a delete there is
 * nothing to show but the ETag of the deletion.
 */
export const written = (house: House, put: Put, created = put.version === 0): Success => {
  const version = put.version + 1;
  if (put.body === undefined) return { status: 204, headers: { etag: etagOf(version) }, key: { type: put.type, id: put.id }, wrote: true };
  return { ...writtenAs(house, put, version, { status: created ? 201 : 200, lastUpdated: put.lastUpdated }), body: put.body };
};

/** The answer of a write that had nothing to change: the resource as it is, at the version that it has. */
export const unchanged = (house: House, stored: Stored): Success => ({
  ...writtenAs(house, stored, stored.version, { status: 200, lastUpdated: stored.lastUpdated }),
  body: stored.body,
  seen: [stored],
});

/** What is not there and what is not the caller's read alike. */
export const notFound = ({ type, id }: Key) => failure('not-found', 'not-found', `There is no ${type}/${id}.`);
export const gone = ({ type, id }: Key) => failure('gone', 'deleted', `${type}/${id} was deleted.`);

const informed = (text: string): string =>
  JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text } }] });

const outcomes: Readonly<Partial<Record<number, string>>> = {
  200: informed('Stored.'),
  201: informed('Created.'),
  204: informed('Deleted.'),
};

/** R4 http.html#ops: the answer of a write as `Prefer: return` asks for it. What only reads is always shown. */
export const preferred = (success: Success, returns: Preference['return']): Success => {
  if (success.wrote !== true || returns === undefined || returns === 'representation') return success;
  const { body: _body, headers, ...rest } = success;
  const { 'content-location': _shown, ...bare } = headers;
  if (returns === 'minimal') return { ...rest, headers: bare };
  return { ...rest, status: success.status === 204 ? 200 : success.status, body: outcomes[success.status], headers: bare };
};
