import type { Answer, Running } from './running-server.js';

let counter = 0;

/** Shorthands for tests of the REST API. */
export const own = (): { readonly system: string; readonly value: string } => ({
  system: 'https://example.org/id',
  value: `v${String(Date.now())}-${String(process.pid)}-${String(counter++)}`,
});
export const token = ({ system, value }: { readonly system: string; readonly value: string }): string => `identifier=${system}|${value}`;
export const patchBody = (...operations: readonly object[]): string => JSON.stringify(operations);
export const jsonPatch = { 'content-type': 'application/json-patch+json' } as const;

type Issue = { readonly code: string; readonly expression?: readonly string[]; readonly details: { readonly text: string } };
/** The first issue of an OperationOutcome. */
export const issue = (answer: Answer): Issue | undefined => (answer.json['issue'] as readonly Issue[] | undefined)?.[0];

export type Made = { readonly url: string; readonly id: string; readonly json: Answer['json'] };
/** Creates as the system client; fails the test when that fails. */
export const maker =
  (server: () => Running) =>
  async (resource: object): Promise<Made> => {
    const answer = await server().as('system', 'POST', (resource as { readonly resourceType: string }).resourceType, resource);
    expect([answer.status, answer.status === 201 ? '' : answer.text]).toEqual([201, '']);
    const id = String(answer.json['id']);
    return { url: `${String(answer.json['resourceType'])}/${id}`, id, json: answer.json };
  };
