import { etagOf } from '../fhir/etag.js';
import { failure } from '../fhir/outcome.js';
import type { Key, Put, Stored } from '../store/port.js';
import type { House, Success } from './house.js';

const fhirDate = (epochMs: number): string => new Date(epochMs).toUTCString();

/** 200 with the stored text, its ETag and Last-Modified (R4 http.html#read). */
export const found = (stored: Stored): Success => ({
  status: 200,
  body: stored.body,
  headers: { etag: etagOf(stored.version), 'last-modified': fhirDate(stored.lastUpdated) },
});

/** R4 http.html#create and #update: Location names the version. */
export const written = (house: House, put: Put): Success => {
  const version = put.version + 1;
  const created = put.version === 0;
  return {
    status: created ? 201 : 200,
    body: put.body,
    headers: {
      etag: etagOf(version),
      'last-modified': fhirDate(put.lastUpdated),
      ...(created ? { location: `${house.baseUrl}/${put.type}/${put.id}/_history/${String(version)}` } : {}),
    },
    key: { type: put.type, id: put.id },
  };
};

/** What is not there and what is not the caller's read alike. */
export const notFound = ({ type, id }: Key) => failure('not-found', 'not-found', `There is no ${type}/${id}.`);
export const gone = ({ type, id }: Key) => failure('gone', 'deleted', `${type}/${id} was deleted.`);
