import { Failure } from '../fhir/outcome.js';
import { referenceTo } from '../fhir/resource.js';
import type { Call, House, Success } from '../interactions/house.js';
import { onceClaims } from '../interactions/once-claims.js';
import { isContainedType } from '../store/layout.js';
import type { Put, Recall, Store, Unit } from '../store/port.js';
import type { Happening } from './audit-event.js';
import { auditLine } from './audit-line.js';
import { Flood } from './flood.js';
import type { Trail } from './trail.js';
import { whoseAre, type Shown, type Whose } from './whose.js';

/** What was asked for, as far as the URL tells. */
export type Access = {
  /** as `Happening.doing` */
  readonly doing: string;
  readonly action: Happening['action'];
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly query?: string | undefined;
  /** which of a request's parts this is: an entry of a batch by its place, else 0 */
  readonly part?: number | undefined;
};

export type Witness = {
  /** Runs an access with a house whose commits carry its line of the audit; a read or a refusal is noted when it has run. */
  readonly around: (house: House, call: Call, asked: Access, run: (house: House) => Promise<Success>) => Promise<Success>;
  /** a request that never came so far: no token, a wrong header, too many */
  readonly refused: (
    call: Omit<Call, 'caller' | 'lenient'> & { readonly caller?: Call['caller']; readonly clientId?: string },
    error: unknown,
  ) => void;
  /** whose records went into a file that will be fetched by its name, which `asked.query` tells; durable when it resolves */
  readonly filed: (call: Pick<Call, 'caller' | 'about'>, asked: Access, whose: Whose) => Promise<void>;
  /** a token that was issued, or refused for a reason in the server's own words */
  readonly login: (about: NonNullable<Call['about']>, who: Login) => void;
};

/** Who asked for a token. */
export type Login = {
  /** the client and whom it acts for, when a token was issued */
  readonly caller?: Call['caller'];
  /** the registered client that a refused assertion names, proven or not */
  readonly clientId?: string;
  readonly reason?: string;
};

/** patients that one line of a file's audit names */
const inOneLine = 1000;

const nobody: Whose = { patients: [], numbers: [] };

/** The record of the path. */
const keysOf = ({ type, id }: Access): readonly Shown[] => (type !== undefined && id !== undefined ? [{ type, id }] : []);

/** Records by name, each once; a Patient is named among the patients. */
const about = (records: readonly Shown[], { patients, numbers }: Whose): Pick<Happening, 'what' | 'patients' | 'numbers'> => {
  const [first, ...more] = records;
  // most accesses are of one record
  if (first !== undefined && more.length === 0 && first.type !== 'Patient') return { what: [referenceTo(first)], patients, numbers };
  const persons = records.flatMap(({ type, id }) => (type === 'Patient' ? [id] : []));
  const others = records.flatMap((record) => (record.type === 'Patient' ? [] : [referenceTo(record)]));
  return {
    what: [...new Set(others)],
    patients: persons.length === 0 ? patients : [...new Set([...persons, ...patients])],
    numbers,
  };
};

type Said = ReturnType<typeof about>;

/** What was said of lists that are shown again and again. */
const saidOf = new WeakMap<readonly Shown[], Said>();

/** What an operation or a create was asked for stays that, whatever else changes with it; an update of what is not there creates it. */
const actionOf = (asked: Access['action'], puts: readonly Put[]): Happening['action'] => {
  if (asked === 'E' || asked === 'C') return asked;
  if (puts.every(({ body }) => body === undefined)) return 'D';
  return puts.some(({ version }) => version > 0) ? 'U' : 'C';
};

const reasonOf = (error: unknown): Pick<Happening, 'outcome' | 'reason'> =>
  error instanceof Failure && error.category !== 'exception'
    ? { outcome: '4', reason: error.category }
    : { outcome: '8', reason: 'exception' };

export type WitnessParts = {
  readonly trail: Trail;
  /** the store that commits go to; a house's own may be of an access around this one */
  readonly store: Store;
  /** makes the AuditEvents that exist readable as resources */
  readonly catchUp: () => Promise<void>;
  /** epoch ms */
  readonly clock: () => number;
  readonly newId: () => string;
};

/** For the server's own work, such as loading data: it is no access. */
export const unwitnessed: Witness = {
  around: (house, _call, _asked, run) => run(house),
  refused: () => undefined,
  filed: () => Promise.resolve(),
  login: () => undefined,
};

/** Sees to it that every access leaves an AuditEvent, on whatever path it came. */
export const createWitness = ({ trail, store, catchUp, clock, newId }: WitnessParts): Witness => {
  // accesses of the same millisecond have the same text
  let [latest, latestText] = [Number.NaN, ''];
  const now = (): string => {
    const ms = clock();
    if (ms !== latest) [latest, latestText] = [ms, new Date(ms).toISOString()];
    return latestText;
  };

  const lineOf = ({ caller, clientId, about }: Parameters<Witness['refused']>[0], happening: Happening): string =>
    auditLine(happening, {
      id: newId(),
      recorded: now(),
      caller,
      clientId,
      requestId: about?.requestId,
      correlationId: about?.correlationId,
    });

  const written = async (call: Call, asked: Access, unit: Unit): Promise<Unit> => {
    // what a resource contains is told of by its own name
    const puts = (unit.puts ?? []).filter(({ type }) => !isContainedType(type));
    if (puts.length === 0) return unit;
    trail.count();
    const line = lineOf(call, {
      doing: asked.doing,
      action: actionOf(asked.action, puts),
      outcome: '0',
      ...about(puts, await whoseAre(store, puts)),
    });
    return { ...unit, audit: [...(unit.audit ?? []), line], claims: [...(unit.claims ?? []), ...onceClaims(call, asked.part)] };
  };

  const shown = (call: Call, { doing, action, query }: Access, said: Said): void => {
    trail.note(lineOf(call, { doing, action, outcome: '0', ...said, query }));
  };
  /** A promise only where the store must be asked whose the records are. */
  const read = (call: Call, asked: Access, success: Success): undefined | Promise<void> => {
    const seen = success.seen ?? keysOf(asked);
    const known = saidOf.get(seen);
    const whose = known === undefined ? whoseAre(store, seen) : nobody;
    if (whose instanceof Promise)
      return whose.then((found) => {
        shown(call, asked, about(seen, found));
      });
    const said = known ?? about(seen, whose);
    if (seen[0]?.again === true) saidOf.set(seen, said);
    shown(call, asked, said);
    return undefined;
  };

  const writing: Witness['around'] = async (house, call, asked, run) => {
    const state = { committed: false };
    const own: Store = Object.assign(Object.create(house.store) as Store, {
      commit: async (unit: Unit, recall?: Recall) => {
        await store.commit(await written(call, asked, unit), recall);
        state.committed ||= (unit.puts?.length ?? 0) > 0;
      },
    });
    // over the house, not a copy of it: this is on the way of every request
    const success = await run(Object.assign(Object.create(house) as House, { store: own }));
    // what it wrote is told of; what it found and showed as it is, is not yet
    if (!state.committed || (success.seen ?? []).length > 0) await read(call, asked, success);
    return success;
  };

  const flood = new Flood(clock);
  /** Notes a refusal, unless too many of its kind were noted in this second: those are told as a number. */
  const note = (kind: string, call: Parameters<Witness['refused']>[0], happening: Omit<Happening, 'what'>): void => {
    const { told, untold } = flood.admit(kind);
    if (untold > 0) trail.note(lineOf(call, { ...happening, what: [], reason: `${String(untold)} more refusals` }));
    if (told) trail.note(lineOf(call, { ...happening, what: [] }));
  };

  const refused: Witness['refused'] = (call, error) => {
    const outcome = reasonOf(error);
    const known = call.caller?.clientId ?? call.clientId;
    const happening = { doing: 'operation request', action: 'E', ...outcome } as const;
    if (known === undefined) note('', call, happening);
    // of a client that may do nothing any more, or not so often
    else if (outcome.reason === 'throttled' || outcome.reason === 'login') note(known, call, happening);
    else trail.note(lineOf(call, { ...happening, what: [] }));
  };

  const filed: Witness['filed'] = async (call, { doing, action, query }, { patients, numbers }) => {
    const happening = { doing, action, outcome: '0', what: [], query } as const;
    for (let from = 0; from === 0 || from < Math.max(patients.length, numbers.length); from += inOneLine) {
      const part = { patients: patients.slice(from, from + inOneLine), numbers: numbers.slice(from, from + inOneLine) };
      await store.commit({ audit: [lineOf(call, { ...happening, ...part })] });
    }
  };

  const login: Witness['login'] = (about, { reason, ...who }) => {
    const call = { about, ...who };
    if (reason === undefined) trail.note(lineOf(call, { doing: 'login', action: 'E', outcome: '0', what: [] }));
    else note(`login ${who.clientId ?? ''}`, call, { doing: 'login', action: 'E', outcome: '4', reason });
  };

  return {
    refused,
    filed,
    login,
    around: async (house, call, asked, run) => {
      if (asked.type === 'AuditEvent') await catchUp();
      try {
        if (asked.action !== 'R') return await writing(house, call, asked, run);
        // what only reads commits nothing: it needs no house of its own
        const success = await run(house);
        const noting = read(call, asked, success);
        if (noting !== undefined) await noting;
        return success;
      } catch (error) {
        trail.note(
          lineOf(call, {
            doing: asked.doing,
            action: asked.action,
            ...about(keysOf(asked), nobody),
            query: asked.query,
            ...reasonOf(error),
          }),
        );
        throw error;
      }
    },
  };
};
