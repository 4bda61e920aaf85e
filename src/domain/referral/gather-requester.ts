import type { Practitioner, PractitionerRole, Reference } from 'fhir/r4.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { organisationOf } from '../directory/service.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { referrerRules, requesterRules, type HeldPost } from './referrer-rules.js';

const postOf = async (facts: Facts, { id, resource }: Found): Promise<HeldPost> => {
  const role = resource as unknown as PractitionerRole;
  return {
    id,
    active: role.active !== false,
    organisation: await organisationOf(facts, role.organization),
    functions: (role.code ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? [])),
  };
};

const postsOf = async (facts: Facts, sdsUser: string | undefined): Promise<readonly HeldPost[] | undefined> => {
  const practitioner = sdsUser === undefined ? undefined : await facts.byIdentifier('Practitioner', systems.sdsUser, sdsUser);
  if (!practitioner) return undefined;
  const roles = await facts.search(
    {
      type: 'PractitionerRole',
      where: [{ kind: 'reference', param: 'practitioner', any: [{ type: 'Practitioner', id: practitioner.id }] }],
      count: 100,
    },
    'all',
  );
  return Promise.all(roles.map((role) => postOf(facts, role)));
};

/** Who is to refer: by SDS user id, by the requester of a plain create, or the caller himself; `expression` says where he is named. */
export type AskedRequester = {
  readonly named: string | undefined;
  readonly requester: Reference | undefined;
  readonly expression: string;
};

/** The posts of the clinician whom an administrator refers for; refuses a name that others give, or that does not fit (referrer rules). */
export const gatherNamed = async (
  { facts, caller }: Situation,
  named: string | undefined,
  expression: string,
): Promise<readonly HeldPost[] | undefined> => {
  const posts = await postsOf(facts, named);
  if (caller.kind !== 'system')
    refuseBreaches(referrerRules, {
      businessFunction: caller.businessFunction,
      organisation: caller.organisation,
      named,
      posts,
      expression,
    });
  return posts;
};

const listed = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

/** The post that a requester is, or all posts of the person that he is. */
const postsOfRequester = async (
  facts: Facts,
  requester: Reference,
): Promise<{ readonly role: boolean; readonly posts: readonly HeldPost[] }> => {
  const key = readReference(requester.reference ?? '', '');
  const found = key && (await facts.find(key, 'all'));
  if (found?.type === 'PractitionerRole') return { role: true, posts: [await postOf(facts, found)] };
  const identifiers =
    found?.type === 'Practitioner' ? (found.resource as unknown as Practitioner).identifier : listed(requester.identifier);
  const sdsUser = identifiers?.find(({ system }) => system === systems.sdsUser)?.value;
  return { role: false, posts: (await postsOf(facts, sdsUser)) ?? [] };
};

/** ODS codes of where a requester works; none for whom no organisation is known. */
export const requesterOrganisations = async (facts: Facts, requester: Reference | undefined): Promise<readonly string[]> => {
  if (requester === undefined) return [];
  const direct = await organisationOf(facts, requester);
  if (direct !== undefined) return [direct];
  const { role, posts } = await postsOfRequester(facts, requester);
  return posts.flatMap((post) => (role || post.active ? listed(post.organisation) : []));
};

/** The reference both ways: whom an SDS user id or an ODS code means is named by its literal reference too. */
const literal = async (facts: Facts, requester: Reference): Promise<Reference> => {
  const { system, value } = requester.identifier ?? {};
  const type = system === systems.sdsUser ? 'Practitioner' : system === systems.organisation ? 'Organization' : undefined;
  if (requester.reference !== undefined || type === undefined || value === undefined) return requester;
  const found = await facts.byIdentifier(type, system ?? '', value);
  return found ? { ...requester, reference: `${type}/${found.id}` } : requester;
};

/** Who refers: the post that the request names, else that of the caller, or of whom an administrator names. */
export const gatherRequester = async (situation: Situation, asked: AskedRequester): Promise<Reference | undefined> => {
  const { facts, caller } = situation;
  if (caller.kind === 'system') return asked.requester;
  // a plain create has no parameter for the clinician: its requester says whom the administrator refers for
  if (asked.requester !== undefined) {
    const organisations = await requesterOrganisations(facts, asked.requester);
    const expression = 'ServiceRequest.requester';
    refuseBreaches(requesterRules, { organisation: caller.organisation, organisations, expression });
    if (caller.businessFunction === 'REFERRING_CLINICIAN_ADMIN')
      refuseBreaches(referrerRules, {
        businessFunction: caller.businessFunction,
        organisation: caller.organisation,
        named: asked.requester.reference ?? asked.requester.identifier?.value,
        posts: (await postsOfRequester(facts, asked.requester)).posts,
        expression,
      });
    return literal(facts, asked.requester);
  }
  const named = await gatherNamed(situation, asked.named, asked.expression);
  const posts = named ?? (await postsOf(facts, caller.user)) ?? [];
  const post = posts.find((held) => held.organisation === caller.organisation);
  return post && { reference: `PractitionerRole/${post.id}` };
};
