/**
 * The failures that pass by themselves, or that the server is to blame for, as a client sees them: what no request brings about on demand
 * is thrown below the plugin that writes every answer. `UPDATE_GOLDEN=1` writes them anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { server as hapi } from '@hapi/hapi';
import { pino } from 'pino';
import { refusedByProvider } from '../../src/domain/booking/provider-system.js';
import { Failure, type Category } from '../../src/fhir/outcome.js';
import { categories } from '../../src/fhir/outcome-text.js';
import type { Shapes } from '../../src/fhir/shapes.js';
import { Once } from '../../src/http/once.js';
import { errors } from '../../src/http/plugins/errors.js';
import { Unavailable } from '../../src/store/port.js';
import { memoryStore } from '../helpers/memory-store.js';

const folder = path.join(__dirname, 'outcomes');
const updates = process.env['UPDATE_GOLDEN'] === '1';

/** The second of two equal requests, while the first is carried out. */
const runningAlready = async (): Promise<never> => {
  const once = new Once(memoryStore(Date.now), Date.now, false);
  const pair = { client: 'c', requestId: 'r', correlationId: 'x' };
  const held = once.run(pair, false, () => new Promise<never>(() => undefined));
  held.catch(() => undefined);
  return once.run(pair, false, () => Promise.reject(new Error('it ran twice')));
};

const cases: Readonly<Record<string, () => unknown>> = {
  'same-request-still-running': runningAlready,
  'too-many-requests': () => {
    throw new Failure('throttled', [{ severity: 'error', code: 'throttled', text: 'Too many requests.' }], { 'retry-after': '1' });
  },
  'store-does-not-answer': () => {
    throw new Unavailable('disk of the person with NHS number 9912003888');
  },
  'fault-of-the-server': () => {
    throw new TypeError('undefined is not the person with NHS number 9912003888');
  },
  'provider-error': () => {
    throw refusedByProvider('error');
  },
  'provider-timeout': () => {
    throw refusedByProvider('no-answer');
  },
};

it.each(Object.entries(cases))('%s', async (name, handler) => {
  const server = hapi();
  await server.register(errors(pino({ level: 'silent' }), {} as Shapes, { refused: () => undefined }, false));
  server.route({ method: 'GET', path: '/', handler: async () => (await handler()) as string });
  const { statusCode: status, headers, payload } = await server.inject('/');
  const kept = Object.fromEntries(
    ['content-type', 'retry-after'].flatMap((one) => (headers[one] === undefined ? [] : [[one, headers[one]]])),
  );
  const text = `${JSON.stringify({ status, headers: kept, body: JSON.parse(payload) as unknown }, null, 2)}\n`;
  expect(text).not.toContain('9912003888');
  const file = path.join(folder, `${name}.json`);
  if (updates) writeFileSync(file, text);
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
});

it('every category of failure has an outcome to review', () => {
  const statuses = new Set(
    [...Object.keys(cases), 'unparsable-json', 'profile-rule', 'no-token', 'not-allowed', 'not-there', 'deleted', 'method-not-offered']
      .concat([
        'range-beyond-the-end',
        'accept',
        'media-type',
        'slot-taken',
        'if-match-stale',
        'body-over-the-limit',
        'page-over-the-limit',
      ])
      .map((name) => (JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as { readonly status: number }).status),
  );
  const missing = (Object.keys(categories) as Category[]).filter((category) => !statuses.has(categories[category].status));
  expect(missing).toEqual([]);
});
