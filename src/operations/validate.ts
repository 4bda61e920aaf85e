import { mayRead, sightOf } from '../access/policy.js';
import { parseJson } from '../fhir/json.js';
import { failure, type Issue } from '../fhir/outcome.js';
import { outcomeOf } from '../fhir/outcome-text.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import { gone, notFound } from '../interactions/answers.js';
import { gatherForValidation } from '../interactions/gather-validation.js';
import type { Call, House, Success } from '../interactions/house.js';
import { isContainedType } from '../store/layout.js';
import { isError, type Finding } from '../validation/finding.js';
import type { Declared, Invocation, Operation } from './operation.js';
import { plainInputs, type PlainInputs } from './plain-inputs.js';
import { refuseUnknown } from './terminology/asked.js';

/** resources that are named when a deletion would be refused for them */
const mostReferrers = 10;

const modes = ['create', 'update', 'delete', 'profile'] as const;
type Mode = (typeof modes)[number];

const modeOf = (inputs: PlainInputs): Mode | undefined => {
  const text = inputs.text('mode');
  const mode = modes.find((each) => each === text);
  if (text !== undefined && mode === undefined)
    throw failure('invalid', 'value', `The mode must be one of ${modes.join(', ')}.`, { expression: ['mode'] });
  return mode;
};

/** The resource to validate: in Parameters, as the bare body, or the stored one of the instance. */
const subjectOf = async (house: House, call: Call, { type, id, body }: Invocation, inputs: PlainInputs): Promise<Resource> => {
  const given = inputs.resource('resource');
  if (given !== undefined) return given;
  if (body !== undefined && (body.resourceType !== 'Parameters' || type === 'Parameters')) return body;
  if (type === undefined || id === undefined)
    throw failure('invalid', 'required', 'The resource to validate is missing.', { expression: ['resource'] });
  return parseJson(await shownOf(house, call, { type, id })) as Resource;
};

/** The resource of the path, which nothing is said of to who may not see it. */
const shownOf = async (house: House, call: Call, key: Key): Promise<string> => {
  const stored = await house.store.find(key, sightOf(call.caller, key.type));
  if (!stored) throw notFound(key);
  if (stored.body === undefined) throw gone(key);
  return stored.body;
};

const issue = (code: string, text: string, expression: string): Finding => ({
  severity: 'error',
  code,
  text,
  expression: [expression],
  layer: 'base',
});

// R4 resource-operation-validate.html: the mode says what is to be done with the resource
const modeFindings = (mode: Mode | undefined, { type, id }: Invocation, resource: Resource): readonly Finding[] => {
  const { resourceType } = resource;
  if (type !== undefined && resourceType !== type)
    return [issue('invalid', `The resource is a ${resourceType}, the URL says ${type}.`, resourceType)];
  if (mode === 'update' && id === undefined)
    return [issue('required', 'An update is validated on the instance: [type]/[id]/$validate.', resourceType)];
  if (mode === 'update' && resource.id !== id)
    return [issue('invalid', `The id must be ${id ?? ''}, as in the URL.`, `${resourceType}.id`)];
  return [];
};

/** Why the resource of the path could not be deleted: others refer to it. The caller is told of those that it may see. */
const deletionFindings = async (house: House, call: Call, { type, id }: Invocation): Promise<readonly Finding[]> => {
  if (type === undefined || id === undefined) return [];
  await shownOf(house, call, { type, id });
  if (!house.integrity) return [];
  const rows = (await house.store.referrers({ type, id }, 'all', mostReferrers)).filter(
    (row) => referenceTo(row) !== `${type}/${id}` && !isContainedType(row.type),
  );
  if (rows.length === 0) return [];
  const seen = await Promise.all(
    rows.map((row) => house.store.find(row, mayRead(call.caller, row.type) ? sightOf(call.caller, row.type) : { keys: [] })),
  );
  const names = seen.flatMap((row) => (row === undefined ? [] : [referenceTo(row)]));
  return [issue('conflict', `It is referred to by ${names.length === 0 ? 'others' : names.join(', ')}.`, type)];
};

const written = (finding: Issue & { readonly layer: Finding['layer'] }): unknown => {
  const [text] = (outcomeOf(finding.layer === 'base' ? 'invalid' : 'business-rule', [finding]) as { issue: { details: object }[] }).issue;
  // only an error has an error code
  return isError(finding) ? text : { ...text, details: { text: finding.text } };
};

const answer = (findings: readonly Finding[]): Success => {
  const sound: Finding = { severity: 'information', code: 'informational', text: 'No faults were found.', layer: 'base' };
  const issues = (findings.length === 0 ? [sound] : findings).map(written);
  return { status: 200, body: JSON.stringify({ resourceType: 'OperationOutcome', issue: issues }), headers: {} };
};

const perform = async (house: House, call: Call, invocation: Invocation): Promise<Success> => {
  refuseUnknown(call, invocation, declared);
  const inputs = plainInputs(invocation);
  const mode = modeOf(inputs);
  const resource = await subjectOf(house, call, invocation, inputs);
  // what is deleted need not be valid
  if (mode === 'delete') return answer(await deletionFindings(house, call, invocation));
  const profiles = inputs.texts('profile');
  const unknown = profiles.find((profile) => house.definitions.findStructure(profile) === undefined);
  if (unknown !== undefined)
    throw failure('invalid', 'not-found', `The profile ${unknown} is not known here.`, { expression: ['profile'] });
  const gathered = await gatherForValidation(house, resource, [], profiles);
  return answer([...modeFindings(mode, invocation, resource), ...house.validate(resource, { ...gathered, profiles })]);
};

const declared: readonly Declared[] = [
  { name: 'resource', use: 'in', min: 0, max: '1', type: 'Any' },
  { name: 'mode', use: 'in', min: 0, max: '1', type: 'code' },
  { name: 'profile', use: 'in', min: 0, max: '*', type: 'uri' },
  { name: 'return', use: 'out', min: 1, max: '1', type: 'OperationOutcome' },
];

/** R4 resource-operation-validate.html. */
export const validateOperation: Operation = {
  definition: {
    name: 'Validate',
    code: 'validate',
    description: 'Says whether a resource could be created, updated or deleted, and whether it conforms to a profile.',
    affectsState: false,
    resource: ['Resource'],
    system: false,
    type: true,
    instance: true,
    parameter: [...declared],
  },
  interaction: 'r',
  readsQuery: true,
  perform,
};
