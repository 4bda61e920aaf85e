import type { PractitionerRole, ServiceRequest } from 'fhir/r4.js';
import { checkRule, onBehalfOfQuery } from '../access/operation-rules.js';
import { inForce } from '../access/in-force.js';
import { checkInteraction } from '../access/policy.js';
import { systems } from '../domain/codes.js';
import { checkCommissioner } from '../domain/directory/commissioner.js';
import { gatherReferral } from '../domain/referral/gather-referral.js';
import { availableActions } from '../domain/referral/moves.js';
import { kindOf } from '../domain/referral/referral.js';
import { refuseStale } from '../domain/refusal.js';
import { failure } from '../fhir/outcome.js';
import { readReference, type LiteralReference } from '../fhir/references.js';
import { factsOf } from '../interactions/facts.js';
import type { Call, House, Success } from '../interactions/house.js';
import { situationOf } from '../interactions/perform.js';
import { urlOf, type Query } from '../interactions/query.js';
import { parametersOf } from '../interactions/read.js';
import { search } from '../interactions/search.js';

/** A search that is answered by rules, not by what is stored. */
export type ComputedSearch = {
  readonly type: string;
  readonly applies: (query: Query, call: Call) => boolean;
  readonly perform: (house: House, call: Call, query: Query) => Promise<Success>;
};

/** The value of a parameter that is there once. */
const valueOf = (query: Query, name: string): string | undefined => {
  const [value, ...others] = query.flatMap(([key, text]) => (key === name ? [text] : []));
  return others.length === 0 ? value : undefined;
};

/** What is honoured of the query of a list that is computed whole: it is not narrowed, sorted or paged. Throws for the rest, as a search does. */
const honoured = (query: Query, call: Call, own: readonly string[], what: string): Query => {
  const names = [...own, '_format', '_pretty'];
  parametersOf(query, call, names, what);
  return query.filter(([name]) => names.includes(name));
};

const bundle = (
  house: House,
  type: string,
  query: Query,
  resources: readonly { readonly resourceType: string; readonly id: string }[],
): Success => ({
  status: 200,
  headers: { 'cache-control': 'no-store' },
  body: JSON.stringify({
    resourceType: 'Bundle',
    id: house.newId(),
    meta: { lastUpdated: new Date(house.clock()).toISOString() },
    type: 'searchset',
    timestamp: new Date(house.clock()).toISOString(),
    total: resources.length,
    link: [{ relation: 'self', url: urlOf(`${house.baseUrl}/${type}`, query) }],
    ...(resources.length === 0
      ? {}
      : {
          entry: resources.map((resource) => ({ fullUrl: `${house.baseUrl}/${type}/${resource.id}`, resource, search: { mode: 'match' } })),
        }),
  }),
});

/** The referral that A029 is asked about; its focus is of no other type, so that an id alone names one. */
const focusOf = (query: Query, baseUrl: string): LiteralReference | undefined => {
  const [text, ...others] = query.flatMap(([name, value]) => (name.startsWith('focus') ? [value] : []));
  if (text === undefined || others.length > 0) return undefined;
  return readReference(text, baseUrl) ?? readReference(`ServiceRequest/${text}`, baseUrl);
};

/** Whether a token parameter, which is there once, asks for a code among others, with its system or without (R4 search.html#token). */
const asks = (query: Query, name: string, list: string, code: string): boolean =>
  (valueOf(query, name) ?? '').split(',').some((one) => one === code || one === `http://hl7.org/fhir/${list}|${code}`);

/** e-RS A029: what the caller may do next with a referral, from the table that guards the operations; never stored, never cached. */
const availableActionsOfTask: ComputedSearch = {
  type: 'Task',
  applies: (query) => asks(query, 'intent', 'request-intent', 'proposal') && asks(query, 'status', 'task-status', 'ready'),
  perform: async (house, call, asked) => {
    checkInteraction(call.caller, 'Task', 's');
    const query = honoured(asked, call, ['focus', 'focus:ServiceRequest', 'intent', 'status'], 'The search of available actions');
    const focus = focusOf(query, house.baseUrl);
    if (focus?.type !== 'ServiceRequest')
      throw failure('invalid', 'required', 'focus must name the ServiceRequest.', { expression: ['focus'] });
    const situation = situationOf(house, call, factsOf(house.store, call.caller));
    const found = await situation.facts.find({ type: 'ServiceRequest', id: focus.id });
    if (!found) return bundle(house, 'Task', query, []);
    refuseStale(focus.version, found.version, 'referral', 'focus');
    if (kindOf(found.resource as unknown as ServiceRequest) === 'advice') return bundle(house, 'Task', query, []);
    const referral = await gatherReferral(situation, found);
    const tasks = availableActions(referral, call.caller).map((code) => ({
      resourceType: 'Task',
      id: `${found.id.slice(2)}-${code.toLowerCase().replaceAll('_', '-')}`.slice(0, 64),
      status: 'ready',
      intent: 'proposal',
      code: { coding: [{ system: systems.availableActions, code }] },
      focus: { reference: `ServiceRequest/${found.id}/_history/${String(found.version)}` },
    }));
    return { ...bundle(house, 'Task', query, tasks), seen: [{ type: found.type, id: found.id }] };
  },
};

/** e-RS A030: without the e-RS headers a user sees the roles that it may choose from, its own. */
const ownRoles: ComputedSearch = {
  type: 'PractitionerRole',
  applies: (_query, { caller }) => caller.kind === 'user' && caller.organisation === undefined,
  perform: (house, call, query) => {
    checkInteraction(call.caller, 'PractitionerRole', 's');
    const own = [
      ['practitioner.identifier', `${systems.sdsUser}|${call.caller.user ?? ''}`],
      ['active:not', 'false'],
    ] as const;
    // the links to other pages name them already
    const others = query.filter(([name, value]) => !own.some(([ownName, ownValue]) => name === ownName && value === ownValue));
    return search(house, call, 'PractitionerRole', [...others, ...own]);
  },
};

/** e-RS A040: the clinicians that an administrator may act for, those of the same organisation. */
const onBehalfOf: ComputedSearch = {
  type: 'Practitioner',
  applies: (query) => query.some(([name]) => name === '_query'),
  perform: async (house, call, asked) => {
    const name = valueOf(asked, '_query');
    if (name !== 'onBehalfOf')
      throw failure(
        'invalid',
        'not-supported',
        `There is one named query, onBehalfOf, and it is asked for once${name === undefined ? '' : `; not ${name}`}.`,
        {
          expression: ['_query'],
        },
      );
    checkInteraction(call.caller, 'Practitioner', 's');
    const query = honoured(asked, call, ['_query'], 'The query onBehalfOf');
    checkRule(onBehalfOfQuery, call.caller, 'Practitioner?_query=onBehalfOf');
    const facts = factsOf(house.store, call.caller);
    const roles = await facts.search(
      {
        type: 'PractitionerRole',
        where: [
          { kind: 'token', param: 'role', any: [{ code: 'SERVICE_PROVIDER_CLINICIAN' }] },
          { kind: 'token', param: 'active', any: [{ code: 'false' }], not: true },
          {
            kind: 'chain',
            param: 'organization',
            type: 'Organization',
            where: [{ kind: 'token', param: 'identifier', any: [{ system: systems.organisation, code: call.caller.organisation ?? '' }] }],
          },
        ],
        count: 1000,
      },
      'all',
    );
    const held = roles.filter(({ resource }) => inForce(resource as unknown as PractitionerRole, house.clock()));
    const ids = held.flatMap(({ resource }) => {
      const { reference } = (resource['practitioner'] ?? {}) as { reference?: string };
      return readReference(reference ?? '', '')?.id ?? [];
    });
    const found = await Promise.all([...new Set(ids)].map((id) => facts.find({ type: 'Practitioner', id }, 'all')));
    const practitioners = found.flatMap((one) => (one ? [{ ...one.resource, resourceType: 'Practitioner', id: one.id }] : []));
    return bundle(house, 'Practitioner', query, practitioners);
  },
};

/** The versions of requests that a query names, as e-RS writes them: `based-on=ServiceRequest/a.1/_history/3`. */
const versionedBasis = (query: Query): readonly string[] =>
  query.filter(([name]) => name === 'based-on').flatMap(([, value]) => value.split(',').filter((one) => one.includes('/_history/')));

/** e-RS A025: a conversation of a version that is not the current one is refused, so that nobody answers what has moved on. */
const conversationOfVersion: ComputedSearch = {
  type: 'Communication',
  applies: (query) => versionedBasis(query).length > 0,
  perform: async (house, call, query) => {
    checkInteraction(call.caller, 'Communication', 's');
    const facts = factsOf(house.store, call.caller);
    for (const text of versionedBasis(query)) {
      const key = readReference(text, house.baseUrl);
      const found = key && (await facts.find({ type: key.type, id: key.id }));
      if (found) refuseStale(key.version, found.version, 'request', 'based-on');
    }
    return search(house, call, 'Communication', query);
  },
};

/** e-RS A015: the organisation whose commissioning rules apply is one that exists and is open. */
const slotsUnderRules: ComputedSearch = {
  type: 'Slot',
  applies: (_query, { caller, commissioner }) => commissioner !== undefined && caller.kind !== 'system',
  perform: async (house, call, query) => {
    checkInteraction(call.caller, 'Slot', 's');
    const organisation = { identifier: { system: systems.organisation, value: call.commissioner ?? '' } };
    const given = { requestType: 'APPOINTMENT_REQUEST', expression: 'NHSD-eRS-Comm-Rule-Org' } as const;
    await checkCommissioner(factsOf(house.store, call.caller), organisation, given, 'invalid');
    return search(house, call, 'Slot', query);
  },
};

const computedSearches: readonly ComputedSearch[] = [availableActionsOfTask, ownRoles, onBehalfOf, conversationOfVersion, slotsUnderRules];

export const findComputedSearch = (type: string, query: Query, call: Call): ComputedSearch | undefined =>
  computedSearches.find((one) => one.type === type && one.applies(query, call));
