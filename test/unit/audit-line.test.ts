import { auditLine, eventOf } from '../../src/audit/audit-line.js';
import { sealLine } from '../../src/audit/seal.js';

const happening = {
  doing: 'search-type',
  action: 'E',
  outcome: '4',
  reason: 'forbidden',
  what: ['ServiceRequest/r.1', 'Task/"2'],
  patients: ['p1', 'p/2"'],
  numbers: ['9990000009'],
  query: 'identifier=a|"b"',
} as const;
const occasion = { id: 'e1', recorded: '2026-03-01T09:00:00.000Z', requestId: 'q1', correlationId: 'c "1"' };
const caller = {
  kind: 'user',
  clientId: 'gp "system"',
  scopes: ['user/*.cruds'],
  organisations: ['D82106'],
  user: '555021935107',
  onBehalfOf: '555021935108',
  organisation: 'D82106',
  businessFunction: 'REFERRING_CLINICIAN',
} as const;

const eventIn = (line: string): unknown => JSON.parse(eventOf(line) ?? 'null');

test('a line becomes the AuditEvent of all that it tells', () => {
  const agent = (value: string): object => ({ who: { identifier: { value } } });
  expect(eventIn(auditLine(happening, { ...occasion, caller }))).toMatchObject({
    resourceType: 'AuditEvent',
    id: 'e1',
    recorded: '2026-03-01T09:00:00.000Z',
    action: 'E',
    outcome: '4',
    outcomeDesc: 'forbidden',
    purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
    agent: [agent('gp "system"'), agent('555021935107'), agent('555021935108'), agent('D82106')],
    entity: [
      { what: { reference: 'ServiceRequest/r.1' } },
      { what: { reference: 'Task/"2' } },
      { what: { reference: 'Patient/p1' }, type: { code: '1' }, role: { code: '1' } },
      { what: { reference: 'Patient/p/2"' } },
      { what: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000009' } }, role: { code: '1' } },
      { query: Buffer.from('identifier=a|"b"').toString('base64') },
      { what: { identifier: { value: 'q1' } } },
      { what: { identifier: { value: 'c "1"' } } },
    ],
  });
});
test('a line of the first form, which has one patient, stays the event that it was', () => {
  const first = (what: readonly string[]) =>
    JSON.stringify({ form: 1, ...occasion, doing: 'read', action: 'R', outcome: '0', what, patient: 'p1' });
  const references = (line: string) =>
    (eventIn(line) as { entity: { what: { reference?: string } }[] }).entity.flatMap(({ what }) => what.reference ?? []);
  expect(references(first(['Task/2']))).toEqual(['Task/2', 'Patient/p1']);
  expect(references(first(['Patient/p1']))).toEqual(['Patient/p1']);
});
test('without a caller the event names the client of the token, or nobody known', () => {
  const clientOf = (more: object) =>
    (eventIn(auditLine(happening, { ...occasion, ...more })) as { agent: { who: { identifier: { value: string } } }[] }).agent[0]?.who
      .identifier.value;
  expect(clientOf({ clientId: 'lost' })).toBe('lost');
  expect(clientOf({})).toBe('unknown');
});
test('scopes and the organisations of the client are not in the line; a line has no line break', () => {
  const line = auditLine({ ...happening, query: 'a\nb' }, { ...occasion, caller });
  expect(line).not.toContain('cruds');
  expect(line).not.toContain('\n');
});
test('a seal is no event, and an event that stands in a chain whole is itself', () => {
  expect(eventOf(sealLine('a.b.c'))).toBeUndefined();
  const whole = '{"resourceType":"AuditEvent","id":"1"}';
  expect(eventOf(whole)).toBe(whole);
});
