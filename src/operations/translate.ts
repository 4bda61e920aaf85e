import type { CodeableConcept, Coding, ConceptMap } from 'fhir/r4.js';
import { sightOf } from '../access/policy.js';
import { translationsIn, type Dependency, type Question, type Translation } from '../fhir/concept-map.js';
import { parseJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import { readReference } from '../fhir/references.js';
import { gone, notFound } from '../interactions/answers.js';
import { refuseMisshapen } from '../interactions/checked.js';
import type { Call, House, Success } from '../interactions/house.js';
import type { Query } from '../interactions/query.js';
import type { Stored } from '../store/port.js';
import { parametersIn } from './inputs.js';
import type { Invocation, Operation } from './operation.js';
import { plainInputs, type PlainInputs } from './plain-inputs.js';

/** maps that one concept is looked up in, when no map is named */
const mostMaps = 100;
/** maps that leave a concept to one another, in a row */
const longestRow = 10;

type Match = Translation & { readonly source: string | undefined };

const named = async (house: House, call: Call, type: string, id: string): Promise<Stored & { readonly body: string }> => {
  const stored = await house.store.find({ type, id }, sightOf(call.caller, type));
  if (!stored) throw notFound({ type, id });
  if (stored.body === undefined) throw gone({ type, id });
  return { ...stored, body: stored.body };
};

const mapsBy = async (house: House, call: Call, query: Query): Promise<readonly ConceptMap[]> => {
  const { plan } = house.parseQuery('ConceptMap', [...query, ['_sort', '-_lastUpdated']], { lenient: false });
  const { rows } = await house.store.search({ ...plan, count: mostMaps + 1 }, sightOf(call.caller, 'ConceptMap'));
  if (rows.length > mostMaps)
    throw failure(
      'too-costly',
      'too-costly',
      `More than ${String(mostMaps)} maps may know the concept: name one by url, or name a target.`,
      {
        expression: ['url'],
      },
    );
  return rows.map(({ body }) => parseJson(body ?? '{}') as ConceptMap);
};

/** The newest map of the canonical; a version may stand in it. */
const mapByUrl = async (house: House, call: Call, canonical: string, version?: string): Promise<ConceptMap> => {
  const [url = '', own] = canonical.split('|');
  const wanted = version ?? own;
  const escaped = (text: string): string => text.replace(/[\\$,|]/g, '\\$&');
  const [map] = await mapsBy(house, call, [
    ['url', escaped(url)],
    ...(wanted === undefined ? [] : [['version', escaped(wanted)] as const]),
  ]);
  if (!map) throw failure('not-found', 'not-found', `The concept map ${canonical} is not known here.`, { expression: ['url'] });
  return map;
};

/** A value set as R4 lets it be named here: by its canonical, or by where it is on this server. */
const valueSetUrl = async (house: House, call: Call, text: string | undefined): Promise<string | undefined> => {
  const key = text === undefined ? undefined : readReference(text, house.baseUrl);
  if (key?.type !== 'ValueSet') return text;
  return (parseJson((await named(house, call, 'ValueSet', key.id)).body) as { readonly url?: string }).url;
};

const required = (name: string, others: string) =>
  failure('invalid', 'required', `The parameter ${name}${others} is missing.`, { expression: [name] });

const codingsOf = (inputs: PlainInputs): readonly Coding[] => {
  const coding = inputs.coding('coding');
  const concept = inputs.concept('codeableConcept');
  const [code, system, version] = [inputs.text('code'), inputs.text('system'), inputs.text('version')];
  const given = coding
    ? [coding]
    : (concept?.coding ?? (code === undefined ? [] : [{ code, ...(system && { system }), ...(version && { version }) }]));
  if (given.length === 0) throw required('code', ', coding or codeableConcept with a coding');
  // R4: a code means nothing without its system
  if (given.some((each) => typeof each.code !== 'string' || typeof each.system !== 'string')) throw required('system', ' of the code');
  return given;
};

const dependenciesOf = (invocation: Invocation): readonly Dependency[] =>
  parametersIn(invocation)
    .filter(({ name }) => name === 'dependency')
    .map(({ part }) => {
      const parts = Array.isArray(part) ? (part as readonly { readonly name?: unknown; readonly [value: string]: unknown }[]) : [];
      const element = parts.find(({ name }) => name === 'element')?.['valueUri'];
      const concept = parts.find(({ name }) => name === 'concept')?.['valueCodeableConcept'];
      if (typeof element !== 'string' || concept === undefined)
        throw failure('invalid', 'required', 'A dependency has the parts element (uri) and concept (CodeableConcept).', {
          expression: ['dependency'],
        });
      return { element, concept: concept as CodeableConcept };
    });

const reverseOf = (inputs: PlainInputs): boolean => {
  const text = inputs.text('reverse') ?? 'false';
  if (text !== 'true' && text !== 'false') throw failure('invalid', 'value', 'reverse is true or false.', { expression: ['reverse'] });
  return text === 'true';
};

/** A filter that were ignored would give translations that nobody asked for. */
const refuseUnknown = (invocation: Invocation): void => {
  const known = new Set<unknown>([...inputNames, '_format', '_pretty']);
  const names = [...invocation.query.map(([name]) => name), ...parametersIn(invocation).map(({ name }) => name)];
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const shown = typeof unknown === 'string' ? unknown : 'without a name';
  throw failure('invalid', 'not-supported', `There is no input ${shown}; there are ${inputNames.join(', ')}.`, { expression: [shown] });
};

/** The map that the request names or brings; undefined when the server is to find one. */
const givenMap = async (house: House, call: Call, { id }: Invocation, inputs: PlainInputs): Promise<ConceptMap | undefined> => {
  if (id !== undefined) return parseJson((await named(house, call, 'ConceptMap', id)).body) as ConceptMap;
  const brought = inputs.resource('conceptMap');
  if (brought !== undefined) {
    refuseMisshapen(house, brought);
    if (brought.resourceType === 'ConceptMap') return brought as unknown as ConceptMap;
    throw failure('invalid', 'invalid', 'The parameter conceptMap holds a ConceptMap.', { expression: ['conceptMap'] });
  }
  const url = inputs.text('url');
  return url === undefined ? undefined : mapByUrl(house, call, url, inputs.text('conceptMapVersion'));
};

/** What one map says, and the maps that it leaves the concept to (group.unmapped, `other-map`). */
const matchesIn = async (
  house: House,
  call: Call,
  map: ConceptMap,
  question: Question,
  before: readonly string[] = [],
): Promise<readonly Match[]> => {
  const { found, elsewhere } = translationsIn(map, question);
  const own = found.map((translation): Match => ({ ...translation, source: map.url }));
  if (before.length === longestRow) return own;
  const others = await Promise.all(
    elsewhere
      .filter((url) => url !== map.url && !before.includes(url))
      .map(async (url) => matchesIn(house, call, await mapByUrl(house, call, url), question, [...before, map.url ?? ''])),
  );
  return [...own, ...others.flat()];
};

const plainUrl = (canonical: string | undefined): string | undefined => canonical?.split('|')[0];

const hasScope = (map: ConceptMap, reverse: boolean, source: string | undefined, target: string | undefined): boolean => {
  const ends = [map.sourceUri ?? map.sourceCanonical, map.targetUri ?? map.targetCanonical].map(plainUrl);
  const [from, to] = reverse ? [ends[1], ends[0]] : ends;
  return (source === undefined || from === plainUrl(source)) && (target === undefined || to === plainUrl(target));
};

const translate = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(invocation);
  const inputs = plainInputs(invocation);
  const codings = codingsOf(inputs);
  const reverse = reverseOf(inputs);
  const asked = { targetSystem: inputs.text('targetsystem'), dependencies: dependenciesOf(invocation), reverse };
  const source = await valueSetUrl(house, call, inputs.text('source'));
  const target = await valueSetUrl(house, call, inputs.text('target'));
  const given = await givenMap(house, call, invocation, inputs);
  const matches: Match[] = [];
  for (const coding of codings) {
    const param = reverse ? 'target-system' : 'source-system';
    const maps = given ? [given] : await mapsBy(house, call, [[param, (coding.system ?? '').replace(/[\\$,|]/g, '\\$&')]]);
    for (const map of maps.filter((each) => hasScope(each, reverse, source, target)))
      matches.push(...(await matchesIn(house, call, map, { ...asked, coding })));
  }
  return answer(matches);
};

const isTranslation = ({ equivalence }: Match): boolean => equivalence !== 'unmatched' && equivalence !== 'disjoint';

const answer = (matches: readonly Match[]): Success => {
  const result = matches.some(isTranslation);
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(result ? [] : [{ name: 'message', valueString: 'No map that is known here translates the concept.' }]),
    ...matches.map(({ equivalence, concept, products, source }) => ({
      name: 'match',
      part: [
        { name: 'equivalence', valueCode: equivalence },
        ...(concept === undefined ? [] : [{ name: 'concept', valueCoding: concept }]),
        ...products.map((product) => ({
          name: 'product',
          part: [
            { name: 'element', valueUri: product.element },
            { name: 'concept', valueCoding: product.concept },
          ],
        })),
        ...(source === undefined ? [] : [{ name: 'source', valueUri: source }]),
      ],
    })),
  ];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }), headers: {} };
};

const inputs = [
  { name: 'url', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'conceptMap', use: 'in', min: 0, max: '1', type: 'ConceptMap' },
  { name: 'conceptMapVersion', use: 'in', min: 0, max: '1', type: 'string' },
  { name: 'code', use: 'in', min: 0, max: '1', type: 'code' },
  { name: 'system', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'version', use: 'in', min: 0, max: '1', type: 'string' },
  { name: 'source', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'coding', use: 'in', min: 0, max: '1', type: 'Coding' },
  { name: 'codeableConcept', use: 'in', min: 0, max: '1', type: 'CodeableConcept' },
  { name: 'target', use: 'in', min: 0, max: '1', type: 'uri' },
  { name: 'targetsystem', use: 'in', min: 0, max: '1', type: 'uri' },
  {
    name: 'dependency',
    use: 'in',
    min: 0,
    max: '*',
    part: [
      { name: 'element', use: 'in', min: 0, max: '1', type: 'uri' },
      { name: 'concept', use: 'in', min: 0, max: '1', type: 'CodeableConcept' },
    ],
  },
  { name: 'reverse', use: 'in', min: 0, max: '1', type: 'boolean' },
] as const;

const inputNames = inputs.map(({ name }) => name);

/** R4 conceptmap-operation-translate.html, by the maps that the server keeps: HL7's between R4's and v2's and v3's codes, and a site's own. */
export const translateOperation: Operation = {
  definition: {
    name: 'Translate',
    code: 'translate',
    description: 'Translates a code from one value set or code system to another, by a concept map.',
    affectsState: false,
    resource: ['ConceptMap'],
    system: false,
    type: true,
    instance: true,
    parameter: [
      ...inputs.map((input) => ('part' in input ? { ...input, part: [...input.part] } : input)),
      { name: 'result', use: 'out', min: 1, max: '1', type: 'boolean' },
      { name: 'message', use: 'out', min: 0, max: '1', type: 'string' },
      {
        name: 'match',
        use: 'out',
        min: 0,
        max: '*',
        part: [
          { name: 'equivalence', use: 'out', min: 0, max: '1', type: 'code' },
          { name: 'concept', use: 'out', min: 0, max: '1', type: 'Coding' },
          {
            name: 'product',
            use: 'out',
            min: 0,
            max: '*',
            part: [
              { name: 'element', use: 'out', min: 0, max: '1', type: 'uri' },
              { name: 'concept', use: 'out', min: 0, max: '1', type: 'Coding' },
            ],
          },
          { name: 'source', use: 'out', min: 0, max: '1', type: 'uri' },
        ],
      },
    ],
  },
  interaction: 'r',
  readsQuery: true,
  perform: translate,
};
