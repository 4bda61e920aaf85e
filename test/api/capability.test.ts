import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);

type Statement = {
  readonly implementation: object;
  readonly rest: readonly {
    readonly resource: readonly {
      readonly type: string;
      readonly interaction: readonly { readonly code: string }[];
      readonly operation?: readonly { readonly name: string }[];
      readonly searchParam?: readonly { readonly name: string; readonly type: string }[];
    }[];
  }[];
};

it('capability-statement.json is what the server says (npm run capability writes it)', async () => {
  const { implementation: _here, ...said } = (await server.as('nobody', 'GET', 'metadata')).json as unknown as Statement;
  const file = readFileSync(path.join(__dirname, '../../capability-statement.json'), 'utf8');
  const { implementation: _there, ...kept } = JSON.parse(file) as Statement;
  expect(kept).toEqual(said);
});

it('the server does what it says, type by type, and refuses what it does not say', async () => {
  const { rest } = (await server.as('nobody', 'GET', 'metadata')).json as unknown as Statement;
  for (const { type, interaction, searchParam } of rest[0]?.resource ?? []) {
    const offers = new Set(interaction.map(({ code }) => code));
    const status = async (method: string, url: string, body?: unknown) => (await server.as('system', method, url, body)).status;
    expect([type, await status('GET', `${type}?_count=1`)]).toEqual([type, offers.has('search-type') ? 200 : 405]);
    expect([type, await status('GET', `${type}/nobody`)]).toEqual([type, 404]);
    expect([type, await status('GET', `${type}/_history?_count=1`)]).toEqual([type, offers.has('history-type') ? 200 : 405]);
    expect([type, await status('DELETE', `${type}/nobody`)]).toEqual([type, offers.has('delete') ? 404 : 405]);
    expect([type, await status('PATCH', `${type}/nobody`, { resourceType: 'Parameters' })]).toEqual([
      type,
      offers.has('patch') ? 404 : 405,
    ]);
    for (const { name, type: kind } of (searchParam ?? []).slice(0, 3))
      if (kind === 'token' || kind === 'string')
        expect([type, name, await status('GET', `${type}?${name}=example&_count=1`)]).toEqual([type, name, 200]);
  }
});

it('offers no change of labels for the types that are never changed', async () => {
  const { rest } = (await server.as('nobody', 'GET', 'metadata')).json as unknown as Statement;
  const changing = (rest[0]?.resource ?? []).filter(({ operation }) => operation?.some(({ name }) => /^meta-/.test(name)));
  const types = changing.map(({ type }) => type);
  expect(types).toContain('Patient');
  expect(types).not.toContain('AuditEvent');
  expect(types).not.toContain('Provenance');
});

it('modes', async () => {
  expect((await server.as('nobody', 'GET', 'metadata?mode=terminology')).json['resourceType']).toBe('TerminologyCapabilities');
  expect((await server.as('nobody', 'GET', 'metadata?mode=normative')).json['resourceType']).toBe('CapabilityStatement');
  expect((await server.as('nobody', 'GET', 'metadata?mode=some')).status).toBe(400);
  expect((await server.as('nobody', 'PUT', 'metadata', {})).headers.get('allow')).toBe('GET, HEAD');
});

describe('the statement as it goes out', () => {
  const get = (query: string, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ readonly status: number | undefined; readonly headers: http.IncomingHttpHeaders; readonly bytes: Buffer }>(
      (resolve, reject) => {
        http
          .get(`${server.base}/metadata${query}`, { headers }, (response) => {
            const chunks: Buffer[] = [];
            response
              .on('data', (chunk: Buffer) => chunks.push(chunk))
              .on('end', () => {
                resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) });
              });
          })
          .on('error', reject);
      },
    );

  it.each(['', '?_summary=true', '?_format=xml', '?_pretty=true', '?mode=terminology', '?_elements=software'])(
    'metadata%s has an ETag, and is not sent to whoever has it',
    async (query) => {
      const first = await get(query);
      const etag = first.headers['etag'] ?? '';
      expect([first.status, etag]).toEqual([200, expect.stringMatching(/^W\/"[0-9a-f]+"$/)]);
      expect(first.headers['cache-control']).toBe('no-cache');
      for (const held of [etag, `"other", ${etag}`, '*', etag.slice(2)]) {
        const again = await get(query, { 'if-none-match': held });
        expect([held, again.status, again.headers['etag'], again.bytes.length]).toEqual([held, 304, etag, 0]);
      }
      expect((await get(query, { 'if-none-match': 'W/"0"' })).bytes.equals(first.bytes)).toBe(true);
    },
  );

  it('each form of it has a tag of its own', async () => {
    const forms = [
      '',
      '?_summary=true',
      '?_summary=text',
      '?_format=xml',
      '?_pretty=true',
      '?_format=xml&_pretty=true',
      '?mode=terminology',
    ];
    const tags = await Promise.all(forms.map(async (query) => (await get(query)).headers['etag']));
    expect(new Set(tags).size).toBe(forms.length);
  });

  it('compressed it is the same', async () => {
    const plain = await get('?_pretty=true');
    for (const [encoding, unpack] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const packed = await get('?_pretty=true', { 'accept-encoding': encoding });
      expect([packed.headers['content-encoding'], packed.headers['etag'], packed.headers['vary']]).toEqual([
        encoding,
        plain.headers['etag'],
        expect.stringContaining('accept-encoding'),
      ]);
      expect(unpack(packed.bytes).equals(plain.bytes)).toBe(true);
    }
  });

  it('HEAD tells the tag alone', async () => {
    const answer = await server.as('nobody', 'HEAD', 'metadata');
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([200, '', (await get('')).headers['etag']]);
  });

  it('its summary leaves out what is no summary of an element within', async () => {
    const { rest } = JSON.parse((await get('?_summary=true')).bytes.toString()) as Statement;
    expect(Object.keys(rest[0] ?? {}).sort()).toEqual(['mode', 'operation', 'resource', 'security']);
    for (const row of rest[0]?.resource ?? [])
      expect(Object.keys(row).filter((name) => !['type', 'profile', 'supportedProfile', 'operation'].includes(name))).toEqual([]);
  });
});
