import { auditEventText, type Happening, type Occasion, type Who } from './audit-event.js';

// A chain keeps the facts of an access: a fifth of the room of the AuditEvent that they become, and as much less work for every read.
const form = 2;

// what JSON writes as it stands, which nearly all is: looking costs a sixth of what the writer does
const plain = /^[\w/.:;|,=&?$ -]*$/;
const quote = (text: string): string => (plain.test(text) ? `"${text}"` : JSON.stringify(text));
// a list of many is seldom told once
const long = 10;
const toldLists = new WeakMap<readonly string[], string>();
const list = (texts: readonly string[]): string => {
  if (texts.length === 1) return quote(texts[0] ?? '');
  const known = toldLists.get(texts) ?? texts.map(quote).join(',');
  if (texts.length >= long) toldLists.set(texts, known);
  return known;
};
const listed = (name: string, texts: readonly string[] | undefined): string =>
  texts === undefined || texts.length === 0 ? '' : `,"${name}":[${list(texts)}]`;
const member = (name: string, value: string | undefined): string => (value === undefined ? '' : `,"${name}":${quote(value)}`);

const whoText = ({ kind, clientId, user, patient, patientId, onBehalfOf, organisation, businessFunction }: Who): string =>
  JSON.stringify({ kind, clientId, user, patient, patientId, onBehalfOf, organisation, businessFunction } satisfies Who);

// what is said of a caller is written once for all that he does
const told = new WeakMap<Who, string>();
const whoTextOnce = (who: Who): string => {
  const known = told.get(who) ?? whoText(who);
  told.set(who, known);
  return known;
};

/**
 * The line of a happening in the chain: JSON, written by hand as it is made once for every access. It is joined to one text, as it waits
 * for its commit: each collection of garbage would copy the tree of parts that adding them up leaves.
 */
export const auditLine = (happening: Happening, occasion: Occasion): string => {
  const { doing, action, outcome, reason, what, patients, numbers, query } = happening;
  const { id, recorded, caller, clientId, requestId, correlationId } = occasion;
  return [
    `{"form":${String(form)},"id":"`,
    id,
    '","recorded":"',
    recorded,
    '","doing":',
    quote(doing),
    `,"action":"${action}","outcome":"${outcome}"`,
    member('reason', reason),
    ',"what":[',
    list(what),
    ']',
    listed('patients', patients),
    listed('numbers', numbers),
    member('query', query),
    member('requestId', requestId),
    member('correlationId', correlationId),
    member('clientId', clientId),
    caller === undefined ? '}' : `,"caller":${whoTextOnce(caller)}}`,
  ].join('');
};

type Read = (Happening & Occasion & { readonly form: number }) | { readonly form?: undefined; readonly resourceType?: string };

/** The AuditEvent that a line of a chain tells of, as FHIR JSON; undefined for a seal, which stands in the chain beside the events. */
export const eventOf = (line: string): string | undefined => {
  const read = JSON.parse(line) as Read;
  if (read.form !== undefined) return auditEventText(read, read);
  // chains of before there were forms hold the resources themselves
  return read.resourceType === 'AuditEvent' ? line : undefined;
};
