import type { Caller } from '../access/caller.js';
import { systems } from '../domain/codes.js';

/** One access, or one refusal, as the server saw it. */
export type Happening = {
  /** R4 valueset-audit-event-sub-type: read, search-type, update..., `operation <name>`, or `login` for a token */
  readonly doing: string;
  /** R4 valueset-audit-event-action */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** R4 valueset-audit-event-outcome */
  readonly outcome: '0' | '4' | '8';
  /** why it was refused; no text that a client chose */
  readonly reason?: string | undefined;
  /** `Type/id` of what was read, written or asked for */
  readonly what: readonly string[];
  /** ids of the Patients whose records were shown or written */
  readonly patients?: readonly string[] | undefined;
  /** NHS numbers of those whom a record names by that alone */
  readonly numbers?: readonly string[] | undefined;
  /** in lines of the first form: id of the one Patient, who may be among `what` too */
  readonly patient?: string | undefined;
  /** the search as it was asked, or the operation's name */
  readonly query?: string | undefined;
};

/** What an event says of its caller. */
export type Who = { readonly [K in Told]?: Caller[K] | undefined } & Pick<Caller, 'kind' | 'clientId'>;
type Told = 'user' | 'patient' | 'patientId' | 'onBehalfOf' | 'organisation' | 'businessFunction';

/** When, and at whose request. */
export type Occasion = {
  /** of the AuditEvent */
  readonly id: string;
  /** ISO 8601, UTC */
  readonly recorded: string;
  readonly caller?: Who | undefined;
  /** without a caller: the client that a token names, if one does */
  readonly clientId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly correlationId?: string | undefined;
};

const quote = (text: string): string => JSON.stringify(text);
const identified = (system: string, value: string): string => `{"identifier":{"system":"${system}","value":${quote(value)}}}`;
const coded = (system: string, code: string): string => `{"coding":[{"system":"${system}","code":${quote(code)}}]}`;

/** systems that an AuditEvent alone uses */
const own = {
  client: 'https://fhir.nhs.uk/Id/api-client',
  businessFunction: 'https://fhir.nhs.uk/CodeSystem/eRS-BusinessFunction-1',
  participation: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  objectRole: 'http://terminology.hl7.org/CodeSystem/object-role',
  entityType: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
} as const;

const agent = (who: string, role: string, isRequestor: boolean, more = ''): string =>
  `{"type":${coded(own.participation, role)},"who":${who},"requestor":${String(isRequestor)}${more}}`;

/** Who did it: the client, the person behind it, whom that person acts for, and the organisation. */
const agentsOf = (caller: Who): string => {
  const client = identified(own.client, caller.clientId);
  const agents = [agent(client, 'CST', caller.user === undefined && caller.patient === undefined)];
  const held = caller.businessFunction === undefined ? '' : `,"role":[${coded(own.businessFunction, caller.businessFunction)}]`;
  if (caller.user !== undefined) agents.push(agent(identified(systems.sdsUser, caller.user), 'AUT', true, held));
  if (caller.patient !== undefined)
    agents.push(
      agent(
        caller.patientId === undefined ? identified(systems.nhsNumber, caller.patient) : `{"reference":"Patient/${caller.patientId}"}`,
        'AUT',
        true,
      ),
    );
  if (caller.onBehalfOf !== undefined) agents.push(agent(identified(systems.sdsUser, caller.onBehalfOf), 'RESP', false));
  if (caller.organisation !== undefined) agents.push(agent(identified(systems.organisation, caller.organisation), 'CST', false));
  return agents.join(',');
};

const entity = (body: string, role: string, type = '2'): string =>
  `{${body},"type":{"system":"${own.entityType}","code":"${type}"},"role":{"system":"${own.objectRole}","code":"${role}"}}`;

const requestEntity = (name: string, value: string): string =>
  entity(`"what":{"identifier":{"value":${quote(value)}}},"name":"${name}"`, '21');

const entitiesOf = ({ what, patients, numbers, patient, query }: Happening, { requestId, correlationId }: Occasion): string => {
  const entities = what.map((reference) => entity(`"what":{"reference":${quote(reference)}}`, '4'));
  if (patient !== undefined && !what.includes(`Patient/${patient}`))
    entities.push(entity(`"what":{"reference":"Patient/${patient}"}`, '1', '1'));
  for (const id of patients ?? []) entities.push(entity(`"what":{"reference":${quote(`Patient/${id}`)}}`, '1', '1'));
  for (const number of numbers ?? []) entities.push(entity(`"what":${identified(systems.nhsNumber, number)}`, '1', '1'));
  if (query !== undefined && query !== '') entities.push(entity(`"query":"${Buffer.from(query).toString('base64')}"`, '24'));
  if (requestId !== undefined) entities.push(requestEntity('X-Request-ID', requestId));
  if (correlationId !== undefined) entities.push(requestEntity('X-Correlation-ID', correlationId));
  return entities.length === 0 ? '' : `,"entity":[${entities.join(',')}]`;
};

/** Care for staff and patients; clients of kind system run the service. */
const purposeOf = (caller: Who): string => {
  const code = caller.kind === 'system' ? 'HSYSADMIN' : caller.kind === 'patient' ? 'PATRQT' : 'TREAT';
  return `,"purposeOfEvent":[${coded('http://terminology.hl7.org/CodeSystem/v3-ActReason', code)}]`;
};

const rest = '{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest","display":"RESTful Operation"}';
const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const authentication = `{"system":"${dicom}","code":"110114","display":"User Authentication"}`;

const kindOf = (doing: string): string => {
  const interaction = 'http://hl7.org/fhir/restful-interaction';
  if (doing === 'login') return `"type":${authentication},"subtype":[{"system":"${dicom}","code":"110122","display":"Login"}]`;
  const [code = '', name] = doing.split(' ');
  const subtype =
    name === undefined
      ? `{"system":"${interaction}","code":"${code}"}`
      : `{"system":"${interaction}","code":"operation"},{"code":${quote(name)}}`;
  return `"type":${rest},"subtype":[${subtype}]`;
};

const whoText = ({ caller, clientId }: Occasion): string => {
  if (!caller) return `,"agent":[${agent(identified(own.client, clientId ?? 'unknown'), 'CST', true)}]`;
  return `${purposeOf(caller)},"agent":[${agentsOf(caller)}]`;
};

/** The AuditEvent of a happening as FHIR JSON (R4 auditevent.html): always the same text for the same facts, as a chain proves it. */
export const auditEventText = (happening: Happening, occasion: Occasion): string => {
  const { doing, action, outcome, reason } = happening;
  const { id, recorded } = occasion;
  return (
    `{"resourceType":"AuditEvent","id":"${id}","meta":{"versionId":"1","lastUpdated":"${recorded}"},` +
    `${kindOf(doing)},"action":"${action}","recorded":"${recorded}","outcome":"${outcome}"` +
    (reason === undefined ? '' : `,"outcomeDesc":${quote(reason)}`) +
    whoText(occasion) +
    `,"source":{"observer":{"display":"referral-server"}}${entitiesOf(happening, occasion)}}`
  );
};
