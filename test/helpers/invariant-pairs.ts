/** Where no example gives an invariant a place, or breaks it: what keeps it and what does not, with the type that the expression starts from. */
type Node = { readonly [name: string]: unknown };
export type Pair = readonly [key: string, type: string, holds: Node, fails: Node];

const coded = (system: string, code: string) => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] });
const bundle = (type: string, entry: readonly Node[] = [], more: Node = {}) => ({ resourceType: 'Bundle', type, entry, ...more });
const holding = (...contained: readonly Node[]) => ({ resourceType: 'Patient', contained, managingOrganization: { reference: '#a' } });
const organization = (more: Node = {}) => ({ resourceType: 'Organization', id: 'a', name: 'A', ...more });
const milligrams = (value: number) => ({ value, system: 'http://unitsofmeasure.org', code: 'mg' });
const wrong = 'entered-in-error';

export const pairs: readonly Pair[] = [
  ['mqty-1', 'MoneyQuantity', { value: 1, system: 'urn:iso:std:iso:4217', code: 'GBP' }, { value: 1 }],
  ['sqty-1', 'SimpleQuantity', { value: 1 }, { value: 1, comparator: '<' }],
  ['att-1', 'Attachment', { data: 'AAAA', contentType: 'a/b' }, { data: 'AAAA' }],
  ['rng-2', 'Range', { low: milligrams(1), high: milligrams(2) }, { low: milligrams(3), high: milligrams(2) }],
  ['dom-2', 'Patient', holding(organization()), holding(organization({ contained: [{ resourceType: 'Basic' }] }))],
  ['dom-3', 'Patient', holding(organization()), holding(organization(), { resourceType: 'Basic', id: 'b' })],
  ['dom-4', 'Patient', holding(organization()), holding(organization({ meta: { versionId: '1' } }))],
  ['dom-5', 'Patient', holding(organization()), holding(organization({ meta: { security: [{ code: 'x' }] } }))],
  ['dom-6', 'Patient', { resourceType: 'Patient', text: { status: 'generated', div: '<div>x</div>' } }, { resourceType: 'Patient' }],
  [
    'app-4',
    'Appointment',
    { resourceType: 'Appointment', status: 'cancelled', cancelationReason: { text: 'x' } },
    { resourceType: 'Appointment', status: 'booked', cancelationReason: { text: 'x' } },
  ],
  ['org-2', 'Address', { use: 'work' }, { use: 'home' }],
  ['org-3', 'ContactPoint', { use: 'work' }, { use: 'home' }],
  [
    'ait-2',
    'AllergyIntolerance',
    { resourceType: 'AllergyIntolerance', verificationStatus: coded('allergyintolerance-verification', wrong) },
    {
      resourceType: 'AllergyIntolerance',
      verificationStatus: coded('allergyintolerance-verification', wrong),
      clinicalStatus: { text: 'x' },
    },
  ],
  ['con-1', 'Condition.stage', { summary: { text: 'x' } }, { type: { text: 'x' } }],
  ['con-2', 'Condition.evidence', { code: [{ text: 'x' }] }, { id: 'x' }],
  [
    'con-4',
    'Condition',
    { resourceType: 'Condition', abatementDateTime: '2020', clinicalStatus: coded('condition-clinical', 'resolved') },
    { resourceType: 'Condition', abatementDateTime: '2020', clinicalStatus: coded('condition-clinical', 'active') },
  ],
  [
    'con-5',
    'Condition',
    { resourceType: 'Condition', verificationStatus: coded('condition-ver-status', wrong) },
    { resourceType: 'Condition', verificationStatus: coded('condition-ver-status', wrong), clinicalStatus: { text: 'x' } },
  ],
  ['obs-3', 'Observation.referenceRange', { text: 'x' }, { type: { text: 'x' } }],
  [
    'obs-6',
    'Observation',
    { resourceType: 'Observation', valueString: 'x' },
    { resourceType: 'Observation', valueString: 'x', dataAbsentReason: { text: 'y' } },
  ],
  [
    'obs-7',
    'Observation',
    {
      resourceType: 'Observation',
      code: { coding: [{ code: 'a' }] },
      valueString: 'x',
      component: [{ code: { coding: [{ code: 'b' }] } }],
    },
    {
      resourceType: 'Observation',
      code: { coding: [{ code: 'a' }] },
      valueString: 'x',
      component: [{ code: { coding: [{ code: 'a' }] } }],
    },
  ],
  ['vs-2', 'Observation', { resourceType: 'Observation', valueString: 'x' }, { resourceType: 'Observation' }],
  ['vs-3', 'Observation.component', { valueString: 'x' }, { code: { text: 'x' } }],
  ['imm-1', 'Immunization.education', { documentType: 'x' }, { publicationDate: '2020' }],
  [
    'mdd-1',
    'MedicationDispense',
    { resourceType: 'MedicationDispense', whenPrepared: '2020-01-01', whenHandedOver: '2020-01-02' },
    { resourceType: 'MedicationDispense', whenPrepared: '2020-01-02', whenHandedOver: '2020-01-01' },
  ],
  [
    'inv-1@Task',
    'Task',
    { resourceType: 'Task', authoredOn: '2020-01-01', lastModified: '2020-01-02' },
    { resourceType: 'Task', authoredOn: '2020-01-02', lastModified: '2020-01-01' },
  ],
  ['ers-ubrn-1', 'Identifier', { value: '000000000001' }, { value: '1' }],
  ['cpl-3', 'CarePlan.activity', { detail: { status: 'unknown' } }, { detail: { status: 'unknown' }, reference: { display: 'x' } }],
  ['sev-1', 'SearchParameter', { resourceType: 'SearchParameter', name: 'x' }, { resourceType: 'SearchParameter', name: 'x', query: 'y' }],
  ['cmp-2', 'Composition.section', { entry: [{ display: 'x' }] }, { entry: [{ display: 'x' }], emptyReason: { text: 'x' } }],
  ['bdl-1', 'Bundle', bundle('searchset', [], { total: 1 }), bundle('batch', [], { total: 1 })],
  ['bdl-2', 'Bundle', bundle('searchset', [{ search: { mode: 'match' } }]), bundle('batch', [{ search: { mode: 'match' } }])],
  [
    'bdl-3',
    'Bundle',
    bundle('batch', [{ request: { method: 'GET', url: 'x' } }]),
    bundle('collection', [{ request: { method: 'GET', url: 'x' } }]),
  ],
  ['bdl-4', 'Bundle', bundle('batch-response', [{ response: { status: '200' } }]), bundle('collection', [{ response: { status: '200' } }])],
  ['bdl-8', 'Bundle.entry', { fullUrl: 'http://example.org/Basic/1' }, { fullUrl: 'http://example.org/Basic/1/_history/2' }],
  [
    'bdl-9',
    'Bundle',
    bundle('document', [], { identifier: { system: 'urn:x:y', value: '1' } }),
    bundle('document', [], { identifier: { value: '1' } }),
  ],
  ['bdl-10', 'Bundle', bundle('document', [], { timestamp: '2020-01-01T00:00:00Z' }), bundle('document')],
  [
    'bdl-11',
    'Bundle',
    bundle('document', [{ resource: { resourceType: 'Composition' } }]),
    bundle('document', [{ resource: { resourceType: 'Basic' } }]),
  ],
  [
    'bdl-12',
    'Bundle',
    bundle('message', [{ resource: { resourceType: 'MessageHeader' } }]),
    bundle('message', [{ resource: { resourceType: 'Basic' } }]),
  ],
];
