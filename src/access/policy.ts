import { Failure, failure } from '../fhir/outcome.js';
import type { Sight } from '../store/port.js';
import type { Caller, Kind } from './caller.js';
import { mayInteract, type Interaction } from './scopes.js';

type WriteRule = {
  readonly kinds: readonly Exclude<Kind, 'system'>[];
  readonly interactions: readonly ('c' | 'u')[];
  /** only records of the caller's own organisation: see `checkOwnOrganisation` */
  readonly ownOrganisation?: true;
};

/**
 * What others than `system` may write by plain REST (contract section 5); a type or kind that is not here may not, and DELETE is for
 * `system` alone. Apps neither refer nor book: e-RS offers A011, A016 and A034 to users only. PATCH is `u`, as in SMART v2.
 */
export const writeRules: Readonly<Record<string, WriteRule>> = {
  ServiceRequest: { kinds: ['user'], interactions: ['c'] },
  Appointment: { kinds: ['user', 'patient'], interactions: ['c', 'u'] },
  Binary: { kinds: ['app', 'user', 'patient'], interactions: ['c', 'u'] },
  DocumentReference: { kinds: ['app', 'user', 'patient'], interactions: ['c', 'u'] },
  QuestionnaireResponse: { kinds: ['patient'], interactions: ['c', 'u'] },
  Schedule: { kinds: ['app', 'user'], interactions: ['c', 'u'], ownOrganisation: true },
  Slot: { kinds: ['app', 'user'], interactions: ['c', 'u'], ownOrganisation: true },
};

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

/** True when the kind may ever do this to the type, whatever the scopes and the record. */
export const isAllowed = (kind: Kind, type: string, interaction: Interaction): boolean => {
  const reads = interaction === 'r' || interaction === 's';
  if (type === 'AuditEvent') return reads && kind === 'system';
  if (reads) return true;
  if (unchangeable.has(type) && interaction !== 'c') return false;
  if (kind === 'system') return true;
  const rule = Object.hasOwn(writeRules, type) ? writeRules[type] : undefined;
  return rule !== undefined && interaction !== 'd' && rule.kinds.includes(kind) && rule.interactions.includes(interaction);
};

/**
 * May the caller do this to the type at all? Which records it sees is `sightOf`'s matter.
 *
 * @throws Failure `method` for changing an AuditEvent or Provenance, `forbidden` for the rest
 */
export const checkInteraction = (caller: Caller, type: string, interaction: Interaction): void => {
  if (unchangeable.has(type) && (interaction === 'u' || interaction === 'd')) {
    throw new Failure('method', [{ severity: 'error', code: 'not-supported', text: `${type} is never updated or deleted` }], {
      Allow: 'GET, HEAD',
    });
  }
  if (!isAllowed(caller.kind, type, interaction))
    throw failure('forbidden', 'forbidden', `A client of kind ${caller.kind} may not do this to ${type}`);
  if (!mayInteract(caller, type, interaction))
    throw failure('forbidden', 'forbidden', `No scope of the access token covers ${type}.${interaction}`);
};

/** The restriction that goes into every read of the type; no key at all sees nothing. */
export const sightOf = (caller: Caller, type: string): Sight => {
  if (type === 'AuditEvent')
    return caller.kind === 'system' && (mayInteract(caller, type, 'r') || mayInteract(caller, type, 's')) ? 'all' : { keys: [] };
  if (caller.kind === 'system' || isOpen(type)) return 'all';
  if (caller.kind === 'patient') return { keys: caller.patientId === undefined ? [] : [`patient:${caller.patientId}`] };
  return { keys: caller.organisation === undefined ? [] : [`organisation:${caller.organisation}`] };
};
