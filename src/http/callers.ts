import type { Request } from '@hapi/hapi';
import type { Patient } from 'fhir/r4.js';
import type { AccessClaims, Caller, Kind } from '../access/caller.js';
import { callerOf, type Exemption, type HeldRole, type RequestHeaders } from '../access/headers.js';
import { inForce, type Held } from '../access/in-force.js';
import { scopeConditions } from '../access/narrow-plan.js';
import type { RefusalBudget } from '../access/refusal-budget.js';
import { constraintsOf, type Constraint } from '../access/scopes.js';
import type { Client, ClientRegistry } from '../auth/client.js';
import type { Keyring } from '../auth/keyring.js';
import { ageOn } from '../access/age.js';
import { systems } from '../domain/codes.js';
import { replacementId } from '../domain/demographics/demographics.js';
import { Failure, failure } from '../fhir/outcome.js';
import type { House } from '../interactions/house.js';
import type { Predicate } from '../store/port.js';
import type { AddressFinder } from './address.js';

type Cached<T> = { readonly value: T; readonly until: number };
type Admitted = { readonly caller: Caller; readonly rate: number | undefined };
type PatientFacts = { readonly id: string; readonly birthDate: string | undefined; readonly formerIds: readonly string[] };
/** records of one person that were merged into another */
const mostFormer = 20;
const keptMs = 5000;
/** a caller is found anew after this, so that what was revoked or ended soon counts */
const admittedMs = 1000;
/** NHS login and the patient care aggregator: nobody under 16 */
const youngest = 16;

/** entries of each memory */
const most = 10_000;
/** roles that one token is remembered in */
const mostOfToken = 20;

/** What a caller is found by. */
type Named = {
  readonly authorization: string;
  readonly ods: Sent;
  readonly businessFunction: Sent;
  readonly onBehalfOf: Sent;
  readonly exemption: Exemption;
};
/** a header that was sent twice is an array, and is remembered as no other */
type Sent = RequestHeaders[string];
type Remembered = Named & Cached<Admitted>;

const namedBy = (headers: RequestHeaders, exemption: Exemption): Named => ({
  authorization: (headers['authorization'] as string | undefined) ?? '',
  ods: headers['nhsd-end-user-organisation-ods'],
  businessFunction: headers['nhsd-ers-business-function'],
  onBehalfOf: headers['nhsd-ers-on-behalf-of-user-id'],
  exemption,
});

const isSame = (one: Named, other: Named): boolean =>
  one.ods === other.ods &&
  one.businessFunction === other.businessFunction &&
  one.onBehalfOf === other.onBehalfOf &&
  one.exemption === other.exemption &&
  one.authorization === other.authorization;

/**
 * `GET PractitionerRole` is asked without the e-RS headers (A030), and who may be acted for by who does not know yet whom to name (A040).
 */
const exemptionOf = ({ method, path, query }: Request): Exemption => {
  if ((method !== 'get' && method !== 'head') || !path.startsWith('/FHIR/R4/Practitioner')) return 'none';
  if (/^Role\/?$/.test(path.slice('/FHIR/R4/Practitioner'.length))) return 'headers';
  return query['_query'] === 'onBehalfOf' ? 'on-behalf-of' : 'none';
};

const admit = ({ app }: Request, { caller, rate }: Admitted): Caller => {
  app.clientId = caller.clientId;
  app.clientKind = caller.kind;
  app.clientRate = rate;
  return caller;
};

const noToken = (): Failure =>
  new Failure('login', [{ severity: 'error', code: 'login', text: 'A bearer token is needed: get one at /oauth2/token.' }], {
    'www-authenticate': 'Bearer realm="FHIR"',
  });
const revoked = (): Failure =>
  new Failure('login', [{ severity: 'error', code: 'login', text: 'The client of the access token is not registered any more.' }], {
    'www-authenticate': 'Bearer error="invalid_token", error_description="client revoked"',
  });

const tooManyForged = (seconds: number): Failure =>
  new Failure(
    'throttled',
    [
      {
        severity: 'error',
        code: 'throttled',
        text: 'Too many tokens that this server did not issue came from this address.',
        coding: { system: 'https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode', code: 'TOO_MANY_REQUESTS' },
      },
    ],
    { 'retry-after': String(seconds) },
  );

/** Finds who asks: a verified bearer token of a client still registered, the e-RS headers, the user's roles and the patient's record. */
export class Callers {
  private readonly roles = new Map<string, Cached<readonly HeldRole[]>>();
  private readonly patients = new Map<string, Cached<PatientFacts | undefined>>();
  /** by the authorization header */
  private readonly admitted = new Map<string, readonly Remembered[]>();
  /** who asked last on a connection: to find a token in a table takes twenty times as long as to see that it is the same again */
  private readonly lastOn = new WeakMap<object, Remembered>();
  private readonly constraints = new WeakMap<AccessClaims, readonly Constraint[]>();

  constructor(
    private readonly keys: Keyring,
    private readonly clients: ClientRegistry,
    private readonly house: House,
    private readonly refusals: RefusalBudget,
    private readonly addressOf: AddressFinder,
  ) {}

  /** The caller of a request, who is remembered for a moment by all that he is found by: then there is nothing to wait for. */
  of(request: Request): Caller | Promise<Caller> {
    const named = namedBy(request.headers as RequestHeaders, exemptionOf(request));
    const { socket } = request.raw.req;
    const now = this.house.clock();
    const isHim = (one: Remembered): boolean => one.until > now && isSame(one, named);
    const last = this.lastOn.get(socket);
    const known = last && isHim(last) ? last : this.admitted.get(named.authorization)?.find(isHim);
    if (known === undefined) return this.found(request, named);
    if (known !== last) this.lastOn.set(socket, known);
    return admit(request, known.value);
  }

  private async found(request: Request, named: Named): Promise<Caller> {
    const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(named.authorization)?.[1];
    if (token === undefined) throw noToken();
    const claims = await this.verified(token, request);
    // who is refused from here on has proved who it is: its limit counts that too
    request.app.clientId = claims.client_id;
    request.app.clientKind = claims.kind;
    const client = await this.registered(claims);
    request.app.clientRate = client.ratePerSecond;
    const value = await this.find(claims, client, request.headers as RequestHeaders, named.exemption);
    this.remember({ ...named, value, until: Math.min(this.house.clock() + admittedMs, claims.exp * 1000) });
    return admit(request, value);
  }

  private remember(caller: Remembered): void {
    const { authorization } = caller;
    if (this.admitted.size >= most) this.admitted.clear();
    const others = (this.admitted.get(authorization) ?? []).filter((candidate) => !isSame(candidate, caller));
    this.admitted.set(authorization, [...others, caller].slice(-mostOfToken));
  }

  /** A token that this process has not verified yet is looked at only while its address has not sent too many forged ones. */
  private async verified(token: string, request: Request): Promise<AccessClaims> {
    if (this.keys.isVerified(token)) return this.keys.verify(token);
    const address = this.addressOf(request);
    const wait = this.refusals.wait(address);
    if (wait > 0) throw tooManyForged(wait);
    try {
      return await this.keys.verify(token);
    } catch (error) {
      if (error instanceof Failure) this.refusals.count(address);
      throw error;
    }
  }

  private async registered(claims: AccessClaims): Promise<Client> {
    // kept for 3 s by the registry and 1 s here: a revoked client's tokens stop within 10 s, on every process
    const client = await this.clients.find(claims.client_id);
    if (client?.kind !== claims.kind || claims.iat < (client.tokensFrom ?? 0)) throw revoked();
    return client;
  }

  private async find(
    claims: AccessClaims,
    { ratePerSecond: rate }: Client,
    headers: RequestHeaders,
    exemption: Exemption,
  ): Promise<Admitted> {
    const roles = claims.user === undefined ? [] : await this.cached(this.roles, claims.user, (user) => this.rolesOf(user));
    const caller = callerOf(claims, headers, exemption, roles);
    await this.checkOnBehalfOf(caller);
    const constraints = this.constraintsOf(claims);
    const whole = await this.withPatient(constraints.length === 0 ? caller : { ...caller, constraints });
    return { caller: whole, rate };
  }

  /** An admin acts for a clinician of the same organisation (e-RS A040), who is named in the audit: nobody else can be. */
  private async checkOnBehalfOf({ onBehalfOf, organisation }: Caller): Promise<void> {
    if (onBehalfOf === undefined) return;
    const held = (await this.cached(this.roles, onBehalfOf, (user) => this.rolesOf(user))).filter(({ ods }) => ods === organisation);
    if (held.some(({ businessFunctions }) => businessFunctions.includes('SERVICE_PROVIDER_CLINICIAN'))) return;
    throw failure('forbidden', 'forbidden', 'NHSD-eRS-On-Behalf-Of-User-ID names no SERVICE_PROVIDER_CLINICIAN of the organisation', {
      coding: { system: systems.errorCodes, code: held.length === 0 ? 'REFERENCED_USER_NOT_IN_ORG' : 'REFERENCED_USER_IS_NOT_SPC' },
      expression: ['NHSD-eRS-On-Behalf-Of-User-ID'],
    });
  }

  private async withPatient(caller: Caller): Promise<Caller> {
    if (caller.patient === undefined) return caller;
    const facts = await this.cached(this.patients, caller.patient, (number) => this.patientOf(number));
    if (!facts) return caller;
    // of whom no age is known, nobody knows that he is old enough
    if (facts.birthDate === undefined || ageOn(facts.birthDate, this.house.clock()) < youngest)
      throw failure(
        'forbidden',
        'forbidden',
        `Patients use this service from the age of ${String(youngest)} on, which their record must show.`,
      );
    return { ...caller, patientId: facts.id, formerIds: facts.formerIds };
  }

  private constraintsOf(claims: AccessClaims): readonly Constraint[] {
    const known =
      this.constraints.get(claims) ?? constraintsOf(claims.scope.split(' '), claims.kind, (type, query) => this.conditions(type, query));
    this.constraints.set(claims, known);
    return known;
  }

  private conditions(type: string, query: string): readonly Predicate[] {
    const where = scopeConditions((pairs) => this.house.parseQuery(type, pairs, { lenient: false }), query);
    if (!where) throw failure('forbidden', 'forbidden', `The scope ${type}?${query} is of a form that this server cannot enforce.`);
    return where;
  }

  private async cached<T>(map: Map<string, Cached<T>>, key: string, make: (key: string) => Promise<T>): Promise<T> {
    const known = map.get(key);
    if (known && known.until > this.house.clock()) return known.value;
    if (map.size > most) map.clear();
    const value = await make(key);
    map.set(key, { value, until: this.house.clock() + keptMs });
    return value;
  }

  private async patientOf(number: string): Promise<PatientFacts | undefined> {
    const page = await this.house.store.search(
      {
        type: 'Patient',
        where: [{ kind: 'token', param: 'identifier', any: [{ system: systems.nhsNumber, code: number }] }],
        sort: [],
        count: 2,
      },
      'all',
    );
    if (page.rows.length > 1) throw failure('conflict', 'conflict', 'More than one record has that NHS number.');
    const [row] = page.rows;
    if (row === undefined) return undefined;
    const { birthDate } = JSON.parse(row.body ?? '{}') as { birthDate?: string };
    return { id: row.id, birthDate, formerIds: await this.formerOf(row.id, [row.id]) };
  }

  /** The records that go on as that of `id`, and those that went on as them. */
  private async formerOf(id: string, known: readonly string[]): Promise<readonly string[]> {
    const where = [{ kind: 'reference' as const, param: 'link', any: [{ type: 'Patient', id }] }];
    const { rows } = await this.house.store.search({ type: 'Patient', where, sort: [], count: mostFormer }, 'all');
    const former = rows.filter((row) => !known.includes(row.id) && replacementId(JSON.parse(row.body ?? '{}') as Patient) === id);
    const ids = former.map((row) => row.id);
    const before = await Promise.all(ids.map((one) => this.formerOf(one, [...known, ...ids])));
    return [...ids, ...before.flat()];
  }

  private async rolesOf(user: string): Promise<readonly HeldRole[]> {
    const page = await this.house.store.search(
      {
        type: 'PractitionerRole',
        where: [
          {
            kind: 'chain',
            param: 'practitioner',
            type: 'Practitioner',
            where: [{ kind: 'token', param: 'identifier', any: [{ system: 'https://fhir.nhs.uk/Id/sds-user-id', code: user }] }],
          },
        ],
        sort: [],
        count: 100,
      },
      'all',
    );
    const roles = page.rows.map((row) => JSON.parse(row.body ?? '{}') as Role).filter((role) => inForce(role, this.house.clock()));
    return Promise.all(roles.map((role) => this.roleOf(role)));
  }

  private async roleOf(role: Role): Promise<HeldRole> {
    const [type, id] = (role.organization?.reference ?? '').split('/');
    const stored = type === 'Organization' && id !== undefined ? await this.house.store.find({ type, id }, 'all') : undefined;
    const organisation = JSON.parse(stored?.body ?? '{}') as { identifier?: readonly Identifier[] };
    const identifiers = [...(organisation.identifier ?? []), ...(role.organization?.identifier ? [role.organization.identifier] : [])];
    return {
      ods: identifiers.find(({ system }) => system === 'https://fhir.nhs.uk/Id/ods-organization-code')?.value ?? '',
      businessFunctions: (role.code ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? [])),
    };
  }
}

type Identifier = { readonly system?: string; readonly value?: string };
type Role = Held & {
  readonly organization?: { readonly reference?: string; readonly identifier?: Identifier };
  readonly code?: readonly { readonly coding?: readonly { readonly code?: string }[] }[];
};

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** of the client that a verified token names, as is `clientId` */
    clientKind?: Kind;
    clientRate?: number | undefined;
  }
}
