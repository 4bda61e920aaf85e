import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suiteServer } from '../helpers/running-server.js';

const server = suiteServer();
jest.setTimeout(60_000);

type Statement = {
  readonly implementation: object;
  readonly rest: readonly {
    readonly resource: readonly {
      readonly type: string;
      readonly interaction: readonly { readonly code: string }[];
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

it('modes', async () => {
  expect((await server.as('nobody', 'GET', 'metadata?mode=terminology')).json['resourceType']).toBe('TerminologyCapabilities');
  expect((await server.as('nobody', 'GET', 'metadata?mode=normative')).json['resourceType']).toBe('CapabilityStatement');
  expect((await server.as('nobody', 'GET', 'metadata?mode=some')).status).toBe(400);
  expect((await server.as('nobody', 'PUT', 'metadata', {})).headers.get('allow')).toBe('GET, HEAD');
});
