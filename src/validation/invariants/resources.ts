import { compareMoments, has, hasChoice, hasCoding, isDistinct, itemsOf, numberOf, type Natives } from './native.js';
import { isNode, type Node } from '../walk.js';

const terminology = 'http://terminology.hl7.org/CodeSystem/';

/** The text of every reference, uri, url and canonical that a resource holds, contained resources included. */
const pointers = (value: unknown, found: Set<string>, key = ''): Set<string> => {
  if (typeof value === 'string') {
    if (value.startsWith('#') && key !== 'div') found.add(value);
  } else if (Array.isArray(value)) for (const item of value) pointers(item, found, key);
  else if (isNode(value)) for (const name in value) pointers(value[name], found, name);
  return found;
};

// R4 references.html#contained: each contained resource is referred to, or refers to the resource that holds it
const containedInUse = (node: Node): boolean => {
  const contained = node['contained'] as readonly unknown[] | undefined;
  if (contained === undefined) return true;
  const used = pointers(node, new Set());
  return contained.every((resource) => {
    // an id that is not there is in nothing, and not nothing is nothing: FHIRPath finds no fault
    if (!isNode(resource) || resource['id'] === undefined) return true;
    return (typeof resource['id'] === 'string' && used.has(`#${resource['id']}`)) || pointers(resource, new Set()).has('#');
  });
};

const domain = {
  'dom-2': {
    expression: 'contained.contained.empty()',
    holds: (node) => node['contained'] === undefined || itemsOf(node, 'contained').every((resource) => !has(resource, 'contained')),
  },
  'dom-3': {
    expression:
      "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()",
    holds: containedInUse,
  },
  'dom-4': {
    expression: 'contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()',
    holds: (node) =>
      node['contained'] === undefined ||
      itemsOf(node, 'contained').every(({ meta }) => !isNode(meta) || (!has(meta, 'versionId') && !has(meta, 'lastUpdated'))),
  },
  'dom-5': {
    expression: 'contained.meta.security.empty()',
    holds: (node) =>
      node['contained'] === undefined || itemsOf(node, 'contained').every(({ meta }) => !isNode(meta) || !has(meta, 'security')),
  },
  'dom-6': { expression: 'text.`div`.exists()', holds: ({ text }) => isNode(text) && has(text, 'div') },
} as const satisfies Natives;

const scheduling = {
  'app-1': { expression: 'type.exists() or actor.exists()', holds: (node) => has(node, 'type') || has(node, 'actor') },
  'app-2': { expression: 'start.exists() = end.exists()', holds: (node) => has(node, 'start') === has(node, 'end') },
  'app-3': {
    expression: "(start.exists() and end.exists()) or (status in ('proposed' | 'cancelled' | 'waitlist'))",
    holds: (node) => (has(node, 'start') && has(node, 'end')) || ['proposed', 'cancelled', 'waitlist'].includes(node['status'] as string),
  },
  'app-4': {
    expression: "Appointment.cancelationReason.exists() implies (Appointment.status='noshow' or Appointment.status='cancelled')",
    holds: (node) => !has(node, 'cancelationReason') || node['status'] === 'noshow' || node['status'] === 'cancelled',
  },
  'apr-1': {
    expression: 'participantType.exists() or actor.exists()',
    holds: (node) => has(node, 'participantType') || has(node, 'actor'),
  },
} as const satisfies Natives;

const people = {
  'pat-1': {
    expression: 'name.exists() or telecom.exists() or address.exists() or organization.exists()',
    holds: (node) => has(node, 'name') || has(node, 'telecom') || has(node, 'address') || has(node, 'organization'),
  },
  'org-1': {
    expression: '(identifier.count() + name.count()) > 0',
    holds: (node) => has(node, 'identifier') || has(node, 'name'),
  },
  'org-2': { expression: "where(use = 'home').empty()", holds: ({ use }) => use !== 'home' },
  'org-3': { expression: "where(use = 'home').empty()", holds: ({ use }) => use !== 'home' },
} as const satisfies Natives;

const clinical = {
  'ait-1': {
    expression: `verificationStatus.coding.where(system = '${terminology}allergyintolerance-verification' and code = 'entered-in-error').exists() or clinicalStatus.exists()`,
    holds: (node) =>
      has(node, 'clinicalStatus') ||
      hasCoding(node['verificationStatus'], `${terminology}allergyintolerance-verification`, 'entered-in-error'),
  },
  'ait-2': {
    expression: `verificationStatus.coding.where(system = '${terminology}allergyintolerance-verification' and code = 'entered-in-error').empty() or clinicalStatus.empty()`,
    holds: (node) =>
      !has(node, 'clinicalStatus') ||
      !hasCoding(node['verificationStatus'], `${terminology}allergyintolerance-verification`, 'entered-in-error'),
  },
  'con-1': { expression: 'summary.exists() or assessment.exists()', holds: (node) => has(node, 'summary') || has(node, 'assessment') },
  'con-2': { expression: 'code.exists() or detail.exists()', holds: (node) => has(node, 'code') || has(node, 'detail') },
  'con-3': {
    expression: `clinicalStatus.exists() or verificationStatus.coding.where(system='${terminology}condition-ver-status' and code = 'entered-in-error').exists() or category.select($this='problem-list-item').empty()`,
    holds: (node) =>
      has(node, 'clinicalStatus') ||
      !has(node, 'category') ||
      hasCoding(node['verificationStatus'], `${terminology}condition-ver-status`, 'entered-in-error'),
  },
  'con-4': {
    expression: `abatement.empty() or clinicalStatus.coding.where(system='${terminology}condition-clinical' and (code='resolved' or code='remission' or code='inactive')).exists()`,
    holds: (node) =>
      !hasChoice(node, 'abatement') ||
      hasCoding(node['clinicalStatus'], `${terminology}condition-clinical`, 'resolved', 'remission', 'inactive'),
  },
  'con-5': {
    expression: `verificationStatus.coding.where(system='${terminology}condition-ver-status' and code='entered-in-error').empty() or clinicalStatus.empty()`,
    holds: (node) =>
      !has(node, 'clinicalStatus') || !hasCoding(node['verificationStatus'], `${terminology}condition-ver-status`, 'entered-in-error'),
  },
  'obs-3': {
    expression: 'low.exists() or high.exists() or text.exists()',
    holds: (node) => has(node, 'low') || has(node, 'high') || has(node, 'text'),
  },
  'obs-6': {
    expression: 'dataAbsentReason.empty() or value.empty()',
    holds: (node) => !has(node, 'dataAbsentReason') || !hasChoice(node, 'value'),
  },
  'obs-7': {
    expression: 'value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()',
    holds: (node) => {
      if (node['component'] === undefined || !hasChoice(node, 'value')) return true;
      const own = new Set(itemsOf((node['code'] ?? {}) as Node, 'coding').map((coding) => JSON.stringify(coding)));
      return itemsOf(node, 'component').every(({ code }) =>
        itemsOf((code ?? {}) as Node, 'coding').every((coding) => !own.has(JSON.stringify(coding))),
      );
    },
  },
  'vs-2': {
    expression: '(component.empty() and hasMember.empty()) implies (dataAbsentReason.exists() or value.exists())',
    holds: (node) => has(node, 'component') || has(node, 'hasMember') || has(node, 'dataAbsentReason') || hasChoice(node, 'value'),
  },
  'vs-3': {
    expression: 'value.exists() or dataAbsentReason.exists()',
    holds: (node) => hasChoice(node, 'value') || has(node, 'dataAbsentReason'),
  },
  'imm-1': {
    expression: 'documentType.exists() or reference.exists()',
    holds: (node) => has(node, 'documentType') || has(node, 'reference'),
  },
  'fhs-1': { expression: 'age.empty() or born.empty()', holds: (node) => !hasChoice(node, 'age') || !hasChoice(node, 'born') },
  'fhs-2': { expression: 'age.exists() or estimatedAge.empty()', holds: (node) => hasChoice(node, 'age') || !has(node, 'estimatedAge') },
} as const satisfies Natives;

const medication = {
  'mad-1': { expression: 'dose.exists() or rate.exists()', holds: (node) => has(node, 'dose') || hasChoice(node, 'rate') },
  'mdd-1': {
    expression: 'whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared',
    holds: ({ whenHandedOver: over, whenPrepared: prepared }) =>
      typeof over !== 'string' || typeof prepared !== 'string' || !((compareMoments(over, prepared) ?? 0) < 0),
  },
} as const satisfies Natives;

const consentScope = `${terminology}consentscope`;

const consentOf = (code: string) => ({
  expression: `patient.exists() or scope.coding.where(system='${consentScope}' and code='${code}').exists().not()`,
  holds: (node: Node) => has(node, 'patient') || !hasCoding(node['scope'], consentScope, code),
});

const workflow = {
  'inv-1@Task': {
    expression: 'lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn',
    holds: ({ lastModified, authoredOn }) =>
      typeof lastModified !== 'string' || typeof authoredOn !== 'string' || !((compareMoments(lastModified, authoredOn) ?? 0) < 0),
  },
  'inv-1@Parameters': {
    expression: '(part.exists() and value.empty() and resource.empty()) or (part.empty() and (value.exists() xor resource.exists()))',
    holds: (node) =>
      has(node, 'part') ? !hasChoice(node, 'value') && !has(node, 'resource') : hasChoice(node, 'value') !== has(node, 'resource'),
  },
  'ers-ubrn-1': {
    expression: "value.matches('^[0-9]{12}$')",
    holds: ({ value }) => typeof value !== 'string' || /^[0-9]{12}$/.test(value),
  },
  'prr-1': { expression: 'orderDetail.empty() or code.exists()', holds: (node) => !has(node, 'orderDetail') || has(node, 'code') },
  'cpl-3': { expression: 'detail.empty() or reference.empty()', holds: (node) => !has(node, 'detail') || !has(node, 'reference') },
  'rqg-1': { expression: 'resource.exists() != action.exists()', holds: (node) => has(node, 'resource') !== has(node, 'action') },
  'gol-1': {
    expression: '(detail.exists() and measure.exists()) or detail.exists().not()',
    holds: (node) => !hasChoice(node, 'detail') || has(node, 'measure'),
  },
  'grp-1': { expression: 'member.empty() or (actual = true)', holds: (node) => !has(node, 'member') || node['actual'] === true },
  'lst-1': { expression: 'emptyReason.empty() or entry.empty()', holds: (node) => !has(node, 'emptyReason') || !has(node, 'entry') },
  'lst-2': {
    expression: "mode = 'changes' or entry.deleted.empty()",
    holds: (node) => node['mode'] === 'changes' || itemsOf(node, 'entry').every((entry) => !has(entry, 'deleted')),
  },
  'lst-3': {
    expression: "mode = 'working' or entry.date.empty()",
    holds: (node) => node['mode'] === 'working' || itemsOf(node, 'entry').every((entry) => !has(entry, 'date')),
  },
  'sev-1': { expression: 'name.empty() or query.empty()', holds: (node) => !has(node, 'name') || !has(node, 'query') },
  'cmp-1': {
    expression: 'text.exists() or entry.exists() or section.exists()',
    holds: (node) => has(node, 'text') || has(node, 'entry') || has(node, 'section'),
  },
  'cmp-2': { expression: 'emptyReason.empty() or entry.empty()', holds: (node) => !has(node, 'emptyReason') || !has(node, 'entry') },
  'ppc-1': { expression: 'policy.exists() or policyRule.exists()', holds: (node) => has(node, 'policy') || has(node, 'policyRule') },
  'ppc-2': consentOf('patient-privacy'),
  'ppc-3': consentOf('research'),
  'ppc-4': consentOf('adr'),
  'ppc-5': consentOf('treatment'),
} as const satisfies Natives;

const isRequestKind = (type: unknown): boolean => type === 'batch' || type === 'transaction' || type === 'history';
const isResponseKind = (type: unknown): boolean => type === 'batch-response' || type === 'transaction-response' || type === 'history';

const versionOf = ({ resource }: Node): unknown =>
  isNode(resource) && isNode(resource['meta']) ? resource['meta']['versionId'] : undefined;

const first = (node: Node): unknown => {
  const resource = itemsOf(node, 'entry')[0]?.['resource'];
  return isNode(resource) ? resource['resourceType'] : undefined;
};

const bundle = {
  'bdl-1': {
    expression: "total.empty() or (type = 'searchset') or (type = 'history')",
    holds: (node) => !has(node, 'total') || node['type'] === 'searchset' || node['type'] === 'history',
  },
  'bdl-2': {
    expression: "entry.search.empty() or (type = 'searchset')",
    holds: (node) => node['type'] === 'searchset' || itemsOf(node, 'entry').every((entry) => !has(entry, 'search')),
  },
  'bdl-3': {
    expression: "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or %resource.type = 'history'))",
    holds: (node) => itemsOf(node, 'entry').every((entry) => has(entry, 'request') === isRequestKind(node['type'])),
  },
  'bdl-4': {
    expression:
      "entry.all(response.exists() = (%resource.type = 'batch-response' or %resource.type = 'transaction-response' or %resource.type = 'history'))",
    holds: (node) => itemsOf(node, 'entry').every((entry) => has(entry, 'response') === isResponseKind(node['type'])),
  },
  'bdl-5': {
    expression: 'resource.exists() or request.exists() or response.exists()',
    holds: (node) => has(node, 'resource') || has(node, 'request') || has(node, 'response'),
  },
  'bdl-7': {
    expression: "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()",
    holds: (node) =>
      node['type'] === 'history' ||
      isDistinct(
        itemsOf(node, 'entry')
          .filter((entry) => typeof entry['fullUrl'] === 'string')
          .map((entry) => `${entry['fullUrl'] as string} ${(versionOf(entry) as string | undefined) ?? ''}`),
      ),
  },
  'bdl-8': {
    expression: "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
    holds: ({ fullUrl }) => typeof fullUrl !== 'string' || !fullUrl.includes('/_history/'),
  },
  'bdl-9': {
    expression: "type = 'document' implies (identifier.system.exists() and identifier.value.exists())",
    holds: ({ type, identifier }) => type !== 'document' || (isNode(identifier) && has(identifier, 'system') && has(identifier, 'value')),
  },
  'bdl-10': {
    expression: "type = 'document' implies (timestamp.hasValue())",
    holds: ({ type, timestamp }) => type !== 'document' || timestamp !== undefined,
  },
  'bdl-11': {
    expression: "type = 'document' implies entry.first().resource.is(Composition)",
    holds: (node) => node['type'] !== 'document' || first(node) === 'Composition',
  },
  'bdl-12': {
    expression: "type = 'message' implies entry.first().resource.is(MessageHeader)",
    holds: (node) => node['type'] !== 'message' || first(node) === 'MessageHeader',
  },
} as const satisfies Natives;

const linkIds = (node: Node, found: unknown[] = []): readonly unknown[] => {
  for (const item of itemsOf(node, 'item')) {
    if (has(item, 'linkId')) found.push(item['linkId']);
    linkIds(item, found);
  }
  return found;
};

const withLength = ['boolean', 'decimal', 'integer', 'string', 'text', 'url', 'open-choice'];
const withOptions = ['choice', 'open-choice', 'decimal', 'integer', 'date', 'dateTime', 'time', 'string', 'quantity'];

const questionnaire = {
  'que-1': {
    expression: "(type='group' implies item.empty().not()) and (type.trace('type')='display' implies item.trace('item').empty())",
    holds: (node) => (node['type'] !== 'group' || has(node, 'item')) && (node['type'] !== 'display' || !has(node, 'item')),
  },
  'que-2': { expression: 'descendants().linkId.isDistinct()', holds: (node) => isDistinct(linkIds(node)) },
  'que-3': { expression: "type!='display' or code.empty()", holds: (node) => node['type'] !== 'display' || !has(node, 'code') },
  'que-4': {
    expression: 'answerOption.empty() or answerValueSet.empty()',
    holds: (node) => !has(node, 'answerOption') || !has(node, 'answerValueSet'),
  },
  'que-5': {
    expression:
      "(type ='choice' or type = 'open-choice' or type = 'decimal' or type = 'integer' or type = 'date' or type = 'dateTime' or type = 'time' or type = 'string' or type = 'quantity') or (answerValueSet.empty() and answerOption.empty())",
    holds: (node) => withOptions.includes(node['type'] as string) || (!has(node, 'answerValueSet') && !has(node, 'answerOption')),
  },
  'que-6': {
    expression: "type!='display' or (required.empty() and repeats.empty())",
    holds: (node) => node['type'] !== 'display' || (!has(node, 'required') && !has(node, 'repeats')),
  },
  'que-7': {
    expression: "operator = 'exists' implies (answer is Boolean)",
    holds: (node) => node['operator'] !== 'exists' || node['answerBoolean'] !== undefined,
  },
  'que-8': {
    expression: "(type!='group' and type!='display') or initial.empty()",
    holds: (node) => (node['type'] !== 'group' && node['type'] !== 'display') || !has(node, 'initial'),
  },
  'que-9': { expression: "type!='display' or readOnly.empty()", holds: (node) => node['type'] !== 'display' || !has(node, 'readOnly') },
  'que-10': {
    expression: "(type in ('boolean' | 'decimal' | 'integer' | 'string' | 'text' | 'url' | 'open-choice')) or maxLength.empty()",
    holds: (node) => withLength.includes(node['type'] as string) || !has(node, 'maxLength'),
  },
  'que-11': {
    expression: 'answerOption.empty() or initial.empty()',
    holds: (node) => !has(node, 'answerOption') || !has(node, 'initial'),
  },
  'que-12': {
    expression: 'enableWhen.count() > 1 implies enableBehavior.exists()',
    holds: (node) => itemsOf(node, 'enableWhen').length < 2 || has(node, 'enableBehavior'),
  },
  'que-13': {
    expression: 'repeats=true or initial.count() <= 1',
    holds: (node) => node['repeats'] === true || itemsOf(node, 'initial').length <= 1,
  },
  'qrs-1': { expression: '(answer.exists() and item.exists()).not()', holds: (node) => !has(node, 'answer') || !has(node, 'item') },
} as const satisfies Natives;

const terms = {
  'vsd-1': { expression: 'valueSet.exists() or system.exists()', holds: (node) => has(node, 'valueSet') || has(node, 'system') },
  'vsd-2': {
    expression: '(concept.exists() or filter.exists()) implies system.exists()',
    holds: (node) => (!has(node, 'concept') && !has(node, 'filter')) || has(node, 'system'),
  },
  'vsd-3': { expression: 'concept.empty() or filter.empty()', holds: (node) => !has(node, 'concept') || !has(node, 'filter') },
  'msq-3': {
    expression: 'coordinateSystem = 1 or coordinateSystem = 0',
    holds: ({ coordinateSystem }) => [0, 1, undefined].includes(numberOf(coordinateSystem)),
  },
} as const satisfies Natives;

/** The invariants of resource types that e-RS and UK Core use. */
export const resourceInvariants: Natives = {
  ...domain,
  ...scheduling,
  ...people,
  ...clinical,
  ...medication,
  ...workflow,
  ...bundle,
  ...questionnaire,
  ...terms,
};
