import { resourcesOf, type Answer, type Running } from './running-server.js';

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

export const idsOf = (answer: Answer, type?: string): readonly string[] => resourcesOf(answer.json, type).map(({ id }) => String(id));
/** The URL of a link of a Bundle. */
export const link = ({ json }: Answer, relation: string): string | undefined =>
  (json['link'] as readonly { relation: string; url: string }[]).find((each) => each.relation === relation)?.url;
/** A body weight in kg, to be searched for. */
export const weight = (value: number, patient: string, note?: string) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7', display: 'Body weight' }] },
  subject: { reference: `Patient/${patient}` },
  valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'kg', unit: 'kg' },
  ...(note === undefined ? {} : { note: [{ text: note }] }),
});
