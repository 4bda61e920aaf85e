import { issue } from './rest.js';
import { resourcesOf, type Answer, type Role, type Running } from './running-server.js';

type Json = Readonly<Record<string, unknown>>;

export const ifMatch = (version: unknown) => ({ 'If-Match': `W/"${String(version)}"` });

/** Parameters from short pairs: a string is a code or text, a reference `Type/id` or `system|value`, an object a resource. */
export const parameters = (...pairs: readonly (readonly [string, unknown])[]) => ({
  resourceType: 'Parameters',
  parameter: pairs.map(([name, value]) => {
    if (typeof value === 'boolean') return { name, valueBoolean: value };
    if (typeof value === 'number') return { name, valueUnsignedInt: value };
    if (typeof value === 'object' && value !== null)
      return Array.isArray(value) ? { name, part: value as unknown[] } : { name, resource: value };
    const text = value as string;
    if (/^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]+$/.test(text)) return { name, valueReference: { reference: text } };
    const [system, code] = text.startsWith('http') ? text.split('|') : [];
    return code === undefined ? { name, valueString: text } : { name, valueIdentifier: { system, value: code } };
  }),
});

export const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number|9912003888';

/** What the tests of e-RS do again and again, against a running server. */
export const ersOf = (server: Running) => {
  const post = (role: Role, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    server.as(role, 'POST', path, body, headers);
  const services = async (flow: string, ods = 'RCD'): Promise<readonly Json[]> => {
    const url = `HealthcareService?characteristic=${flow}&organization.identifier=https://fhir.nhs.uk/Id/ods-organization-code|${ods}&_count=50`;
    return resourcesOf((await server.as('system', 'GET', url)).json, 'HealthcareService');
  };
  const freeSlots = async (service: string, count = 3): Promise<readonly Json[]> => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const url = `Slot?schedule.actor=HealthcareService/${service}&status=free&start=ge${tomorrow}&_sort=start&_count=${String(count)}`;
    return resourcesOf((await server.as('system', 'GET', url)).json, 'Slot');
  };
  const withSlots = async (): Promise<{ readonly service: string; readonly slots: readonly Json[] }> => {
    for (const { id } of await services('DIRECTLY_BOOKABLE')) {
      const slots = await freeSlots(String(id));
      if (slots.length === 3) return { service: String(id), slots };
    }
    throw new Error('no service has three free slots');
  };
  const refer = async (shortlist: readonly string[], more: readonly (readonly [string, unknown])[] = []): Promise<Json> => {
    const body = parameters(['patient', nhsNumber], ...shortlist.map((id) => ['shortlist', `HealthcareService/${id}`] as const), ...more);
    const answer = await post('gp', 'ServiceRequest/$ers.createReferral', body);
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json;
  };
  const appointment = (referral: unknown, slot: unknown, more: Json = {}) => ({
    resourceType: 'Appointment',
    status: 'booked',
    slot: [{ reference: `Slot/${String(slot)}` }],
    basedOn: [{ reference: `ServiceRequest/${String(referral)}` }],
    participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
    ...more,
  });
  const book = async (referral: unknown, slot: unknown, role: Role = 'gp'): Promise<Json> => {
    const answer = await post(role, 'Appointment', appointment(referral, slot));
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json;
  };
  const read = async (path: string, role: Role = 'system'): Promise<Json> => (await server.as(role, 'GET', path)).json;
  const versionOf = async (path: string): Promise<string> => String(((await read(path))['meta'] as Json)['versionId']);
  const on = async (role: Role, id: unknown, operation: string, body?: unknown): Promise<Answer> =>
    post(role, `ServiceRequest/${String(id)}/$ers.${operation}`, body, ifMatch(await versionOf(`ServiceRequest/${String(id)}`)));
  const upload = async (role: Role, name: string, type = 'text/plain'): Promise<Json> => {
    const answer = await post(role, 'Binary', 'Dear colleague', { 'content-type': type });
    const url = /Binary\/[^/]+/.exec(answer.headers.get('location') ?? '')?.[0] ?? '';
    return { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: type, url, title: name } }] };
  };
  return { post, services, freeSlots, withSlots, refer, appointment, book, read, versionOf, on, upload };
};

export const stateIn = (request: Json): string => {
  const extension = (request['extension'] as readonly Json[]).find(({ url }) => String(url).endsWith('Extension-eRS-ServiceRequest-State'));
  const part = (extension?.['extension'] as readonly Json[]).find(({ url }) => url === 'state');
  return String((part?.['valueCoding'] as Json)['code']);
};

export const codeIn = (answer: Answer): string => {
  const [issue] = (answer.json['issue'] ?? []) as readonly { details?: { coding?: readonly { code?: string }[] } }[];
  return issue?.details?.coding?.[0]?.code ?? '';
};

/** What a refusal tells: its status, e-RS's code and the element. */
export const told = (answer: Answer): readonly unknown[] => [answer.status, codeIn(answer), issue(answer)?.expression?.[0]];
