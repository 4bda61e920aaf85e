// Other people's records by every search feature, reference, operation and header, with tokens that are good.
import { randomUUID } from 'node:crypto';
import { mark, markStart, must, rawAt, strangers } from './world.mjs';

const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number';

const urlsOf = ({ Patient, ServiceRequest, Binary, DocumentReference, Observation, List, Group, Task }) => [
  ...Object.entries({ Patient, ServiceRequest, Binary, DocumentReference, Observation, List, Group, Task }).flatMap(([type, id]) => [
    `${type}/${id}`,
    `${type}/${id}/_history/1`,
    `${type}/${id}/_history`,
    `${type}?_id=${id}`,
    `${type}/${id}/$meta`,
    `${type}/${id}/$validate`,
  ]),
  `Patient?identifier=${nhsNumber}|9990999902`,
  `Patient?identifier=${nhsNumber}|9990999902&birthdate=1950`,
  `Patient?identifier=${nhsNumber}|9990999902&birthdate=ge1900-01-01`,
  `Patient?identifier=${nhsNumber}|9990999902&birthdate=1950-01-03`,
  `Patient?family=${markStart}`,
  `Patient?family:contains=arkedas`,
  `Patient?name=${markStart}&_summary=count`,
  `Patient?family=${markStart}&_total=accurate&_count=0`,
  `Patient?_filter=family sw "${markStart}"`,
  `Patient?_filter=birthdate eq 1950-01-02 or (family co "arked")`,
  `Patient?_list=${List}`,
  `Patient/_history?_list=${List}`,
  `Patient?_has:Observation:subject:code:text=${markStart}`,
  `Patient?_has:ServiceRequest:subject:_id=${ServiceRequest}`,
  `Patient?_has:List:subject:_has:Group:member:name=${markStart}`,
  `Patient?_id=${Patient}&_contained=both&_containedType=container`,
  `Patient?_id:not=x&_id=${Patient}`,
  `Patient?general-practitioner:missing=true&_id=${Patient}`,
  `Patient?_lastUpdated=gt2020-01-01&_sort=-_lastUpdated&_id=${Patient}`,
  `Patient?_security:not=x&_id=${Patient}`,
  `Patient?_text=${markStart}`,
  `Observation?_content=${markStart}`,
  `Observation?code:text=${markStart}`,
  `Observation?subject:Patient.family=${markStart}`,
  `Observation?subject:identifier=${nhsNumber}|9990999902`,
  `Observation?patient.birthdate=1950-01-02&patient=Patient/${Patient}`,
  `ServiceRequest?subject=Patient/${Patient}`,
  `ServiceRequest?subject:Patient=${Patient}&_include=ServiceRequest:subject&_revinclude=*`,
  `ServiceRequest?patient.identifier=${nhsNumber}|9990999902`,
  `DocumentReference?related=ServiceRequest/${ServiceRequest}`,
  `DocumentReference?_include=DocumentReference:patient&patient=${Patient}`,
  `Task?focus=ServiceRequest/${ServiceRequest}`,
  `Task?focus=ServiceRequest/${ServiceRequest}&intent=proposal&status=ready`,
  `Communication?based-on=ServiceRequest/${ServiceRequest}`,
  `Provenance?target=ServiceRequest/${ServiceRequest}`,
  `AuditEvent?entity=Patient/${Patient}`,
  `Organization?_has:Patient:general-practitioner:family=${markStart}`,
  `Organization?_revinclude=Patient:general-practitioner&_revinclude:iterate=ServiceRequest:subject`,
  `Slot?_revinclude=Appointment:slot&_revinclude:iterate=Appointment:patient&_count=50`,
  `Practitioner?_revinclude=*&_count=20`,
  `Patient/${Patient}/Observation`,
  `Patient/${Patient}/*`,
  `?_type=Patient,Observation,ServiceRequest&_id=${Patient}`,
  `?_sort=-_lastUpdated&_count=100`,
  '_history',
  'Patient/_history?_count=200',
  'ServiceRequest/_history?_count=200',
  `Patient/${Patient}/$everything`,
  `Patient/${Patient}/$everything?_type=Observation`,
  '$export',
  'Patient/$export',
  `Group/${Group}/$export`,
  `Patient/$export?patient=Patient/${Patient}`,
  `_job/${randomUUID()}`,
  'ServiceRequest/$meta',
  '$meta',
];

const everySearch = async ({ ask, servers, hidden }) => {
  const urls = urlsOf(hidden);
  for (const role of strangers)
    for (const [index, url] of urls.entries()) {
      const { status, text, json } = await ask(role, 'GET', url, undefined, {}, servers[index % 2]);
      must(status < 500, `${role} ${url}: ${status}`);
      must(!text.includes(mark), `${role} ${url} shows it`);
      const shown = (json.entry ?? []).some(({ resource }) => Object.values(hidden).includes(resource?.id));
      must(!shown, `${role} ${url} shows its id`);
      const isOwn = /_sort=-_last.*_count=100|_revinclude|_history\?_count|_has|_filter|birthdate=ge|_contained/.test(url);
      if (!isOwn && typeof json.total === 'number') must(json.total === 0, `${role} ${url} tells a total of ${json.total}`);
      if (text.includes('"link"') || status !== 200) continue;
    }
  return { tries: urls.length * strangers.length };
};

/** The same request for what is somebody else's and for what is not there: one answer. */
const oracles = async ({ ask, hidden }) => {
  const match = { 'if-match': 'W/"1"' };
  const patch = { ...match, 'content-type': 'application/json-patch+json' };
  const referring = (reference, type) => ({
    resourceType: 'DocumentReference',
    status: 'current',
    ...(type === 'Patient' ? { subject: { reference } } : { context: { related: [{ reference }] } }),
    content: [{ attachment: { contentType: 'text/plain', url: type === 'Binary' ? reference : 'https://elsewhere.example/x' } }],
  });
  const bundle = (type, request, resource) => ({ resourceType: 'Bundle', type, entry: [{ request, ...(resource ? { resource } : {}) }] });
  const shapes = [
    (type, id) => ['GET', `${type}/${id}`],
    (type, id) => ['HEAD', `${type}/${id}`],
    (type, id) => ['GET', `${type}/${id}`, undefined, { 'if-none-match': 'W/"1"' }],
    (type, id) => ['GET', `${type}/${id}`, undefined, { 'if-modified-since': new Date().toUTCString() }],
    (type, id) => ['GET', `${type}/${id}/_history/1`],
    (type, id) => ['PUT', `${type}/${id}`, { resourceType: type, id }, match],
    (type, id) => ['PUT', `${type}/${id}`, { resourceType: type, id }],
    (type, id) => ['PUT', `${type}/${id}`, { resourceType: type, id }, { 'if-none-match': '*' }],
    (type, id) => ['PATCH', `${type}/${id}`, [{ op: 'test', path: '/status', value: 'active' }], patch],
    (type, id) => ['PATCH', `${type}?_id=${id}`, [], patch],
    (type, id) => ['PUT', `${type}?_id=${id}`, { resourceType: type }, match],
    (type, id) => ['DELETE', `${type}/${id}`, undefined, match],
    (type, id) => ['DELETE', `${type}?_id=${id}`, undefined, match],
    (type, id) => ['POST', `${type}/${id}/$validate?mode=delete`, { resourceType: type, id }],
    (type, id) => [
      'POST',
      `${type}/${id}/$meta-add`,
      { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] },
    ],
    (type, id) => ['POST', 'DocumentReference', referring(`${type}/${id}`, type)],
    (type, id) => ['POST', 'DocumentReference', referring(`${type}/${id}/_history/1`, type)],
    (type, id) => ['POST', 'DocumentReference', referring(`${type}?_id=${id}`, type)],
    (type, id) => [
      'POST',
      'DocumentReference',
      referring('https://elsewhere.example/x', 'Patient'),
      { 'if-none-exist': `_has:${type}:x:_id=${id}` },
    ],
    (type, id) => ['POST', '', bundle('batch', { method: 'GET', url: `${type}/${id}` })],
    (type, id) => ['POST', '', bundle('transaction', { method: 'GET', url: `${type}/${id}` })],
    (type, id) => [
      'POST',
      '',
      bundle('transaction', { method: 'PUT', url: `${type}/${id}`, ifMatch: 'W/"1"' }, { resourceType: type, id }),
    ],
    (type, id) => ['POST', '', bundle('transaction', { method: 'POST', url: 'DocumentReference' }, referring(`${type}?_id=${id}`, type))],
    (type, id) => ['POST', `ServiceRequest/${id}/$ers.acceptReferral`, { resourceType: 'Parameters' }, match],
    (type, id) => ['POST', `ServiceRequest/${id}/$ers.generateCRI`, { resourceType: 'Parameters' }],
    (type, id) => ['GET', `${type}/${id}/$everything`],
    (type, id) => [
      'POST',
      'ServiceRequest/$ers.createReferral',
      { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: `${type}/${id}` } }] },
    ],
    (type, id) => [
      'POST',
      'Appointment',
      {
        resourceType: 'Appointment',
        status: 'booked',
        basedOn: [{ reference: `${type}/${id}` }],
        participant: [{ status: 'accepted', actor: { reference: `${type}/${id}` } }],
      },
    ],
  ];
  let tries = 0;
  for (const role of strangers)
    for (const type of ['Patient', 'ServiceRequest', 'Binary', 'DocumentReference', 'Observation', 'Task'])
      for (const [index, shape] of shapes.entries()) {
        const absent = type === 'ServiceRequest' ? `r.${randomUUID()}` : randomUUID();
        const answers = [];
        for (const id of [hidden[type], absent]) {
          const { status, text, headers } = await ask(role, ...shape(type, id));
          const told = [...headers].filter(([name]) => !['date', 'x-request-id', 'content-length', 'keep-alive'].includes(name));
          answers.push(
            `${status} ${text} ${JSON.stringify(told)}`
              .replaceAll(id, 'ID')
              .replace(/"lastUpdated":"[^"]+"/g, '')
              .replace(/"id":"[0-9a-f-]{36}"/g, ''),
          );
          tries++;
        }
        must(!/^5/.test(answers[0]), `${role} ${type}, form ${index}: ${answers[0].slice(0, 200)}`);
        must(answers[0] === answers[1], `${role} ${type}, form ${index}: ${answers[0].slice(0, 300)} | ${answers[1].slice(0, 300)}`);
      }
  return { tries, told: 'one answer' };
};

/** Headers that say who one is: of others, twice, in another case, by proxies. */
const headers = async ({ ask, one, tokenOf, hidden }) => {
  const [org, fn, obo] = ['nhsd-end-user-organisation-ods', 'nhsd-ers-business-function', 'nhsd-ers-on-behalf-of-user-id'];
  const refused = [
    { [org]: 'RCD' },
    { [org]: 'D82106,RCD' },
    { [org]: '*' },
    { [org]: 'd82106' },
    { [org]: "D82106' or '1'='1" },
    { [fn]: 'SERVICE_PROVIDER_CLINICIAN' },
    { [fn]: 'PROVIDER_AUTHORISED_APPLICATION' },
    { [fn]: 'REFERRING_CLINICIAN,SERVICE_PROVIDER_CLINICIAN' },
    { [fn]: 'referring_clinician' },
    { [fn]: '__proto__' },
    { [obo]: '021600556514' },
    { [obo]: '555032006106' },
    { [obo]: '' },
  ];
  for (const more of refused) {
    const { status } = await ask('gp', 'GET', 'ServiceRequest?_count=1', undefined, more);
    must(status === 403 || status === 400, `${JSON.stringify(more)}: ${status}`);
  }
  for (const role of ['app', 'patient'])
    for (const more of [{ [org]: 'RCD' }, { [fn]: 'REFERRING_CLINICIAN' }, { [obo]: '555032006106' }])
      must((await ask(role, 'GET', 'ServiceRequest?_count=1', undefined, more)).status === 403, `${role} with ${JSON.stringify(more)}`);
  const token = await tokenOf('gp');
  const url = `/FHIR/R4/ServiceRequest/${hidden.ServiceRequest}`;
  const head = (more) => `GET ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n${more}\r\n\r\n`;
  const both = `${org}: D82106\r\n${fn}: REFERRING_CLINICIAN`;
  const raw = [
    `${both}\r\n${org}: R69`,
    `${both}\r\n${org.toUpperCase()}: RCD`,
    `${both}\r\n${fn}: SERVICE_PROVIDER_CLINICIAN`,
    `${both}\r\nauthorization: Bearer ${await tokenOf('system')}x`,
    `${both}\r\nx-http-method-override: DELETE`,
    `${both}\r\nx-original-url: /FHIR/R4/Patient/${hidden.Patient}`,
    `${both}\r\nx-rewrite-url: /FHIR/R4/Patient/${hidden.Patient}`,
    `${both}\r\nx-forwarded-for: 127.0.0.1\r\nforwarded: for=127.0.0.1\r\nx-real-ip: 127.0.0.1`,
    `${both}\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: https`,
    `${org} : D82106\r\n${fn}: REFERRING_CLINICIAN`,
    `${both}\r\n ${org}: RCD`,
  ];
  for (const more of raw) {
    const text = await rawAt(one, head(more));
    must(/^HTTP\/1\.1 4/.test(text) && !text.includes(mark), `${more.slice(-80)}: ${text.slice(0, 80)}`);
    must(!text.includes('evil.example'), 'a forwarded host is believed');
  }
  return { tries: refused.length + 6 + raw.length };
};

export const reads = [
  ['other people’s records by every search feature', everySearch],
  ['not there and not yours by every verb', oracles],
  ['spoofed headers', headers],
];
