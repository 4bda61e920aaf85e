import type { Practitioner, PractitionerRole, Reference } from 'fhir/r4.js';
import { inForce } from '../../access/in-force.js';
import { readReference } from '../../fhir/references.js';
import { systems } from '../codes.js';
import type { Facts, Found } from '../command.js';
import { isClosed } from '../directory/organisation.js';
import { organisationOf } from '../directory/service.js';
import { refuseMisnamed } from '../misnamed.js';
import { refusal } from '../refusal.js';
import { refuseBreaches } from '../rules/rule.js';
import type { Situation } from '../situation.js';
import { isReferringClinician, referrerRules, requesterRules, selfRules, type HeldPost } from './referrer-rules.js';

type Asking = Pick<Situation, 'facts' | 'now'>;

const postOf = async ({ facts, now }: Asking, { id, resource }: Found): Promise<HeldPost> => {
  const role = resource as unknown as PractitionerRole;
  return {
    id,
    active: inForce(role, Date.parse(now)),
    organisation: await organisationOf(facts, role.organization),
    functions: (role.code ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? [])),
  };
};

/** The posts of a practitioner; of one who is not active any more none is. */
const postsOf = async (asking: Asking, practitioner: Found): Promise<readonly HeldPost[]> => {
  const gone = (practitioner.resource as unknown as Practitioner).active === false;
  const roles = await asking.facts.search(
    {
      type: 'PractitionerRole',
      where: [{ kind: 'reference', param: 'practitioner', any: [{ type: 'Practitioner', id: practitioner.id }] }],
      count: 100,
    },
    'all',
  );
  const posts = await Promise.all(roles.map((role) => postOf(asking, role)));
  return gone ? posts.map((post) => ({ ...post, active: false })) : posts;
};

const byNumber = ({ facts }: Asking, sdsUser: string | undefined): Promise<Found | undefined> =>
  sdsUser === undefined ? Promise.resolve(undefined) : facts.byIdentifier('Practitioner', systems.sdsUser, sdsUser);

const postsOfUser = async (asking: Asking, sdsUser: string | undefined): Promise<readonly HeldPost[] | undefined> => {
  const practitioner = await byNumber(asking, sdsUser);
  return practitioner && postsOf(asking, practitioner);
};

/** The clinician that a reference names: by his record, by a post of his, or by SDS user id. */
const clinicianOf = async (situation: Situation, reference: Reference, expression: string): Promise<Found | undefined> => {
  const { facts, baseUrl } = situation;
  if (reference.reference === undefined) return byNumber(situation, reference.identifier?.value);
  const key = readReference(reference.reference, baseUrl);
  const found = key && (await facts.find({ type: key.type, id: key.id }, 'all'));
  if (found?.type === 'PractitionerRole') {
    const held = readReference((found.resource as unknown as PractitionerRole).practitioner?.reference ?? '', baseUrl);
    return held && facts.find(held, 'all');
  }
  if (found?.type !== 'Practitioner') return undefined;
  refuseMisnamed(reference, found, { baseUrl, what: 'clinician', expression });
  return found;
};

/** Who is to refer: by name, by the requester of a plain create, or the caller himself; `expression` says where he is named. */
export type AskedRequester = {
  readonly named: Reference | undefined;
  readonly requester: Reference | undefined;
  readonly expression: string;
};

/** The posts of the clinician whom an administrator refers for; refuses a name that others give, or that does not fit (referrer rules). */
export const gatherNamed = async (
  situation: Situation,
  named: Reference | undefined,
  expression: string,
): Promise<readonly HeldPost[] | undefined> => {
  const { caller } = situation;
  const clinician = named && (await clinicianOf(situation, named, expression));
  const posts = clinician && (await postsOf(situation, clinician));
  if (caller.kind !== 'system')
    refuseBreaches(referrerRules, {
      businessFunction: caller.businessFunction,
      organisation: caller.organisation,
      named: named && (named.reference ?? named.identifier?.value ?? named.display ?? ''),
      posts,
      expression,
    });
  return posts;
};

const listed = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

/** The post that a requester is, or all posts of the person that he is. */
const postsOfRequester = async (
  asking: Asking,
  requester: Reference,
): Promise<{ readonly role: boolean; readonly posts: readonly HeldPost[] }> => {
  const key = readReference(requester.reference ?? '', '');
  const found = key && (await asking.facts.find(key, 'all'));
  if (found?.type === 'PractitionerRole') return { role: true, posts: [await postOf(asking, found)] };
  const identifiers =
    found?.type === 'Practitioner' ? (found.resource as unknown as Practitioner).identifier : listed(requester.identifier);
  const sdsUser = identifiers?.find(({ system }) => system === systems.sdsUser)?.value;
  return { role: false, posts: (await postsOfUser(asking, sdsUser)) ?? [] };
};

/** A requester: the posts that he has, none of an organisation, and the ODS codes of where he works. */
const gatherPosts = async (
  asking: Asking,
  requester: Reference,
): Promise<{ readonly posts: readonly HeldPost[]; readonly organisations: readonly string[] }> => {
  const direct = await organisationOf(asking.facts, requester);
  if (direct !== undefined) return { posts: [], organisations: [direct] };
  const { role, posts } = await postsOfRequester(asking, requester);
  return { posts, organisations: posts.flatMap((post) => (role || post.active ? listed(post.organisation) : [])) };
};

/** ODS codes of where a requester works; none for whom no organisation is known. */
export const requesterOrganisations = async (asking: Asking, requester: Reference | undefined): Promise<readonly string[]> =>
  requester === undefined ? [] : (await gatherPosts(asking, requester)).organisations;

/** The reference both ways: the organisation that an ODS code means is named by its literal reference too. */
const literal = async (facts: Facts, requester: Reference): Promise<Reference> => {
  const { system, value } = requester.identifier ?? {};
  if (requester.reference !== undefined || system !== systems.organisation || value === undefined) return requester;
  const found = await facts.byIdentifier('Organization', system, value);
  return found ? { ...requester, reference: `Organization/${found.id}` } : requester;
};

/** The post in which somebody refers at an organisation: that of a referring clinician where he holds it. */
const postAt = (posts: readonly HeldPost[], organisation: string | undefined): HeldPost | undefined => {
  const here = posts.filter((held) => held.organisation === organisation);
  return here.find((held) => held.active && isReferringClinician(held)) ?? here.find(({ active }) => active) ?? here[0];
};

/**
 * The requester of a plain create, which has no parameter for the clinician: the caller himself, whom an administrator refers for, or their
 * organisation. A person is written as the post in which he refers, as A011 writes him.
 */
const givenRequester = async (situation: Situation, requester: Reference): Promise<Reference> => {
  const { facts, caller } = situation;
  const { organisation, businessFunction } = caller;
  const expression = 'ServiceRequest.requester';
  const { posts, organisations } = await gatherPosts(situation, requester);
  refuseBreaches(requesterRules, { organisation, organisations, expression });
  if (businessFunction === 'REFERRING_CLINICIAN_ADMIN') {
    const named = requester.reference ?? requester.identifier?.value;
    refuseBreaches(referrerRules, { businessFunction, organisation, named, posts, expression });
  } else {
    const own = new Set(((await postsOfUser(situation, caller.user)) ?? []).map(({ id }) => id));
    refuseBreaches(selfRules, { isSelf: posts.every(({ id }) => own.has(id)), expression });
  }
  const post = postAt(posts, organisation);
  if (post === undefined) return literal(facts, requester);
  // the type is that of the person who was named
  const { type: _type, ...rest } = requester;
  return { ...rest, reference: `PractitionerRole/${post.id}` };
};

/** Who refers: whom the request names, else the caller, or whom an administrator names. Nobody refers for an organisation that is closed. */
export const gatherRequester = async (situation: Situation, asked: AskedRequester): Promise<Reference | undefined> => {
  const { facts, caller } = situation;
  if (caller.kind === 'system') return asked.requester;
  if (caller.organisation !== undefined && isClosed(await facts.byIdentifier('Organization', systems.organisation, caller.organisation)))
    throw refusal('business-rule', 'business-rule', 'ORGANISATION_IS_CLOSED', 'The organisation that refers is closed.', asked.expression);
  if (asked.requester !== undefined) return givenRequester(situation, asked.requester);
  const named = await gatherNamed(situation, asked.named, asked.expression);
  const post = postAt(named ?? (await postsOfUser(situation, caller.user)) ?? [], caller.organisation);
  return post && { reference: `PractitionerRole/${post.id}` };
};
