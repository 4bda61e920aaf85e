/** Each kind of condition with each of its modifiers, on rows that match it and rows that must not. */
import type { Resource } from '../../src/fhir/resource.js';
import type { Kin } from '../../src/fhir/search/hierarchy.js';
import type { Store } from '../../src/store/port.js';
import { idsOf } from '../builders/units.js';
import { onEveryEngine } from './engines.js';
import { parserOf, rowsOf } from './real-index.js';

const ucum = 'http://unitsofmeasure.org';
const loinc = 'http://loinc.org';
const statuses = 'http://hl7.org/fhir/observation-status';
const mr = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }], text: 'Hospital number' };
const quantity = (value: number, code?: string) => ({ value, ...(code === undefined ? {} : { system: ucum, code, unit: code }) });
const observation = (id: string, more: object) => ({ resourceType: 'Observation', id, subject: { reference: 'Patient/p1' }, ...more });
const coded = (code: string, display: string) => ({ coding: [{ system: loinc, code, display }] });

const resources: readonly object[] = [
  { resourceType: 'Practitioner', id: 'd1', identifier: [{ system: 'urn:gmc', value: '7' }], name: [{ family: 'Doctor' }] },
  {
    ...{ resourceType: 'Patient', id: 'p1', active: true, gender: 'male', birthDate: '1980-05', deceasedBoolean: false },
    ...{ name: [{ family: 'Smith', given: ['Ann'] }], address: [{ city: 'Leeds', country: 'GB' }] },
    identifier: [
      { type: mr, system: 'urn:mrn', value: 'A1' },
      { system: 'urn:other', value: 'B2' },
    ],
    telecom: [{ system: 'phone', use: 'home', value: '0123' }],
    generalPractitioner: [{ reference: 'Practitioner/d1' }],
    meta: { tag: [{ system: 't', code: 'x' }], profile: ['http://p/a|1'], source: 'urn:feed' },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Lorem ipsum</div>' },
  },
  {
    ...{ resourceType: 'Patient', id: 'p2', gender: 'female', birthDate: '1990-01-01', deceasedDateTime: '2020-06-01' },
    ...{ name: [{ family: 'Smithérs', given: ['Bob, Jr'] }], identifier: [{ system: 'urn:mrn', value: 'a1' }] },
    generalPractitioner: [{ identifier: { system: 'urn:gmc', value: '7' } }],
    contained: [{ resourceType: 'Practitioner', id: 'in', name: [{ family: 'Inner' }] }],
  },
  {
    resourceType: 'Patient',
    id: 'p3',
    generalPractitioner: [{ reference: '#in' }],
    contained: [{ resourceType: 'Practitioner', id: 'in', name: [{ family: 'Within' }] }],
  },
  observation('o1', {
    ...{ status: 'amended', code: coded('8867-4', 'Heart rate'), effectiveDateTime: '2020-01-15T10:00:00Z' },
    valueQuantity: quantity(5500, 'mg'),
    component: [
      { code: coded('8480-6', 'Systolic'), valueQuantity: quantity(120, 'mm[Hg]') },
      { code: coded('8462-4', 'Diastolic'), valueQuantity: quantity(80, 'mm[Hg]') },
    ],
  }),
  observation('o2', {
    ...{ status: 'corrected', code: coded('8480-6', 'Systolic'), effectivePeriod: { start: '2020-01-10', end: '2020-02-10' } },
    ...{ valueQuantity: quantity(120), hasMember: [{ reference: 'Observation/o1' }] },
  }),
  observation('o3', {
    ...{
      status: 'final',
      code: { text: 'Free text' },
      valueCodeableConcept: { text: 'Broken leg' },
      hasMember: [{ reference: 'Observation/o2' }],
    },
    effectivePeriod: { start: '2021-01-01' },
  }),
  observation('o4', { status: 'final', code: coded('8867-4', 'Heart rate'), valueQuantity: quantity(1.1, 'mg') }),
  { resourceType: 'Location', id: 'l1', name: 'Leeds', position: { longitude: -1.55, latitude: 53.8 } },
  { resourceType: 'Location', id: 'l2', name: 'Ward', position: { longitude: -1.5, latitude: 53.9 }, partOf: { reference: 'Location/l1' } },
  { resourceType: 'Location', id: 'l3', name: 'London', position: { longitude: 0, latitude: 51.5 } },
  { resourceType: 'Location', id: 'l4', name: 'Nowhere' },
  { resourceType: 'HealthcareService', id: 'h1', location: [{ reference: 'Location/l2' }] },
  { resourceType: 'HealthcareService', id: 'h2', location: [{ reference: 'Location/l3' }] },
  { resourceType: 'ValueSet', id: 'v1', url: 'http://a/b/c', status: 'active' },
  { resourceType: 'ValueSet', id: 'v2', url: 'http://a/b', status: 'draft' },
  { resourceType: 'ValueSet', id: 'v3', url: 'urn:oid:1.2.3', status: 'active' },
  { resourceType: 'List', id: 's1', status: 'current', mode: 'working', entry: [{ item: { reference: 'Patient/p1' } }] },
];

/** type, query, and the ids of what it finds; all others of the type must not be found */
const table: readonly (readonly [string, string, readonly string[]])[] = [
  // what every row has
  ['Patient', '_id=p1,p3,none', ['p1', 'p3']],
  ['Patient', '_lastUpdated=gt2020', ['p1', 'p2', 'p3']],
  ['Patient', '_lastUpdated=lt2020', []],
  ['Patient', '_lastUpdated:missing=false', ['p1', 'p2', 'p3']],
  ['Patient', '_id:missing=true', []],
  ['Patient', '_tag=t|x', ['p1']],
  ['Patient', '_tag:not=t|x', ['p2', 'p3']],
  ['Patient', '_tag:missing=true', ['p2', 'p3']],
  ['Patient', '_profile=http://p/a', ['p1']],
  ['Patient', '_profile=http://p/a|1', ['p1']],
  ['Patient', '_profile=http://p/a|2', []],
  ['Patient', '_profile=http://p/', []],
  ['Patient', '_profile:below=http://p', ['p1']],
  ['Patient', '_source=urn:feed', ['p1']],
  ['Patient', '_text=lorem', ['p1']],
  ['Patient', '_text=smith', []],
  ['Patient', '_content=smith', ['p1']],
  ['Patient', '_list=s1', ['p1']],
  // strings
  ['Patient', 'family=smith', ['p1', 'p2']],
  ['Patient', 'family=SMITHERS', ['p2']],
  ['Patient', 'family=mith', []],
  ['Patient', 'family:contains=mith', ['p1', 'p2']],
  ['Patient', 'family:exact=Smith', ['p1']],
  ['Patient', 'family:exact=smith', []],
  ['Patient', 'family:exact=Smithers', []],
  ['Patient', 'family:missing=true', ['p3']],
  ['Patient', 'given=bob\\, jr', ['p2']],
  ['Patient', 'given=bob,ann', ['p1', 'p2']],
  ['Patient', 'address=leeds', ['p1']],
  // tokens
  ['Patient', 'gender=male', ['p1']],
  ['Patient', 'gender=MALE', []],
  ['Patient', 'gender=male,female', ['p1', 'p2']],
  ['Patient', 'gender:not=male', ['p2', 'p3']],
  ['Patient', 'gender:not=male,female', ['p3']],
  ['Patient', 'gender:missing=false', ['p1', 'p2']],
  ['Patient', 'gender=http://hl7.org/fhir/administrative-gender|male', ['p1']],
  ['Patient', 'gender=http://other|male', []],
  ['Patient', 'gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', ['p1', 'p2']],
  ['Patient', 'gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender', ['p3']],
  ['Patient', 'active=true', ['p1']],
  ['Patient', 'active:not=true', ['p2', 'p3']],
  ['Patient', 'deceased=true', ['p2']],
  ['Patient', 'identifier=A1', ['p1']],
  ['Patient', 'identifier=urn:mrn|A1', ['p1']],
  ['Patient', 'identifier=urn:mrn|a1', ['p2']],
  ['Patient', 'identifier=urn:other|A1', []],
  ['Patient', 'identifier=urn:mrn|', ['p1', 'p2']],
  ['Patient', 'identifier=|A1', []],
  ['Patient', 'identifier:not=urn:mrn|A1', ['p2', 'p3']],
  ['Patient', 'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|A1', ['p1']],
  ['Patient', 'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|B2', []],
  ['Patient', 'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|NH|A1', []],
  ['Patient', 'identifier:text=hosp', ['p1']],
  ['Patient', 'telecom=0123', ['p1']],
  ['Patient', 'telecom=phone|0123', ['p1']],
  ['Patient', 'telecom=email|0123', []],
  ['Patient', 'phone=0123', ['p1']],
  ['Patient', 'email=0123', []],
  ['Observation', `code=${loinc}|8867-4`, ['o1', 'o4']],
  ['Observation', 'code:text=heart', ['o1', 'o4']],
  ['Observation', 'code:text=free', ['o3']],
  ['Observation', 'code:text=rate', []],
  ['Observation', 'code:missing=true', []],
  ['Observation', `code:not=${loinc}|8867-4`, ['o2', 'o3']],
  ['Observation', `status:below=${statuses}|amended`, ['o1', 'o2']],
  ['Observation', `status:above=${statuses}|corrected`, ['o1', 'o2']],
  ['Observation', `status:above=${statuses}|amended`, ['o1']],
  ['Observation', 'value-concept:text=broken', ['o3']],
  // references
  ['Observation', 'subject=Patient/p1', ['o1', 'o2', 'o3', 'o4']],
  ['Observation', 'subject:Patient=p2', []],
  ['Observation', 'subject:Patient=p1', ['o1', 'o2', 'o3', 'o4']],
  ['Observation', 'patient=p1', ['o1', 'o2', 'o3', 'o4']],
  ['Observation', 'subject=http://here/Patient/p1', ['o1', 'o2', 'o3', 'o4']],
  ['Observation', 'subject=http://there/Patient/p1', []],
  ['Observation', 'has-member:missing=true', ['o1', 'o4']],
  ['Patient', 'general-practitioner=Practitioner/d1', ['p1']],
  ['Patient', 'general-practitioner:identifier=urn:gmc|7', ['p1', 'p2']],
  ['Patient', 'general-practitioner:identifier=urn:gmc|8', []],
  ['Patient', 'general-practitioner:missing=true', []],
  ['HealthcareService', 'location:below=Location/l1', ['h1']],
  ['HealthcareService', 'location:above=Location/l2', ['h1']],
  ['HealthcareService', 'location=Location/l1', []],
  // chains and _has
  ['Patient', 'general-practitioner:Practitioner.family=doctor', ['p1']],
  ['Patient', 'general-practitioner:Practitioner.family=within', ['p3']],
  ['Patient', 'general-practitioner:Practitioner.family=inner', []],
  ['Observation', 'subject:Patient.general-practitioner:Practitioner.family=doctor', ['o1', 'o2', 'o3', 'o4']],
  ['Observation', 'has-member:Observation.has-member:Observation.status=amended', ['o3']],
  ['Patient', '_has:Observation:subject:status=amended', ['p1']],
  ['Patient', '_has:Observation:subject:status=registered', []],
  ['Practitioner', '_has:Patient:general-practitioner:_has:Observation:subject:status=final', ['d1']],
  ['Observation', '_has:Observation:has-member:_has:Observation:has-member:status=final', ['o1']],
  ['Observation', '_has:Observation:has-member:status:not=final', ['o1']],
  // dates, of each precision
  ['Patient', 'birthdate=1980', ['p1']],
  ['Patient', 'birthdate=1980-05', ['p1']],
  ['Patient', 'birthdate=1980-05-10', []],
  ['Patient', 'birthdate=ne1980-05', ['p2']],
  ['Patient', 'birthdate=gt1980-05-10', ['p1', 'p2']],
  ['Patient', 'birthdate=sa1980-05-10', ['p2']],
  ['Patient', 'birthdate=lt1980-05-10', ['p1']],
  ['Patient', 'birthdate=eb1980-05-10', []],
  ['Patient', 'birthdate=ge1990,1980', ['p1', 'p2']],
  ['Patient', 'birthdate=le1980-05', ['p1']],
  ['Patient', 'birthdate:missing=true', ['p3']],
  ['Patient', 'birthdate=ap1981', ['p1']],
  ['Patient', 'death-date=2020', ['p2']],
  ['Observation', 'date=2020-01', ['o1']],
  ['Observation', 'date=2020-01-15T10:00:00Z', ['o1']],
  ['Observation', 'date=2020-01-15T10:00:00%2B01:00', []],
  ['Observation', 'date=ge2020-02', ['o3']],
  ['Observation', 'date=sa2020-02', ['o3']],
  ['Observation', 'date=eb2020-02', ['o1']],
  ['Observation', 'date=gt2030', ['o3']],
  ['Observation', 'date:missing=true', ['o4']],
  // quantities
  ['Observation', 'value-quantity=5500', ['o1']],
  ['Observation', 'value-quantity=5500||mg', ['o1']],
  ['Observation', 'value-quantity=5500||g', []],
  ['Observation', `value-quantity=5.5|${ucum}|g`, ['o1']],
  ['Observation', `value-quantity=5.5|${ucum}|m`, []],
  ['Observation', `value-quantity=5.5|http://other|g`, []],
  ['Observation', `value-quantity=gt0.005|${ucum}|kg`, ['o1']],
  ['Observation', `value-quantity=lt0.005|${ucum}|kg`, ['o4']],
  ['Observation', `value-quantity=le0.0011|${ucum}|g`, ['o4']],
  ['Observation', `value-quantity=gt0.0011|${ucum}|g`, ['o1']],
  ['Observation', 'value-quantity=ge120', ['o1', 'o2']],
  ['Observation', 'value-quantity=ap5000', ['o1']],
  ['Observation', 'value-quantity:missing=true', ['o3']],
  ['Observation', 'value-quantity=ne5500', ['o2', 'o4']],
  // composites: the parts must hold for the same element
  ['Observation', `component-code-value-quantity=${loinc}|8480-6$120`, ['o1']],
  ['Observation', `component-code-value-quantity=${loinc}|8480-6$80`, []],
  ['Observation', `component-code-value-quantity=8462-4$lt100|${ucum}|mm[Hg]`, ['o1']],
  ['Observation', `combo-code-value-quantity=${loinc}|8480-6$120`, ['o1', 'o2']],
  ['Observation', `code-value-quantity=${loinc}|8867-4$gt5|${ucum}|g`, ['o1']],
  ['Observation', `code-value-quantity=${loinc}|8480-6$gt5|${ucum}|g`, []],
  ['Observation', 'component-code-value-quantity:missing=true', ['o2', 'o3', 'o4']],
  // URIs
  ['ValueSet', 'url=http://a/b', ['v2']],
  ['ValueSet', 'url=HTTP://a/b', []],
  ['ValueSet', 'url:below=http://a/b', ['v1', 'v2']],
  ['ValueSet', 'url:above=http://a/b/c/d', ['v1', 'v2']],
  ['ValueSet', 'url:above=http://a/b', ['v2']],
  ['ValueSet', 'url:contains=oid', ['v3']],
  ['ValueSet', 'url:missing=true', []],
  // near
  ['Location', 'near=53.8|-1.55|1|km', ['l1']],
  ['Location', 'near=53.8|-1.55|12|km', ['l1', 'l2']],
  ['Location', 'near=53.8|-1.55|12000|m', ['l1', 'l2']],
  ['Location', 'near=53.8|-1.55|8|[mi_i]', ['l1', 'l2']],
  ['Location', 'near=53.8|-1.55', ['l1']],
  ['Location', 'near=53.8|-1.55|1|km,51.5|0|1|km', ['l1', 'l3']],
  ['Location', 'near=-53.8|1.55|100|km', []],
  ['Location', 'near:missing=true', ['l4']],
  // several together
  ['Patient', 'gender=male&family=smith', ['p1']],
  ['Patient', 'family=smith&family=ann', []],
  ['Patient', 'name=smith&name=ann', ['p1']],
  ['Patient', '_filter=(gender eq male and (family eq "smith" or birthdate pr false)) or not (family pr true)', ['p1', 'p3']],
  ['Patient', '_filter=_id eq p1 and gender eq female', []],
  ['Patient', '_filter=general-practitioner[family eq doctor]._id eq d1', ['p1']],
];

const parse = parserOf(['HealthcareService', 'List', 'Location', 'Observation', 'Patient', 'Practitioner', 'ValueSet']);
/** Locations as they are part of each other above. */
const kin: Kin = ({ type, id }, direction) =>
  ['l1', 'l2'].includes(id) && ((direction === 'below' && id === 'l1') || (direction === 'above' && id === 'l2'))
    ? ['l1', 'l2'].map((each) => ({ type, id: each }))
    : [{ type, id }];

onEveryEngine('predicates', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open({ integrity: true });
    await store.commit({ puts: (resources as readonly Resource[]).flatMap(rowsOf) });
  });
  afterAll(() => store.close());

  // the rows of one unit have no order among themselves
  const found = ({ rows }: { readonly rows: readonly { readonly id: string }[] }) => idsOf(rows).toSorted();

  it.each(table)('%s?%s', async (type, query, expected) => {
    const pairs = query.split('&').map((pair): readonly [string, string] => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1).replaceAll('%2B', '+')];
    });
    const { plan } = parse(type, pairs, { lenient: false, kin });
    expect(found(await store.search(plan, 'all'))).toEqual(expected.toSorted());
    expect(await store.count(plan, 'all', 100)).toBe(expected.length);
    // beside a condition that leads to each row by itself, it is tested and does not lead
    const ids = (resources as readonly Resource[]).filter(({ resourceType }) => resourceType === type).map(({ id = '' }) => id);
    const led = { ...plan, where: [...plan.where, { kind: 'id' as const, ids }] };
    expect(found(await store.search(led, 'all'))).toEqual(expected.toSorted());
    const negated = { ...plan, where: [{ kind: 'not' as const, where: plan.where }] };
    expect(found(await store.search(negated, 'all'))).toEqual(ids.filter((id) => !expected.includes(id)).toSorted());
  });
});
