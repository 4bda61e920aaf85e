import type { Decision, Draft, Facts } from '../domain/command.js';
import type { Situation } from '../domain/commands.js';
import { mayRead, sightOf } from '../access/policy.js';
import { failure, type Failure } from '../fhir/outcome.js';
import { findReferences, readReference } from '../fhir/references.js';
import { referenceTo, type Key } from '../fhir/resource.js';
import { Matched, Referenced, Stale, Taken, Unavailable, Unresolved, type ClaimKind, type Put, type Unit } from '../store/port.js';
import { isContainedType } from '../store/layout.js';
import { rememberedStore } from '../store/remembered.js';
import { knowsTerm } from './clinical-terms.js';
import { factsOf } from './facts.js';
import { written } from './answers.js';
import type { Call, House, Success } from './house.js';
import { seal } from './seal.js';
import { unanswered } from './unanswered.js';

/** of who race for the ten places of one holder each round lets one in at least */
const tries = 10;

/** What a domain command is given beside the resource. */
export const situationOf = (house: House, call: Call, facts: Facts): Situation => ({
  facts,
  caller: call.caller,
  baseUrl: house.baseUrl,
  now: new Date(house.clock()).toISOString(),
  newId: house.newId,
  newUbrn: house.newUbrn,
  demographics: house.demographics,
  providerSystem: house.providerSystem,
  postcodes: house.store,
  knowsTerm: (code) => knowsTerm(house, code),
});

/** What a write comes to when there is nothing to write: the answer as it stands. */
export type Settled = { readonly answer: Success };
export type Verdict = Decision | Settled;

export const isSettled = (verdict: Verdict): verdict is Settled => 'answer' in verdict;

/** Everything of a decision as one Unit. `blame` may say more of a Failure whose draft is known. */
export const unitOf = async (
  house: House,
  call: Call,
  decision: Decision,
  blame: (error: unknown, draft: Draft) => unknown = (error) => error,
): Promise<Unit> => {
  const sealed = await Promise.all(
    decision.drafts.map((draft) =>
      seal(house, call, draft, decision.drafts).catch((error: unknown) => {
        throw blame(error, draft);
      }),
    ),
  );
  return {
    puts: sealed.flatMap(({ put, contained }) => [put, ...contained]),
    expects: [...sealed.flatMap(({ expects }) => expects), ...(decision.expects ?? [])],
    unmatched: decision.unmatched ?? [],
    claims: [...sealed.flatMap(({ claims }) => claims), ...(decision.claims ?? [])],
    releases: [...sealed.flatMap(({ releases }) => releases), ...(decision.releases ?? [])],
    entries: sealed.flatMap(({ entries }) => entries),
  };
};

/** True for an error after which the same request may succeed when it gathers again. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Stale || (error instanceof Taken && error.claim.kind !== 'idempotency') || error instanceof Matched;

/** Does a step of a decision's commit; when it fails, what other systems confirmed for the decision is given back. */
export const orUndo = async <T>(decision: Pick<Decision, 'undo'>, step: () => Promise<T>): Promise<T> => {
  try {
    return await step();
  } catch (error) {
    await decision.undo?.();
    throw error;
  }
};

type Done = { readonly put: Put; readonly unit: Unit; readonly decision: Decision };

/** One round: gather, decide, commit. Undefined when the facts moved in between and another round may do. */
const attempt = async (
  base: House,
  call: Call,
  decide: (facts: Facts) => Promise<Verdict>,
  isLast: boolean,
): Promise<Done | Settled | undefined> => {
  const house = Object.assign(Object.create(base) as House, { store: rememberedStore(base.store) });
  const decision = await decide(factsOf(house.store, call.caller));
  if (isSettled(decision)) return decision;
  const unit = await orUndo(decision, () => unitOf(house, call, decision));
  try {
    await orUndo(decision, () => house.store.commit(unit));
    await house.customParameters.noted(unit);
  } catch (error) {
    if (isPassing(error) && !isLast) return undefined;
    throw translated(call, error, unit);
  }
  const put = unit.puts?.find(({ type, id }) => type === decision.result.type && id === decision.result.id);
  if (!put) throw new Error('a decision shows one of its drafts');
  return { put, unit, decision };
};

/**
 * Gathers, decides and commits; when the facts moved in between, gathers again, a few times. What a client pinned (If-Match) is
 * checked by `decide`, so a repeated round answers as the first should have.
 */
export const perform = async (
  house: House,
  call: Call,
  decide: (facts: Facts) => Promise<Decision>,
): Promise<{ readonly put: Put; readonly unit: Unit }> => {
  for (let round = 1; ; round++) {
    const done = await attempt(house, call, decide, round === tries);
    if (done && !('answer' in done)) return done;
  }
};

/** Performs a write that may turn out to have nothing to write, and answers it. */
export const performWrite = async (house: House, call: Call, decide: (facts: Facts) => Promise<Verdict>): Promise<Success> => {
  for (let round = 1; ; round++) {
    const done = await attempt(house, call, decide, round === tries);
    if (!done) continue;
    return 'answer' in done ? done.answer : written(house, done.put, done.decision.created);
  }
};

/** Where in a unit something refers to the target: FHIRPath with indexes. */
const referringTo = (unit: Unit, target: Key): { readonly put: Put; readonly path: string } | undefined => {
  for (const put of unit.puts ?? []) {
    if (put.body === undefined || !put.body.includes(`${target.type}/${target.id}`)) continue;
    const found = findReferences(JSON.parse(put.body), put.type).find(({ reference }) => {
      const key = reference === undefined ? undefined : readReference(reference.slice(reference.lastIndexOf(`${target.type}/`)), '');
      return key?.type === target.type && key.id === target.id;
    });
    if (found) return { put, path: `${found.path}.reference` };
  }
  return undefined;
};

const taken: Readonly<Partial<Record<ClaimKind, readonly [code: string, text: string, element: string]>>> = {
  slot: ['conflict', 'The slot is taken.', 'slot'],
  'current-booking': ['conflict', 'The referral has a current appointment already.', 'basedOn'],
  identifier: ['duplicate', 'An identifier that must be unique is taken.', 'identifier'],
};

/** A claim that another one has, and the element that made it. */
const refusedClaim = ({ claim }: Taken, unit: Unit, placeOf: (put: Put, path: string) => string): Failure => {
  if (claim.kind === 'idempotency')
    return failure('conflict', 'duplicate', 'A request with this X-Request-ID and X-Correlation-ID was carried out before.');
  const [code, text, element] = taken[claim.kind] ?? ['conflict', 'Another request holds what this one needs.', ''];
  const put = element === '' ? undefined : unit.puts?.find((candidate) => referenceTo(candidate) === claim.owner);
  return failure('conflict', code, text, {
    ...(claim.kind === 'slot' ? { coding: { system: 'https://fhir.nhs.uk/CodeSystem/ers-error-codes', code: 'SLOT_NOT_AVAILABLE' } } : {}),
    ...(put === undefined ? {} : { expression: [placeOf(put, `${put.type}.${element}`)] }),
  });
};

/** Who refers to what was to be deleted, as far as the caller's scopes let it read that. */
const refusedRemoval = ({ caller }: Call, { at, by }: Referenced): Failure => {
  const shown = by
    .filter(({ type }) => !isContainedType(type) && mayRead(caller, type) && sightOf(caller, type) === 'all')
    .map(referenceTo);
  return failure('conflict', 'conflict', `${referenceTo(at)} is referred to by ${shown.length === 0 ? 'others' : shown.join(', ')}.`);
};

/** The port's errors as failures; `unit` is what was being committed, `placeOf` where its resources stand in the request. */
export const translated = (
  call: Call,
  error: unknown,
  unit: Unit = {},
  placeOf: (put: Put, path: string) => string = (_, path) => path,
): unknown => {
  if (error instanceof Stale)
    return failure('conflict', 'conflict', `Another request changed ${referenceTo(error.at)} at the same moment: read it again.`);
  if (error instanceof Taken) return refusedClaim(error, unit, placeOf);
  if (error instanceof Unresolved) {
    const at = referringTo(unit, error.target);
    return failure('business-rule', 'not-found', `${referenceTo(error.target)} does not exist: references must resolve.`, {
      diagnostics: referenceTo(error.target),
      ...(at === undefined ? {} : { expression: [placeOf(at.put, at.path)] }),
    });
  }
  if (error instanceof Referenced) return refusedRemoval(call, error);
  if (error instanceof Matched)
    return failure('precondition', 'conflict', 'A match of the criteria appeared at the same moment: try again.');
  if (error instanceof Unavailable) return unanswered(error, { diagnostics: 'store' });
  return error;
};
