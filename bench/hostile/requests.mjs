// Malformed, overlong, deep, huge and compressed requests: each is answered with an error, soon, and the server lives.
import { gzipSync, brotliCompressSync } from 'node:zlib';
import { mark, must, rawAt } from './world.mjs';

const soonMs = 5000;
const timed = async (act) => {
  const started = performance.now();
  const result = await act();
  return [result, performance.now() - started];
};

const paths = async ({ one, tokenOf, hidden }) => {
  const token = await tokenOf('gp');
  const head = `host: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\nnhsd-end-user-organisation-ods: D82106\r\nnhsd-ers-business-function: REFERRING_CLINICIAN\r\n`;
  const id = hidden.Patient;
  const targets = [
    `/FHIR/R4/Patient/..%2f..%2fetc%2fpasswd`,
    `/FHIR/R4/Binary/%2e%2e%2f%2e%2e%2fclients%2fdemo-system.jwk.json`,
    `/FHIR/R4/Binary/..%5c..%5cclients`,
    `/FHIR/R4/../../../../etc/passwd`,
    `/FHIR/R4/%2e%2e/%2e%2e/metrics/../FHIR/R4/Patient/${id}`,
    `/FHIR/R4//Patient/${id}`,
    `//FHIR/R4/Patient/${id}`,
    `/FHIR/R4/Patient/${id}%00`,
    `/FHIR/R4/Patient/%00${id}`,
    `/FHIR/R4/Patient/${id}%0d%0aset-cookie:%20x=1`,
    `/FHIR/R4/Patient/${id};jsessionid=1`,
    `/FHIR/R4/Patient/${id}/`,
    `/FHIR/R4/Patient/${id}/.`,
    `/FHIR/R4/Patient/./${id}`,
    `/FHIR/R4/%50atient/${id}`,
    `/fhir/r4/Patient/${id}`,
    `/FHIR/R4/patient/${id}`,
    `/FHIR/R4/Patient/${'a'.repeat(65)}`,
    `/FHIR/R4/Patient/${'a'.repeat(9000)}`,
    `/FHIR/R4/Patient/%E2%80%AE${id}`,
    `/FHIR/R4/Patient/${id}%EF%BC%8F_history`,
    `/FHIR/R4/Patient/%c0%ae%c0%ae/`,
    `/FHIR/R4/Patient/%`,
    `/FHIR/R4/Patient/%zz`,
    `/FHIR/R4/__proto__/x`,
    `/FHIR/R4/constructor/x`,
    `/FHIR/R4/Patient/${id}#x`,
    `/FHIR/R4/Patient?__proto__[x]=1`,
    `/FHIR/R4/Patient?${'a=1&'.repeat(3000)}`,
    `http://127.0.0.1/FHIR/R4/Patient/${id}`,
    `http://evil.example/FHIR/R4/Patient/${id}`,
    `https://evil.example:443/FHIR/R4/Patient/${id}`,
    `evil.example:443`,
    '*',
  ];
  for (const target of targets) {
    const text = await rawAt(one, `GET ${target} HTTP/1.1\r\n${head}\r\n`);
    must(!text.includes(mark), `${target.slice(0, 80)} shows a record`);
    must(!/^set-cookie/im.test(text), `${target.slice(0, 80)} sets a header`);
    must(/^HTTP\/1\.1 [234]/.test(text) || text === '', `${target.slice(0, 80)}: ${text.slice(0, 60)}`);
    must(!/root:|"d":/.test(text), `${target.slice(0, 80)} reads a file`);
  }
  const broken = [
    `GET /FHIR/R4/Patient HTTP/1.1\r\n${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /FHIR/R4/Patient/${id} HTTP/1.1\r\n${head}\r\n`,
    `POST /FHIR/R4/Patient HTTP/1.1\r\n${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
    `POST /FHIR/R4/Patient HTTP/1.1\r\n${head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `GET /FHIR/R4/metadata\r\n\r\n`,
    `GET /FHIR/R4/metadata HTTP/1.1\nhost: x\n\n`,
    `GET /FHIR/R4/metadata HTTP/9.9\r\nhost: x\r\n\r\n`,
    `${'G'.repeat(100)} / HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\n${Array.from({ length: 300 }, (_, n) => `h${n}: 1`).join('\r\n')}\r\nconnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`,
    `GET /FHIR/R4/Slot HTTP/1.1\r\n${head}x-correlation-id: a\rset-cookie: b\r\n\r\n`,
    '\0'.repeat(100) + '\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ];
  for (const bytes of broken) {
    const text = await rawAt(one, bytes, 15_000);
    must((text.match(/^HTTP\/1\.1 200/gm) ?? []).length <= 1 && !text.includes(mark), `${bytes.slice(0, 60)} is two requests`);
    must(!/^HTTP\/1\.1 5/.test(text), `${bytes.slice(0, 60)}: ${text.slice(0, 40)}`);
  }
  return { tries: targets.length + broken.length };
};

const deep = (levels, inner = '1') => '{"a":'.repeat(levels) + inner + '}'.repeat(levels);
const patient = (more) => `{"resourceType":"Patient",${more}}`;

const bodies = async ({ ask }) => {
  const json = [
    patient(`"extension":${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    deep(50_000),
    patient(`"contact":[${deep(300)}]`),
    patient('"__proto__":{"polluted":true}'),
    patient('"constructor":{"prototype":{"polluted":true}}'),
    '{"__proto__":{"polluted":true},"resourceType":"Patient"}',
    patient(`"multipleBirthInteger":${'9'.repeat(200_000)}`),
    patient('"multipleBirthInteger":1e400'),
    patient('"multipleBirthInteger":1e-400000'),
    patient(`"birthDate":"${'9'.repeat(100_000)}"`),
    patient(`"language":"${'a'.repeat(1_000_000)}"`),
    patient('"active":true,"active":false'),
    patient(`"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>${'<b>'.repeat(50_000)}"}`),
    patient(`"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'><script>x</script></div>"}`),
    patient(`"photo":[{"url":"${'a'.repeat(30)}://${'a.'.repeat(50_000)}!"}]`),
    `{"resourceType":"Bundle","type":"batch","entry":[${'{},'.repeat(1001)}{}]}`,
    '[]',
    'null',
    '"x"',
    '{"resourceType":"__proto__"}',
    '{"resourceType":["Patient"]}',
    '\u0000',
    '\ud800',
  ];
  for (const [index, text] of json.entries()) {
    const [answer, ms] = await timed(() => ask('system', 'POST', text.includes('"Bundle"') ? '' : 'Patient', text));
    // a long language is a language; a member that R4 does not know never is one
    must(answer.status < 500 && (answer.status >= 400 || !text.includes('polluted')), `body ${index}: ${answer.status}`);
    must(ms < soonMs, `body ${index} took ${ms.toFixed(0)} ms`);
  }
  must({}.polluted === undefined, 'the prototype of this process');
  const xml = [
    `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><Patient xmlns="http://hl7.org/fhir"><id value="&c;"/></Patient>`,
    `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><language value="&a;"/></Patient>`,
    `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>`,
    `<!DOCTYPE x [${Array.from({ length: 30 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join('')}]><Patient xmlns="http://hl7.org/fhir"><id value="&e30;"/></Patient>`,
    `<Patient xmlns="http://hl7.org/fhir">${'<contact>'.repeat(20_000)}`,
    `<Patient xmlns="http://hl7.org/fhir"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></Patient>`,
    `<Patient xmlns="http://hl7.org/fhir"><id ${Array.from({ length: 20_000 }, (_, n) => `a${n}="1"`).join(' ')}/></Patient>`,
  ];
  for (const [index, text] of xml.entries()) {
    const [answer, ms] = await timed(() => ask('system', 'POST', 'Patient', text, { 'content-type': 'application/fhir+xml' }));
    must(answer.status >= 400 && answer.status < 500, `XML ${index}: ${answer.status}`);
    must(!answer.text.includes('root:') && ms < soonMs, `XML ${index}: ${ms.toFixed(0)} ms`);
  }
  const bomb = Buffer.from(patient(`"language":"${' '.repeat(50_000_000)}"`));
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(bomb)],
    ['br', brotliCompressSync(bomb.subarray(0, 1_000_000))],
    ['gzip, gzip', gzipSync(gzipSync(bomb))],
    ['deflate', Buffer.from('x')],
  ]) {
    const [answer, ms] = await timed(() => ask('system', 'POST', 'Patient', bytes, { 'content-encoding': encoding }));
    must(answer.status === 415 && ms < soonMs, `a body in ${encoding}: ${answer.status} after ${ms.toFixed(0)} ms`);
  }
  return { tries: json.length + xml.length + 4 };
};

const costly = async ({ ask }) => {
  const long = 'a'.repeat(5000);
  const nested = `${'('.repeat(3000)}family eq x${')'.repeat(3000)}`;
  const searches = [
    `Patient?family:contains=${'a%'.repeat(100)}`.replaceAll('%', '%25'),
    `Patient?family:contains=${encodeURIComponent('_'.repeat(2000))}`,
    `Patient?family=${long}`,
    `Patient?_filter=${encodeURIComponent(nested)}`,
    `Patient?_filter=${encodeURIComponent('not ('.repeat(500) + 'family eq x' + ')'.repeat(500))}`,
    `Patient?_filter=${encodeURIComponent(Array.from({ length: 1000 }, () => 'family co "a"').join(' or '))}`,
    `Patient?${'_has:Observation:subject:'.repeat(30)}code=x`,
    `Observation?${'subject:Patient.link:Patient.'.repeat(30)}family=x`,
    `Patient?identifier=${Array.from({ length: 5000 }, (_, n) => n).join(',')}`,
    `Patient?_sort=${Array.from({ length: 500 }, () => 'family').join(',')}`,
    `Patient?_count=999999999999`,
    `Patient?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*&_count=1000`,
    `Patient?birthdate=${'9'.repeat(500)}`,
    `Observation?value-quantity=1e${'9'.repeat(50)}`,
    `Patient?_cursor=${long}`,
    `Patient?_elements=${Array.from({ length: 2000 }, () => 'id').join(',')}`,
  ];
  for (const url of searches) {
    const [{ status }, ms] = await timed(() => ask('system', 'GET', url));
    must(status < 500 && ms < soonMs, `${url.slice(0, 60)}: ${status} after ${ms.toFixed(0)} ms`);
  }
  const basic = (await ask('system', 'POST', 'Basic', { resourceType: 'Basic', code: { text: 'a'.repeat(50_000) } })).json;
  const expressions = [
    `Basic.code.where(text.matches('(a+)+$'))`,
    `Basic.code.where(text.matches('^(a|aa)+b'))`,
    `Basic.code.text.replaceMatches('(a*)*b', '')`,
    'Basic.'.padEnd(20_000, 'children().'),
    `Basic${'.descendants()'.repeat(500)}`,
    `${'('.repeat(5000)}Basic${')'.repeat(5000)}`,
    `Basic.code.repeat($this)`,
    `(1 to 100000000)`,
  ];
  for (const path of expressions) {
    const parts = [
      { name: 'type', valueCode: 'delete' },
      { name: 'path', valueString: path },
    ];
    const body = { resourceType: 'Parameters', parameter: [{ name: 'operation', part: parts }] };
    const [{ status }, ms] = await timed(() => ask('system', 'PATCH', `Basic/${basic.id}`, body));
    must(status >= 400 && status < 500 && ms < soonMs, `FHIRPath ${path.slice(0, 40)}: ${status} after ${ms.toFixed(0)} ms`);
  }
  const patches = [
    [{ op: 'add', path: '/__proto__/polluted', value: true }],
    [{ op: 'add', path: '/constructor/prototype/polluted', value: true }],
    Array.from({ length: 5000 }, () => ({ op: 'test', path: '/id', value: basic.id })),
    Array.from({ length: 60 }, () => ({ op: 'copy', from: '/code', path: '/code/extension' })),
    [{ op: 'add', path: `/${'a/'.repeat(50_000)}`, value: 1 }],
  ];
  for (const [index, patch] of patches.entries()) {
    const [{ status }, ms] = await timed(() =>
      ask('system', 'PATCH', `Basic/${basic.id}`, patch, { 'content-type': 'application/json-patch+json' }),
    );
    must(status >= 400 && status < 500 && ms < soonMs, `JSON Patch ${index}: ${status} after ${ms.toFixed(0)} ms`);
  }
  return { tries: searches.length + expressions.length + patches.length };
};

const imports = async ({ ask }) => {
  const lines = [
    'not json\n',
    '{"resourceType":"AuditEvent","id":"forged"}\n',
    '{"resourceType":"__proto__","id":"x"}\n',
    '{"resourceType":"Patient","id":"../../x"}\n',
    `${'{"a":'.repeat(20_000)}\n`,
    `${'x'.repeat(3_000_000)}\n`,
    '\n'.repeat(100_000),
  ];
  for (const role of ['gp', 'provider', 'patient', 'app'])
    must((await ask(role, 'POST', '$import', lines[1], { 'content-type': 'application/fhir+ndjson' })).status === 403, `${role} imports`);
  for (const [index, text] of lines.entries()) {
    const begun = await ask('system', 'POST', '$import', text, { 'content-type': 'application/fhir+ndjson' });
    must(begun.status < 500, `import ${index}: ${begun.status}`);
    const job = begun.headers.get('content-location');
    for (let n = 0; job && n < 200 && (await ask('system', 'GET', job)).status === 202; n++)
      await new Promise((done) => setTimeout(done, 100));
  }
  must((await ask('system', 'GET', 'AuditEvent/forged')).status === 404, 'an import wrote an AuditEvent');
  for (const url of ['file:///etc/passwd', 'http://127.0.0.1:1/x', 'Binary/nobody', '../clients/demo-system.jwk.json']) {
    const parameter = [{ name: 'input', part: [{ name: 'url', valueUri: url }] }];
    const { status } = await ask('system', 'POST', '$import', { resourceType: 'Parameters', parameter });
    must(status >= 400 && status < 500, `an import of ${url}: ${status}`);
  }
  return { tries: lines.length + 8 };
};

const lives = async ({ ask, servers }) => {
  for (const server of servers)
    must((await ask('gp', 'GET', 'Slot?_count=1', undefined, {}, server)).status === 200, 'a process died of it');
  return { tries: servers.length, told: 'both live' };
};

export const requests = [
  ['paths, targets and broken HTTP', paths],
  ['JSON and XML: depth, size, entities, prototypes, compression', bodies],
  ['costly searches, FHIRPath and patches', costly],
  ['imports', imports],
  ['both processes afterwards', lives],
];
