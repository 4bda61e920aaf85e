import { sightOf } from '../access/policy.js';
import { stringifyJson } from '../fhir/json.js';
import { failure } from '../fhir/outcome.js';
import type { Meta, Resource } from '../fhir/resource.js';
import { gone, notFound } from '../interactions/answers.js';
import type { Call, House, Success } from '../interactions/house.js';
import { typesReadBy } from '../interactions/history.js';
import { performWrite } from '../interactions/perform.js';
import { affordable } from '../interactions/search.js';
import { checkVersion, decideChangeOf } from '../interactions/update.js';
import type { Invocation, Operation } from './operation.js';
import { parametersIn } from './inputs.js';

type Coding = { readonly system?: string; readonly code?: string };
type Labels = { readonly profile: readonly string[]; readonly security: readonly Coding[]; readonly tag: readonly Coding[] };

const labelsOf = (meta: Meta | undefined): Labels => ({
  profile: (meta?.['profile'] ?? []) as readonly string[],
  security: (meta?.['security'] ?? []) as readonly Coding[],
  tag: (meta?.['tag'] ?? []) as readonly Coding[],
});

const isSameCoding = (a: Coding, b: Coding): boolean => a.system === b.system && a.code === b.code;

const withLabels = (meta: Meta | undefined, { profile, security, tag }: Labels): Meta => {
  const { profile: _profile, security: _security, tag: _tag, ...rest } = meta ?? {};
  return {
    ...rest,
    ...(profile.length === 0 ? {} : { profile }),
    ...(security.length === 0 ? {} : { security }),
    ...(tag.length === 0 ? {} : { tag }),
  };
};

const union = (a: Labels, b: Labels): Labels => ({
  profile: [...new Set([...a.profile, ...b.profile])],
  security: [...a.security, ...b.security.filter((coding) => !a.security.some((own) => isSameCoding(own, coding)))],
  tag: [...a.tag, ...b.tag.filter((coding) => !a.tag.some((own) => isSameCoding(own, coding)))],
});

const difference = (a: Labels, b: Labels): Labels => ({
  profile: a.profile.filter((url) => !b.profile.includes(url)),
  security: a.security.filter((coding) => !b.security.some((gone) => isSameCoding(gone, coding))),
  tag: a.tag.filter((coding) => !b.tag.some((gone) => isSameCoding(gone, coding))),
});

const answer = (meta: Meta): Success => ({
  status: 200,
  body: stringifyJson({ resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: meta }] }),
  headers: {},
});

const keyOf = ({ type = '', id = '' }: Invocation) => ({ type, id });

/** Labels of each kind that are told of one type. */
const mostLabels = 1000;

/** R4 resource-operation-meta.html: what is in use on a type, or on all types, as far as the caller may read all of it. */
const labelsInUse = async (house: House, call: Call, type: string | undefined): Promise<Labels> => {
  const types = (type === undefined ? typesReadBy(house, call) : [type]).filter((each) => sightOf(call.caller, each) === 'all');
  if (types.length === 0) throw failure('forbidden', 'forbidden', 'The labels of all resources are for clients that may read all of them.');
  let labels = labelsOf(undefined);
  for (const each of types)
    for (const { body } of await affordable(house.store.labelled(each, mostLabels)))
      labels = union(labels, labelsOf((JSON.parse(body ?? '{}') as Resource).meta));
  return labels;
};

/** R4 resource-operation-meta.html, of one resource, of a type, of the system. */
export const metaOperation: Operation = {
  definition: {
    name: 'ResourceMeta',
    code: 'meta',
    description: 'The profiles, tags and security labels of a resource, or those in use on a type or on all types.',
    affectsState: false,
    system: true,
    type: true,
    instance: true,
    resource: ['Resource'],
    parameter: [{ name: 'return', use: 'out', min: 1, max: '1', type: 'Meta' }],
  },
  interaction: 'r',
  perform: async (house, call, invocation) => {
    if (invocation.id === undefined) return answer(withLabels(undefined, await labelsInUse(house, call, invocation.type)));
    const key = keyOf(invocation);
    const stored = await house.store.find(key, sightOf(call.caller, key.type));
    if (!stored) throw notFound(key);
    if (stored.body === undefined) throw gone(key);
    return answer((JSON.parse(stored.body) as Resource).meta ?? {});
  },
};

const givenMeta = (invocation: Invocation): Meta => {
  const meta = parametersIn(invocation).find(({ name }) => name === 'meta')?.['valueMeta'];
  if (typeof meta !== 'object' || meta === null)
    throw failure('invalid', 'required', 'The parameter meta is needed.', { expression: ['Parameters.parameter'] });
  return meta as Meta;
};

/** The change goes the way of an update, so that it is checked, versioned and audited like any other. */
const change = async (
  house: House,
  call: Call,
  invocation: Invocation,
  combine: (own: Labels, given: Labels) => Labels,
): Promise<Success> => {
  const key = keyOf(invocation);
  const given = labelsOf(givenMeta(invocation));
  const success = await performWrite(house, call, async (facts) => {
    const current = await facts.find(key);
    if (!current) throw notFound(key);
    checkVersion(call, key, current.version);
    const meta = withLabels(current.resource.meta, combine(labelsOf(current.resource.meta), given));
    return decideChangeOf(house, call, current, { ...current.resource, meta }, facts);
  });
  return { ...answer((JSON.parse(success.body as string) as Resource).meta ?? {}), headers: { etag: success.headers['etag'] ?? '' } };
};

const changing = (name: string, code: string, description: string, combine: (own: Labels, given: Labels) => Labels): Operation => ({
  definition: {
    name,
    code,
    description,
    affectsState: true,
    system: false,
    type: false,
    instance: true,
    resource: ['Resource'],
    parameter: [
      { name: 'meta', use: 'in', min: 1, max: '1', type: 'Meta' },
      { name: 'return', use: 'out', min: 1, max: '1', type: 'Meta' },
    ],
  },
  interaction: 'u',
  perform: (house, call, invocation) => change(house, call, invocation, combine),
});

/** R4 resource-operation-meta-add.html. */
export const metaAddOperation = changing(
  'ResourceMetaAdd',
  'meta-add',
  'Adds profiles, tags and security labels to a resource, as a new version.',
  union,
);
/** R4 resource-operation-meta-delete.html. */
export const metaDeleteOperation = changing(
  'ResourceMetaDelete',
  'meta-delete',
  'Removes profiles, tags and security labels from a resource, as a new version.',
  difference,
);
