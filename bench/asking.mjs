// Requests as the demo clients, and the bodies that e-RS's operations take. Every answer is seen by `watch`, so that nothing goes unnoticed.
const people = {
  gp: { client: 'demo-gp', organisation: 'D82106', businessFunction: 'REFERRING_CLINICIAN' },
  provider: { client: 'demo-provider', organisation: 'RCD', businessFunction: 'SERVICE_PROVIDER_CLINICIAN' },
  patient: { client: 'demo-patient-app' },
  system: { client: 'demo-system' },
};
/** tokens are asked for again well before they end */
const tokenMs = 60_000;

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Headers of each role, with a token that is still good. */
export const headersOf = (server) => {
  const known = new Map();
  return async (role) => {
    const { client, organisation, businessFunction } = people[role];
    const old = known.get(role);
    const token = old && old.until > Date.now() ? old : { value: server.tokenOf(client), until: Date.now() + tokenMs };
    known.set(role, token);
    // the next one asks anew
    if (token !== old) token.value.catch(() => known.delete(role));
    return {
      authorization: `Bearer ${await token.value}`,
      ...(organisation === undefined ? {} : { 'nhsd-end-user-organisation-ods': organisation }),
      ...(businessFunction === undefined ? {} : { 'nhsd-ers-business-function': businessFunction }),
    };
  };
};

/** `ask(role, method, path, body, headers, signal)` answers {status, headers, text, json}; a page's `next` is a whole URL. */
export const askerOf = (server, watch = () => {}) => {
  const roleHeaders = headersOf(server);
  return async (role, method, path, body, headers = {}, signal = undefined) => {
    const plain = typeof body === 'string';
    const response = await fetch(path.startsWith('http') ? path : `${server.base}/${path}`, {
      method,
      signal,
      headers: {
        ...(await roleHeaders(role)),
        ...(body === undefined ? {} : { 'content-type': plain ? 'text/plain' : 'application/fhir+json' }),
        ...headers,
      },
      body: body === undefined || plain ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, text, json: parsed(text) };
    watch({ role, method, path, answer });
    return answer;
  };
};

export const resourcesOf = (bundle, type) =>
  (bundle?.entry ?? []).flatMap(({ resource }) => (resource && (type === undefined || resource.resourceType === type) ? [resource] : []));

/** The resources of a search, a page at a time. */
export const pagesOf = async function* (ask, path) {
  for (let url = path; url !== undefined;) {
    const { status, json, text } = await ask('system', 'GET', url);
    if (status !== 200) throw new Error(`${url}: ${status} ${text}`);
    yield resourcesOf(json);
    url = json.link?.find(({ relation }) => relation === 'next')?.url;
  }
};

/** All pages of a search. */
export const allOf = async (ask, path) => {
  const found = [];
  for await (const page of pagesOf(ask, path)) found.push(...page);
  return found;
};

export const ifMatch = (resource) => ({ 'if-match': `W/"${resource.meta.versionId}"` });

const valueOf = (value) => {
  if (Array.isArray(value)) return { part: value };
  if (typeof value === 'object') return value.resourceType ? { resource: value } : value;
  return typeof value === 'boolean' ? { valueBoolean: value } : { valueString: value };
};
/** Parameters from pairs of a name and a text, a boolean, a resource, parts, or a `value[x]`. */
export const parameters = (...pairs) => ({
  resourceType: 'Parameters',
  parameter: pairs.map(([name, value]) => ({ name, ...valueOf(value) })),
});
export const shortlist = (...ids) => ids.map((id) => ['shortlist', { valueReference: { reference: `HealthcareService/${id}` } }]);

export const appointmentOf = (referral, slot, more = {}) => ({
  resourceType: 'Appointment',
  status: 'booked',
  slot: [{ reference: `Slot/${slot}` }],
  basedOn: [{ reference: `ServiceRequest/${referral}` }],
  participant: [{ status: 'accepted', type: [{ text: 'patient' }] }],
  ...more,
});

export const stateOf = (request) =>
  request.extension?.find(({ url }) => url.endsWith('Extension-eRS-ServiceRequest-State'))?.extension.find(({ url }) => url === 'state')
    ?.valueCoding.code;

/** Services of RCD of one kind: a flow or a binding. */
export const servicesOf = async (ask, kind) => {
  const ods = 'https://fhir.nhs.uk/Id/ods-organization-code|RCD';
  return allOf(ask, `HealthcareService?characteristic=${kind}&organization.identifier=${ods}&_count=50`);
};

export const freeSlotsOf = (service, count) => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  return `Slot?schedule.actor=HealthcareService/${service}&status=free&start=ge${tomorrow}&_sort=start&_count=${count}`;
};
