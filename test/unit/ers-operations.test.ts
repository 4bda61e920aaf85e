/** The operations of e-RS as they are told of: their OperationDefinitions, the extensions that they write, the page about them. */
import { readFileSync } from 'node:fs';
import { operationRules } from '../../src/access/operation-rules.js';
import { extensions } from '../../src/domain/codes.js';
import { ersOperations } from '../../src/operations/ers/ers-operations.js';
import { readArtefacts } from '../helpers/artefacts.js';

const page = readFileSync('docs/e-rs.md', 'utf8');
const definitions = ersOperations.map(({ definition }) => definition);
const parametersOf = (code: string, use: 'in' | 'out') =>
  (definitions.find((definition) => definition.code === code)?.parameter ?? []).filter((parameter) => parameter.use === use);

it.each(definitions.map(({ code }) => code))('%s says what it takes and what it answers with', (code) => {
  const outputs = parametersOf(code, 'out');
  expect(outputs.length).toBeGreaterThan(0);
  for (const { name, type, documentation, min, max } of outputs) {
    expect([typeof type, typeof documentation, max]).toEqual(['string', 'string', '1']);
    // R4 operations.html#response: a single answer is the resource itself, and is called return
    if (outputs.length === 1) expect([name, min]).toEqual(['return', 1]);
  }
  for (const { part, type } of parametersOf(code, 'in')) expect((part === undefined) !== (type === undefined)).toBe(true);
  const definition = definitions.find((one) => one.code === code);
  expect(definition?.name).toMatch(/^[A-Z]([A-Za-z0-9_]){0,254}$/);
  // whoever may be told nothing new by a repeated GET may use one; what writes is a POST
  expect(definition?.type === true || definition?.instance === true).toBe(true);
});

it.each([
  ['ers.cancelReferral', ['updatedReferralRequest ServiceRequest', 'updatedAppointment Appointment']],
  ['ers.changeShortlistAndSendForTriage', ['updatedReferralRequest ServiceRequest', 'createdTask Task']],
  ['ers.createAdviceAndGuidance', ['createdCommunicationRequest ServiceRequest', 'createdCommunication Communication']],
  ['ers.sendCommunicationToRequester', ['updatedCommunicationRequest ServiceRequest', 'createdCommunication Communication']],
  ['ers.acceptReferral', ['return ServiceRequest']],
  ['ers.fetchworklist', ['return List']],
  ['ers.searchHealthcareServicesForPatient', ['return List']],
  ['ers.generateCRI', ['return Binary']],
  ['hold', ['return Slot']],
])('%s answers with %j', (code, outputs) => {
  expect(parametersOf(code, 'out').map(({ name, type }) => `${name} ${String(type)}`)).toEqual(outputs);
});

it('every operation of the access table is offered, and only those', () => {
  const offered = definitions.map(({ code }) => code).sort();
  const ruled = Object.keys(operationRules).filter((code) => !/^[A-Z]/.test(code));
  expect(offered).toEqual(ruled.sort());
});

it('the page names every operation and every endpoint, and nothing that is not there', () => {
  const told = [...page.matchAll(/\$ers\.([A-Za-z]+)/g)].map(([, name]) => `ers.${name ?? ''}`);
  const known = new Set<string>(definitions.map(({ code }) => code));
  expect(told.filter((code) => !known.has(code))).toEqual([]);
  for (const { code } of definitions)
    expect(page).toContain(code.replace('ers.', '').replace('createReferralAndSendForTriage', 'AndSendForTriage'));
  for (const { ers } of Object.values(operationRules)) for (const endpoint of ers) expect(page).toContain(endpoint);
});

it('every extension that is written has a StructureDefinition', () => {
  const built = readArtefacts().resources.flatMap((one) => (one.resourceType === 'StructureDefinition' ? one.url : []));
  const known = new Set(built);
  expect(Object.values(extensions).filter((url) => !known.has(url))).toEqual([]);
});
