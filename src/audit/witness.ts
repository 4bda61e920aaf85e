import { Failure } from '../fhir/outcome.js';
import { referenceTo, type Key } from '../fhir/resource.js';
import type { Call, House, Success } from '../interactions/house.js';
import { isContainedType } from '../store/layout.js';
import type { Claim, Put, Store, Unit } from '../store/port.js';
import type { Happening } from './audit-event.js';
import { auditLine } from './audit-line.js';
import { Flood } from './flood.js';
import type { Trail } from './trail.js';

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

const mostNamed = 200;
const literal = /"reference":"Patient\/([A-Za-z0-9\-.]{1,64})"/;

/** The first patient that a resource names: its subject, as every type of this server is written. */
const patientIn = (type: string | undefined, id: string | undefined, body: unknown): string | undefined => {
  if (type === 'Patient') return id;
  return typeof body === 'string' ? literal.exec(body)?.[1] : undefined;
};

const actionOf = (puts: readonly Put[]): Happening['action'] => {
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

  const written = (call: Call, asked: Access, unit: Unit): Unit => {
    // what a resource contains is told of by its own name
    const puts = (unit.puts ?? []).filter(({ type }) => !isContainedType(type));
    if (puts.length === 0) return unit;
    const patient = puts.map(({ type, id, body }) => patientIn(type, id, body)).find((found) => found !== undefined);
    const line = lineOf(call, {
      doing: asked.doing,
      action: asked.action === 'E' ? 'E' : actionOf(puts),
      outcome: '0',
      what: puts.slice(0, mostNamed).map(referenceTo),
      patient,
    });
    const once: readonly Claim[] =
      call.about?.once === undefined ? [] : [{ ...call.about.once, key: `${call.about.once.key}/${String(asked.part ?? 0)}` }];
    return { ...unit, audit: [...(unit.audit ?? []), line], claims: [...(unit.claims ?? []), ...once] };
  };

  const read = (call: Call, asked: Access, success: Success): void => {
    const seen: readonly Key[] =
      success.seen ?? (asked.type !== undefined && asked.id !== undefined ? [{ type: asked.type, id: asked.id }] : []);
    const patient = asked.id === undefined ? call.caller.patientId : patientIn(asked.type, asked.id, success.body);
    trail.note(
      lineOf(call, {
        doing: asked.doing,
        action: asked.action,
        outcome: '0',
        what: (seen.length > mostNamed ? seen.slice(0, mostNamed) : seen).map(referenceTo),
        patient,
        query: asked.query,
      }),
    );
  };

  const writing: Witness['around'] = async (house, call, asked, run) => {
    const state = { committed: false };
    const own: Store = Object.assign(Object.create(house.store) as Store, {
      commit: async (unit: Unit) => {
        await store.commit(written(call, asked, unit));
        state.committed ||= (unit.puts?.length ?? 0) > 0;
      },
    });
    // over the house, not a copy of it: this is on the way of every request
    const success = await run(Object.assign(Object.create(house) as House, { store: own }));
    if (!state.committed) read(call, asked, success);
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
    else if (outcome.reason === 'throttled') note(known, call, happening);
    else trail.note(lineOf(call, { ...happening, what: [] }));
  };

  const login: Witness['login'] = (about, { reason, ...who }) => {
    const call = { about, ...who };
    if (reason === undefined) trail.note(lineOf(call, { doing: 'login', action: 'E', outcome: '0', what: [] }));
    else note(`login ${who.clientId ?? ''}`, call, { doing: 'login', action: 'E', outcome: '4', reason });
  };

  return {
    refused,
    login,
    around: async (house, call, asked, run) => {
      if (asked.type === 'AuditEvent') await catchUp();
      try {
        if (asked.action !== 'R') return await writing(house, call, asked, run);
        // what only reads commits nothing: it needs no house of its own
        const success = await run(house);
        read(call, asked, success);
        return success;
      } catch (error) {
        trail.note(
          lineOf(call, {
            doing: asked.doing,
            action: asked.action,
            what: asked.type !== undefined && asked.id !== undefined ? [`${asked.type}/${asked.id}`] : [],
            query: asked.query,
            ...reasonOf(error),
          }),
        );
        throw error;
      }
    },
  };
};
