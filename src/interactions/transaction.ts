import { sightOf } from '../access/policy.js';
import type { Decision, Draft } from '../domain/command.js';
import { Failure, failure } from '../fhir/outcome.js';
import { referenceTo, type Key, type Resource } from '../fhir/resource.js';
import type { Unit } from '../store/port.js';
import { gone, notFound, written } from './answers.js';
import { absoluteFor, referencesIn, refuseRepeated, relinked } from './bundle-links.js';
import { compartmentOf } from './compartment-search.js';
import { ownOf, resolveConditional, type Own } from './conditional-references.js';
import { matchesOf, severalMatches } from './criteria.js';
import { dispatch, routeOf, splitUrl } from './dispatch.js';
import { callOf, failureText, interactiveOf, readText, responseText, type Entry } from './entries.js';
import { factsOf } from './facts.js';
import type { Call, House, Success } from './house.js';
import { isPassing, isSettled, orUndo, translated, unitOf, type Verdict } from './perform.js';
import { seeingWrites } from './one-state.js';
import { narrowedQuery } from './search.js';

const tries = 4;
// R4 http.html#trules: DELETE, POST, PUT and PATCH, then GET and HEAD, which see what the others did
const order: readonly (readonly string[])[] = [['DELETE'], ['POST'], ['PUT', 'PATCH']];

/** what stands first in a path that is about no type */
const ofSystem: ReadonlySet<string> = new Set(['', '_history', '_job', 'metadata']);

const isWrite = ({ request }: Entry): boolean => request.method !== 'GET' && request.method !== 'HEAD';

/** R4 http.html#transaction: all entries in one Unit, or none. Answers the parts of the response, in the order of the entries. */
export const transaction = async (house: House, call: Call, entries: readonly Entry[]): Promise<readonly string[]> => {
  refuseRepeated(entries);
  for (let round = 1; ; round++) {
    const planning = new Planning(house, call, entries);
    const plan = await orUndo(planning, () => planning.plan());
    const indexOf = (key: Key): number => plan.verdicts.findIndex((verdict) => verdict !== undefined && concerns(verdict, key));
    const blame = (error: unknown, draft: Draft): unknown => (error instanceof Failure ? placed(error, indexOf(draft)) : error);
    const unit = await orUndo(planning, () => unitOf(house, call, { ...merged(plan.verdicts), result: { type: '', id: '' } }, blame));
    try {
      await orUndo(planning, () => house.store.commit(unit));
      await house.customParameters.noted(unit);
      return await answers(house, call, plan, unit);
    } catch (error) {
      if (isPassing(error) && round < tries) continue;
      throw translated(call, error, unit, (put, path) => expressionIn(indexOf(put), path));
    }
  }
};

type Plan = { readonly entries: readonly Entry[]; readonly verdicts: readonly (Verdict | undefined)[] };

const concerns = (verdict: Verdict, { type, id }: Key): boolean =>
  !isSettled(verdict) && verdict.drafts.some((draft) => draft.type === type && draft.id === id);

/** One Unit of all decisions: of several drafts of one resource the last counts, written over the version first read. */
const merged = (verdicts: readonly (Verdict | undefined)[]): Omit<Decision, 'result'> => {
  const decisions = verdicts.flatMap((verdict) => (verdict && !isSettled(verdict) ? [verdict] : []));
  const drafts = new Map<string, Draft>();
  for (const draft of decisions.flatMap((decision) => decision.drafts))
    drafts.set(referenceTo(draft), { ...draft, version: drafts.get(referenceTo(draft))?.version ?? draft.version });
  return {
    drafts: [...drafts.values()],
    // what the transaction writes itself is guarded by the version that it writes over
    expects: decisions.flatMap(({ expects }) => expects ?? []).filter((expected) => !drafts.has(referenceTo(expected))),
    unmatched: decisions.flatMap(({ unmatched }) => unmatched ?? []),
    claims: decisions.flatMap(({ claims }) => claims ?? []),
    releases: decisions.flatMap(({ releases }) => releases ?? []),
  };
};

const answers = async (house: House, call: Call, { entries, verdicts }: Plan, unit: Unit): Promise<readonly string[]> => {
  const parts: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const own = callOf(call, entry);
    const verdict = verdicts[index];
    parts.push(verdict ? responseText(house, own, answerOf(house, verdict, unit)) : await readAfter(house, own, entry));
  }
  return parts;
};

/** A read of what is written by now: when it fails the writes stand all the same, so that only its own entry says so. */
const readAfter = async (house: House, call: Call, entry: Entry): Promise<string> => {
  try {
    return readText(house, call, entry, await dispatch(seeingWrites(house), call, interactiveOf(entry)));
  } catch (error) {
    const failed = translated(call, error);
    if (failed instanceof Failure) return failureText(failed);
    throw failed;
  }
};

const answerOf = (house: House, verdict: Verdict, unit: Unit): Success => {
  if (isSettled(verdict)) return verdict.answer;
  const { type, id } = verdict.result;
  const put = unit.puts?.find((candidate) => candidate.type === type && candidate.id === id);
  if (!put) throw new Error('a decision shows one of its drafts');
  return written(house, put, verdict.created);
};

/** Decides every entry, in the order of the verbs, over what the entries before it have decided. */
class Planning {
  private readonly verdicts: (Verdict | undefined)[];
  /** the id that each entry's resource will have or has, so that references may go in any direction, round in a circle too */
  private readonly targets: (Key | undefined)[];
  private readonly byUrl = new Map<string, number>();
  private readonly fresh: readonly string[];
  private readonly own: Own[] = [];
  private readonly conditional = new Map<string, Key>();
  private readonly touched = new Set<string>();
  private readonly criteria = new Set<string>();

  constructor(
    private readonly house: House,
    private readonly call: Call,
    private readonly entries: readonly Entry[],
  ) {
    this.verdicts = entries.map(() => undefined);
    this.targets = entries.map(() => undefined);
    this.fresh = entries.map(() => house.newId());
    entries.forEach(({ fullUrl }, index) => {
      if (fullUrl !== undefined) this.byUrl.set(fullUrl, index);
    });
  }

  async plan(): Promise<Plan> {
    for (const index of this.entries.keys()) await this.at(index, (entry) => this.aim(entry, index));
    for (const index of this.entries.keys()) await this.at(index, (entry) => this.resolve(entry));
    for (const index of this.entries.keys()) await this.at(index, (entry) => this.foresee(entry));
    for (const methods of order) for (const index of this.ordered(methods)) await this.at(index, (entry) => this.decide(entry, index));
    return { entries: this.entries, verdicts: this.verdicts };
  }

  /** Gives back what other systems confirmed for the entries. */
  readonly undo = async (): Promise<void> => {
    for (const verdict of this.verdicts) if (verdict && !isSettled(verdict)) await verdict.undo?.();
  };

  /** Names the entry in whatever goes wrong with it. */
  private async at(index: number, work: (entry: Entry) => Promise<void>): Promise<void> {
    const entry = this.entries[index];
    if (!entry) return;
    try {
      await work(entry);
    } catch (error) {
      throw error instanceof Failure ? placed(error, index) : error;
    }
  }

  /** Finds the route, which checks what the caller may do, and the identity of what the entry is about. */
  private async aim(entry: Entry, index: number): Promise<void> {
    const { method, url } = entry.request;
    const { words } = splitUrl(url);
    if (!isWrite(entry)) return;
    if (words.at(-1)?.startsWith('$') === true)
      throw failure('invalid', 'not-supported', 'An operation cannot be part of a transaction: use a batch.', {
        expression: ['request.url'],
      });
    const own = callOf(this.call, entry);
    const { asked } = routeOf(this.house, own, interactiveOf(entry));
    const { type, id } = asked;
    const criteria = method === 'POST' ? entry.request.ifNoneExist : id === '' ? url.slice(url.indexOf('?') + 1) : undefined;
    const match = criteria === undefined ? undefined : await matchesOf(this.house, own, type, criteria, 'request');
    if (match?.several === true) throw severalMatches(type, 'request');
    if (criteria !== undefined && match?.one === undefined) this.reserve(`${type}?${criteria}`);
    const target = {
      type,
      id:
        match?.one?.id ??
        (id !== '' ? id : method === 'PUT' ? (entry.resource?.id ?? this.newIdOf(type, index)) : this.newIdOf(type, index)),
    };
    this.targets[index] = target;
    // what a patch makes is not known yet, and a conditional create that found a match writes nothing
    if (method === 'PATCH' || (method === 'POST' && match?.one !== undefined)) return;
    const madeBy = criteria === undefined ? undefined : `${type}?${criteria}`;
    this.own.push(ownOf(this.house, target, method === 'DELETE' ? undefined : entry.resource, madeBy));
  }

  /** R4 http.html#trules: identities must not overlap, also where criteria that nothing matches yet stand for them. */
  private reserve(criteria: string): void {
    if (this.criteria.has(criteria)) throw failure('invalid', 'duplicate', `Two entries would make what ${criteria} finds.`);
    this.criteria.add(criteria);
  }

  /** A read is made when all is written; what it could never show stops the transaction before. */
  private async foresee(entry: Entry): Promise<void> {
    const { words } = splitUrl(entry.request.url);
    if (isWrite(entry) || words.at(-1)?.startsWith('$') === true || ofSystem.has(words[0] ?? '') || compartmentOf(words)) return;
    const own = callOf(this.call, entry);
    const { route, asked } = routeOf(this.house, own, interactiveOf(entry));
    if (route.offered === 'search-type') await narrowedQuery(this.house, own, asked.type, asked.query);
    if (route.offered !== 'read' || this.targets.some((target) => target?.type === asked.type && target.id === asked.id)) return;
    const stored = await this.house.store.find(asked, sightOf(own.caller, asked.type));
    if (!stored) throw notFound(asked);
    if (stored.body === undefined) throw gone(asked);
  }

  private newIdOf(type: string, index: number): string {
    const raw = this.fresh[index] ?? '';
    return type === 'ServiceRequest' ? `r.${raw}` : raw;
  }

  private async decide(entry: Entry, index: number): Promise<void> {
    const own = callOf(this.call, entry);
    const resource = entry.resource && this.linked(entry, entry.resource);
    const newId = startingWith(this.fresh[index] ?? '', this.house.newId);
    // a house may stand on another one (as that of an audited access does): a copy of its own members would not be one
    const house = Object.create(this.house, { newId: { value: newId, enumerable: true } }) as House;
    const interactive = interactiveOf({ ...entry, ...(resource === undefined ? {} : { resource }) });
    const { route, asked } = routeOf(house, own, interactive);
    if (!('decide' in route)) throw failure('invalid', 'not-supported', `${entry.request.method} ${entry.request.url} is no write.`);
    const drafts = this.verdicts.flatMap((verdict) => (verdict && !isSettled(verdict) ? verdict.drafts : []));
    const verdict = await route.decide(asked, factsOf(this.house.store, own.caller, drafts));
    const key = isSettled(verdict) ? verdict.answer.key : verdict.result;
    this.verdicts[index] = verdict;
    if (!key) return;
    this.targets[index] = key;
    // R4 http.html#trules: identities must not overlap; a conditional create that found a match writes nothing
    if (isSettled(verdict) && entry.request.method === 'POST' && !this.touched.has(referenceTo(key))) return;
    if (this.touched.has(referenceTo(key))) throw failure('invalid', 'duplicate', `${referenceTo(key)} stands twice in the transaction.`);
    this.touched.add(referenceTo(key));
  }

  private linked(entry: Entry, resource: Resource): Resource {
    return relinked(resource, this.house.shapes, (link, isReference) => {
      const found = isReference ? this.conditional.get(link) : undefined;
      const key = found ?? this.entryAt(isReference ? absoluteFor(entry, link) : link);
      return key && referenceTo(key);
    });
  }

  private entryAt(url: string): Key | undefined {
    const index = this.byUrl.get(url);
    return index === undefined ? undefined : this.targets[index];
  }

  private async resolve({ resource }: Entry): Promise<void> {
    for (const reference of resource ? referencesIn(resource, this.house.shapes) : []) {
      const key = this.conditional.has(reference) ? undefined : await resolveConditional(this.house, this.call, reference, this.own);
      if (key) this.conditional.set(reference, key);
    }
  }

  /** The entries of a verb, those first on which no other one of them depends: a booking after the referral it is based on. */
  private ordered(methods: readonly string[]): readonly number[] {
    const open = [...this.entries.entries()].filter(([, { request }]) => methods.includes(request.method)).map(([index]) => index);
    const needs = new Map(open.map((index) => [index, this.needsOf(index)]));
    const sorted: number[] = [];
    while (open.length > 0) {
      const free = open.filter((index) => !open.some((other) => other !== index && needs.get(index)?.has(other) === true));
      // the rest go round in a circle: their ids are known beforehand
      const next = free.length > 0 ? free : open.slice(0, 1);
      sorted.push(...next);
      for (const index of next) open.splice(open.indexOf(index), 1);
    }
    return sorted;
  }

  private needsOf(index: number): ReadonlySet<number> {
    const entry = this.entries[index];
    if (!entry?.resource) return new Set();
    return new Set(
      referencesIn(entry.resource, this.house.shapes).flatMap((reference) => {
        const key = this.conditional.get(reference);
        if (!key) return this.byUrl.get(absoluteFor(entry, reference)) ?? [];
        const target = this.targets.findIndex((one) => one?.type === key.type && one.id === key.id);
        return target < 0 ? [] : [target];
      }),
    );
  }
}

/** Gives `first` once, then what `next` gives. */
const startingWith = (first: string, next: () => string): (() => string) => {
  let given = false;
  return () => {
    if (given) return next();
    given = true;
    return first;
  };
};

const placed = (failed: Failure, index: number): Failure =>
  new Failure(
    failed.category,
    failed.issues.map((issue) => ({ ...issue, expression: [expressionIn(index, issue.expression?.[0])] })),
    failed.headers,
  );

const expressionIn = (index: number, expression: string | undefined): string => {
  if (index < 0) return expression ?? 'Bundle';
  const at = `Bundle.entry[${String(index)}]`;
  if (expression === undefined) return at;
  // R4 http.html#trules: in an entry the header is an element
  if (expression === 'If-Match') return `${at}.request.ifMatch`;
  return /^[A-Z]/.test(expression)
    ? `${at}.resource${expression.includes('.') ? expression.slice(expression.indexOf('.')) : ''}`
    : `${at}.${expression}`;
};
