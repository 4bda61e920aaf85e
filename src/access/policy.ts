import { Failure, failure } from '../fhir/outcome.js';
import type { Sight } from '../store/port.js';
import type { Caller, Kind } from './caller.js';
import { checkIfMatch, checkRule, clinicalReads, findRule, isPermitted, isReading } from './operation-rules.js';
import { mayInteract, type Interaction } from './scopes.js';

const open: ReadonlySet<string> = new Set([
  ...['Organization', 'HealthcareService', 'Location', 'Practitioner', 'PractitionerRole', 'Schedule', 'Slot', 'Endpoint'],
  ...[
    'CodeSystem',
    'ValueSet',
    'ConceptMap',
    'NamingSystem',
    'StructureDefinition',
    'SearchParameter',
    'OperationDefinition',
    'Questionnaire',
  ],
]);

// An audit trail or a record of provenance that can be changed proves nothing.
const unchangeable: ReadonlySet<string> = new Set(['AuditEvent', 'Provenance']);

/** True for directory and conformance data, which every authenticated caller may read. */
export const isOpen = (type: string): boolean => open.has(type);

/** True for a record that is written once and stays as it is, whoever asks. */
export const isUnchangeable = (type: string): boolean => unchangeable.has(type);

/** Why such a record is not changed. */
export const neverChanged = (type: string): Failure =>
  new Failure('method', [{ severity: 'error', code: 'not-supported', text: `${type} is never updated or deleted` }], {
    Allow: 'GET, HEAD',
  });

const refuseChange = (type: string, interaction: Interaction): void => {
  if (isUnchangeable(type) && (interaction === 'u' || interaction === 'd')) throw neverChanged(type);
};

const forbidden = (text: string): Failure => failure('forbidden', 'forbidden', text);

const isRead = (interaction: Interaction): boolean => interaction === 'r' || interaction === 's';

/** True when the kind may ever do this to the type, whatever the scopes, the business function and the record. */
export const isAllowed = (kind: Kind, type: string, interaction: Interaction): boolean => {
  if (type === 'AuditEvent') return isRead(interaction) && kind === 'system';
  if (isRead(interaction)) return true;
  if (isUnchangeable(type) && interaction !== 'c') return false;
  return kind === 'system' || findRule(`${type}.${interaction}`)?.kinds.includes(kind) === true;
};

/**
 * The first two steps of authorisation: does a scope of the token cover this, and may the caller's kind and business function do it?
 * Which records it may do it to is the third, `sightOf`'s. A type or kind without a row in the table writes nothing by plain REST, and
 * DELETE is for `system` alone.
 *
 * @throws Failure `method` for changing an AuditEvent or Provenance, `forbidden` for the rest
 */
export const checkInteraction = (caller: Caller, type: string, interaction: Interaction): void => {
  refuseChange(type, interaction);
  if (!mayInteract(caller, type, interaction)) throw forbidden(`No scope of the access token covers ${type}.${interaction}`);
  if (!isAllowed(caller.kind, type, interaction)) throw forbidden(`A client of kind ${caller.kind} may not do this to ${type}`);
  if (caller.kind === 'system' || (isRead(interaction) && isOpen(type))) return;
  checkRule((isRead(interaction) ? undefined : findRule(`${type}.${interaction}`)) ?? clinicalReads, caller, `${type}.${interaction}`);
};

/**
 * The same two steps for an operation: the scope letter on the type, then its row of the table. An operation without a row is for
 * `system` alone.
 *
 * @param type `*` on the system level
 * @throws Failure `method` and `forbidden` as there; `invalid`/`required` when the row asks for If-Match and none came
 */
export const checkOperation = (
  caller: Caller,
  operation: { readonly code: string; readonly interaction: Interaction; readonly type: string },
  ifMatch: string | undefined,
): void => {
  const { code, type, interaction } = operation;
  refuseChange(type, interaction);
  if (!mayInteract(caller, type, interaction)) throw forbidden(`No scope of the access token covers ${type}.${interaction}`);
  if (type === 'AuditEvent' && caller.kind !== 'system') throw forbidden('AuditEvent is for clients of kind system');
  if (caller.kind === 'system') return;
  const rule = findRule(code);
  if (rule) {
    checkRule(rule, caller, `$${code}`);
    checkIfMatch(rule, caller, ifMatch);
  } else if (!isReading(code)) throw forbidden(`$${code} is for clients of kind system`);
  else if (type !== '*' && !isOpen(type)) checkRule(clinicalReads, caller, `$${code}`);
};

/** True when the caller may read records of the type at all, as an include, a chain or `_has` would. */
export const mayRead = (caller: Caller, type: string): boolean => {
  if (type === 'AuditEvent' && caller.kind !== 'system') return false;
  if (!mayInteract(caller, type, 'r') && !mayInteract(caller, type, 's')) return false;
  return isOpen(type) || isPermitted(clinicalReads, caller);
};

/**
 * Who is shown where a patient of a restricted record lives: a system client that keeps the records, as it could not write back what it
 * was not shown. Nobody else, and not the patient's own application either: a home may be shared with whom he is hidden from.
 */
export const seesWhereabouts = (caller: Caller): boolean => caller.kind === 'system' && mayInteract(caller, 'Patient', 'u');

const keysOf = (caller: Caller, type: string): Sight => {
  if (type === 'AuditEvent')
    return caller.kind === 'system' && (mayInteract(caller, type, 'r') || mayInteract(caller, type, 's')) ? 'all' : { keys: [] };
  if (caller.kind === 'system' || isOpen(type)) return 'all';
  if (caller.kind === 'patient')
    return { keys: caller.patientId === undefined ? [] : [caller.patientId, ...(caller.formerIds ?? [])].map((id) => `patient:${id}`) };
  return { keys: caller.organisation === undefined ? [] : [`organisation:${caller.organisation}`] };
};

/** The restriction that goes into every read of the type; no key at all sees nothing. */
export const sightOf = (caller: Caller, type: string): Sight => {
  const keys = keysOf(caller, type);
  const constraint = caller.constraints?.find((candidate) => candidate.type === type);
  if (!constraint) return keys;
  return { keys: keys === 'all' ? [] : keys.keys, narrow: { type, where: constraint.where, anyKey: keys === 'all' } };
};
