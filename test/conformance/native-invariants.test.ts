import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ElementDefinitionConstraint } from 'fhir/r4.js';
import { dataTypeInvariants } from '../../src/validation/invariants/data-types.js';
import { compileExpression } from '../../src/validation/invariants/fhirpath.js';
import { findNative } from '../../src/validation/invariants/invariants.js';
import type { Native } from '../../src/validation/invariants/native.js';
import { resourceInvariants } from '../../src/validation/invariants/resources.js';
import { createShapes, type Check } from '../../src/validation/shapes.js';
import { createStructureCheck } from '../../src/validation/structure.js';
import { isNode, Walk, type Node } from '../../src/validation/walk.js';
import { projectRoot } from '../helpers/artefacts.js';
import { allDefinitions } from '../helpers/definitions.js';
import { pairs } from '../helpers/invariant-pairs.js';

const shared = process.env['SHARED_DATA'] ?? path.join(projectRoot, '../shared/data');
const jsonOf = (folder: string): readonly Node[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .flatMap((file) => {
          try {
            const resource: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
            return isNode(resource) && typeof resource['resourceType'] === 'string' ? [resource] : [];
          } catch {
            return [];
          }
        })
    : [];

const basic = (value: object) => ({ resourceType: 'Basic', code: { text: 'x' }, extension: [{ url: 'http://example.org/e', ...value }] });
const ucum = { system: 'http://unitsofmeasure.org', value: 3 };
/** Of what no example has: each holds a rule of the table that the examples give no place. */
const seeds: readonly Node[] = [
  basic({ valueAge: { ...ucum, code: 'a' } }),
  basic({ valueCount: { ...ucum, code: '1' } }),
  basic({ valueDistance: { ...ucum, code: 'km' } }),
  basic({ valueDuration: { ...ucum, code: 'h' } }),
  basic({ valueRange: { low: { value: 1 }, high: { value: 2 } } }),
  basic({ valueRatio: { numerator: { value: 1 }, denominator: { value: 2 } } }),
  basic({ valueExpression: { language: 'text/fhirpath', expression: 'true', reference: 'http://example.org' } }),
  basic({
    valueTiming: {
      repeat: {
        duration: 1,
        durationMax: 2,
        durationUnit: 'h',
        period: 1,
        periodMax: 2,
        periodUnit: 'd',
        count: 1,
        countMax: 2,
        offset: 5,
        when: ['AC'],
      },
    },
  }),
  basic({ valueTiming: { repeat: { period: 1, periodUnit: 'd', timeOfDay: ['08:00:00'], when: ['C'] } } }),
  basic({
    valueDataRequirement: { type: 'Patient', codeFilter: [{ path: 'gender', searchParam: 'gender' }], dateFilter: [{ path: 'birthDate' }] },
  }),
  basic({
    valueTriggerDefinition: {
      type: 'data-added',
      data: [{ type: 'Patient' }],
      timingDate: '2020',
      condition: { language: 'text/fhirpath', expression: 'true' },
    },
  }),
  basic({ valueMoney: { value: 1, currency: 'GBP' } }),
  { resourceType: 'SubstanceSpecification', identifier: { value: '1' } },
  { resourceType: 'MolecularSequence', coordinateSystem: 1 },
  { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/1' } }] },
  {
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    description: { text: 'x' },
    subject: { reference: 'Patient/1' },
    target: [{ measure: { text: 'x' }, detailString: 'y' }],
  },
  {
    resourceType: 'List',
    status: 'current',
    mode: 'changes',
    entry: [{ deleted: true, date: '2020', item: { display: 'x' } }],
    emptyReason: { text: 'x' },
  },
  { resourceType: 'List', status: 'current', mode: 'working', entry: [{ deleted: true, date: '2020', item: { display: 'x' } }] },
  {
    resourceType: 'AppointmentResponse',
    appointment: { reference: 'Appointment/1' },
    participantType: [{ text: 'x' }],
    actor: { reference: 'Patient/1' },
    participantStatus: 'accepted',
  },
  {
    resourceType: 'FamilyMemberHistory',
    status: 'completed',
    patient: { reference: 'Patient/1' },
    relationship: { text: 'x' },
    ageString: 'x',
    bornDate: '2000',
    estimatedAge: true,
  },
  {
    resourceType: 'Parameters',
    parameter: [
      { name: 'a', valueBoolean: true, part: [{ name: 'b', valueString: 'c', resource: { resourceType: 'Basic', code: { text: 'x' } } }] },
      { name: 'c' },
    ],
  },
  { resourceType: 'ImplementationGuide', url: 'http://example.org', name: 'X', status: 'draft', packageId: 'x', fhirVersion: ['4.0.1'] },
  {
    resourceType: 'ValueSet',
    status: 'draft',
    compose: {
      include: [
        {
          system: 'http://example.org',
          concept: [{ code: 'a' }],
          filter: [{ property: 'a', op: '=', value: 'b' }],
          valueSet: ['http://example.org/v'],
        },
      ],
    },
  },
  {
    resourceType: 'Questionnaire',
    status: 'draft',
    item: [
      { linkId: '1', type: 'display', code: [{ code: 'a' }], required: true, readOnly: true, repeats: false },
      {
        linkId: '2',
        type: 'choice',
        answerOption: [{ valueString: 'a' }],
        answerValueSet: 'http://example.org/v',
        initial: [{ valueString: 'a' }, { valueString: 'b' }],
        maxLength: 3,
      },
      {
        linkId: '3',
        type: 'group',
        initial: [{ valueString: 'a' }],
        item: [
          {
            linkId: '2',
            type: 'string',
            repeats: true,
            maxLength: 3,
            enableWhen: [
              { question: '1', operator: 'exists', answerBoolean: true },
              { question: '1', operator: 'exists', answerString: 'x' },
            ],
            enableBehavior: 'all',
          },
        ],
      },
    ],
  },
  {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    item: [{ linkId: '1', answer: [{ valueBoolean: true }], item: [{ linkId: '2' }] }],
  },
  ...['searchset', 'batch', 'batch-response', 'history', 'document', 'message', 'collection'].map((type) => ({
    resourceType: 'Bundle',
    type,
    total: 2,
    identifier: { system: 'urn:x:y', value: '1' },
    timestamp: '2020-01-01T00:00:00Z',
    entry: [
      {
        fullUrl: 'http://example.org/Basic/1/_history/2',
        resource: { resourceType: 'Composition' },
        search: { mode: 'match' },
        request: { method: 'GET', url: 'x' },
      },
      {
        fullUrl: 'http://example.org/Basic/1',
        resource: { resourceType: 'MessageHeader', meta: { versionId: '1' } },
        response: { status: '200' },
      },
      { fullUrl: 'http://example.org/Basic/1', resource: { resourceType: 'Basic', code: { text: 'x' } } },
    ],
  })),
  ...['patient-privacy', 'research', 'adr', 'treatment'].map((code) => ({
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code }] },
    category: [{ text: 'x' }],
    patient: { reference: 'Patient/1' },
    policyRule: { text: 'x' },
    policy: [{ uri: 'http://example.org' }],
  })),
  {
    resourceType: 'Patient',
    contained: [
      {
        resourceType: 'Organization',
        id: 'a',
        meta: { versionId: '1', security: [{ code: 'x' }] },
        contained: [{ resourceType: 'Basic', id: 'b' }],
      },
      { resourceType: 'Organization', id: 'c', partOf: { reference: '#' } },
    ],
    managingOrganization: { reference: '#a' },
    generalPractitioner: [{ reference: '#none' }],
    contact: [{ organization: { reference: '#a' }, name: { text: 'x' } }],
  },
  {
    resourceType: 'SearchParameter',
    url: 'http://example.org',
    name: 'X',
    status: 'draft',
    code: 'x',
    base: ['Patient'],
    type: 'string',
    description: 'x',
  },
];

const copyOf = (node: Node): Record<string, unknown> => structuredClone(node);
const changed = (node: Node, key: string, value: unknown): Node => ({ ...node, [key]: value });
const without = (node: Node, ...keys: readonly string[]): Node =>
  Object.fromEntries(Object.entries(copyOf(node)).filter(([key]) => !keys.includes(key)));

/** A node, and what comes of it when parts are taken away, changed, doubled or swapped. */
const variantsOf = (node: Node): readonly Node[] => {
  const keys = Object.keys(node).filter((key) => key !== 'resourceType');
  const variants: Node[] = [node];
  for (const [index, key] of keys.entries()) {
    const value = node[key];
    variants.push(without(node, key));
    if (keys.length <= 8) for (const other of keys.slice(index + 1)) variants.push(without(node, key, other));
    if (typeof value === 'number') variants.push(changed(node, key, -value), changed(node, key, 0));
    if (typeof value === 'boolean') variants.push(changed(node, key, !value));
    if (typeof value === 'string') {
      variants.push(changed(node, key, 'other'));
      const rival = keys.find((other) => other !== key && typeof node[other] === 'string');
      if (rival !== undefined) variants.push({ ...node, [key]: node[rival], [rival]: value });
    }
    if (Array.isArray(value))
      variants.push(changed(node, key, value.slice(0, 1)), changed(node, key, [...(value as readonly unknown[]), value[0]]));
    if (isNode(value)) for (const inner of Object.keys(value)) variants.push(changed(node, key, without(value, inner)));
  }
  return variants;
};

type Tally = { holds: number; fails: number };
const tallies = new Map<string, Tally>();
const disagreements: string[] = [];
const nodesPerRule = 12;
const seenPerRule = new Map<string, number>();

const compare = (
  { key, expression = '' }: ElementDefinitionConstraint,
  type: string,
  required: () => readonly string[],
): Check | undefined => {
  const native = findNative(key, expression);
  if (native === undefined) return undefined;
  const name = `${key} ${expression}`;
  let general: ReturnType<typeof compileExpression> | undefined;
  return (walk, value) => {
    const place = `${name} ${type}`;
    const seen = seenPerRule.get(place) ?? 0;
    if (!isNode(value) || seen >= nodesPerRule) return;
    seenPerRule.set(place, seen + 1);
    general ??= compileExpression(expression, type);
    const tally = tallies.get(name) ?? { holds: 0, fails: 0 };
    tallies.set(name, tally);
    for (const variant of variantsOf(value)) {
      // what lacks a required element is refused before its invariants are asked
      if (required().some((name) => variant[name] === undefined && value[name] !== undefined)) continue;
      const inside = new Walk(walk.root);
      // the resource itself may be what is changed
      const frame = walk.frame.resource === value ? { ...walk.frame, resource: variant } : walk.frame;
      inside.frame = walk.frame.container === value ? { ...frame, container: variant } : frame;
      const [own, theirs] = [native.holds(variant, inside), general(inside, variant)];
      if (own) tally.holds++;
      else tally.fails++;
      if (theirs !== 'undecided' && own !== theirs)
        disagreements.push(`${name} on ${type}: native ${String(own)}, ${JSON.stringify(variant).slice(0, 300)}`);
    }
  };
};

const definitions = allDefinitions();

beforeAll(() => {
  const shapes = createShapes(definitions, {
    shape: (shape, definition) => {
      for (const constraint of definition.constraint ?? []) {
        const check = compare(constraint, shape.path, () => shape.required.map(({ name }) => name));
        if (check !== undefined) shape.checks.push(check);
      }
    },
    element: (element) => {
      for (const type of element.types)
        for (const constraint of type.shape?.path === element.path ? [] : (element.definition.constraint ?? [])) {
          const check = compare(constraint, type.code, () => (type.shape?.required ?? []).map(({ name }) => name));
          if (check !== undefined) type.checks.push(check);
        }
    },
  });
  const { resource: walkOver } = createStructureCheck(shapes);
  const folders = [
    path.join(projectRoot, 'test/examples'),
    path.join(shared, 'uk-core-examples'),
    path.join(shared, 'hl7-validator-cases'),
  ];
  for (const resource of [...seeds, ...folders.flatMap(jsonOf)]) walkOver(new Walk(resource), resource);
}, 120_000);

/** Rules that the general engine leaves open or reads otherwise, and code does not. */
const otherwise: Readonly<Record<string, string>> = {
  'que-13':
    'repeats that is not given is no true: nothing or false is nothing to FHIRPath, and more than one initial value is meant to be refused',
  'que-7': 'the engine does not take a FHIR boolean for a Boolean',
  'bdl-11': 'a document without entries does not begin with a Composition: nothing is nothing to FHIRPath',
  'drt-1': 'a system that is not given is not UCUM: nothing and true is nothing to FHIRPath',
};

test('a native invariant says what its expression says, on every instance and on what comes of it', () => {
  const surprising = disagreements.filter((text) => otherwise[text.split(' ')[0] ?? ''] === undefined);
  expect([...new Set(surprising.map((text) => text.split(' ')[0]))]).toEqual([]);
});

const all: Readonly<Record<string, Native>> = { ...dataTypeInvariants, ...resourceInvariants };
const tallied = (name: string): string => `${name.split('@')[0] ?? ''} ${all[name]!.expression}`;

test.each(pairs)('%s is held and broken, in code as in FHIRPath', (name, type, right, wrong) => {
  const { expression, holds } = all[name]!;
  const general = compileExpression(expression, type);
  const judged = [right, wrong].map((node) => {
    const walk = new Walk(node);
    return [holds(node, walk), general(walk, node)];
  });
  // the engine cannot evaluate this one at all
  const theirs = (own: boolean): boolean | string => (name === 'dom-3' ? 'undecided' : own);
  expect(judged).toEqual([
    [true, theirs(true)],
    [false, theirs(false)],
  ]);
});

test('a reference to what is contained is held and broken', () => {
  const holder = { resourceType: 'Patient', contained: [{ resourceType: 'Organization', id: 'a' }] };
  const judged = ['#a', '#b'].map((reference) => all['ref-1']!.holds({ reference }, new Walk(holder)));
  expect(judged).toEqual([true, false]);
});

test('every one of them was both held and broken', () => {
  const shown = new Set(pairs.map(([name]) => name)).add('ref-1');
  const unproven = Object.keys(all).filter((name) => {
    const { holds = 0, fails = 0 } = tallies.get(tallied(name)) ?? {};
    return !shown.has(name) && (holds === 0 || fails === 0);
  });
  expect(unproven).toEqual([]);
});
