import type { Request } from '@hapi/hapi';
import type { Caller } from '../access/caller.js';
import { callerOf, type HeldRole, type RequestHeaders } from '../access/headers.js';
import type { SigningKeys } from '../auth/signing-keys.js';
import { Failure, failure } from '../fhir/outcome.js';
import type { Store } from '../store/port.js';

type Cached<T> = { readonly value: T; readonly until: number };
const keptMs = 5000;

/** Finds who asks: a verified bearer token, the e-RS headers, the user's roles and the patient's record (both cached for 5 s). */
export class Callers {
  private readonly roles = new Map<string, Cached<readonly HeldRole[]>>();
  private readonly patients = new Map<string, Cached<string | undefined>>();

  constructor(
    private readonly keys: SigningKeys,
    private readonly store: Store,
    private readonly clock: () => number,
  ) {}

  async of(request: Request): Promise<Caller> {
    const header = request.headers['authorization'] as string | undefined;
    const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(header ?? '')?.[1];
    if (token === undefined)
      throw new Failure('login', [{ severity: 'error', code: 'login', text: 'A bearer token is needed: get one at /oauth2/token.' }], {
        'www-authenticate': 'Bearer realm="FHIR"',
      });
    const claims = await this.keys.verify(token);
    request.app.clientId = claims.client_id;
    const exempt = request.method === 'get' && /^\/FHIR\/R4\/PractitionerRole\/?$/.test(request.path);
    const roles = claims.user === undefined ? [] : await this.cached(this.roles, claims.user, (user) => this.rolesOf(user));
    const caller = callerOf(claims, request.headers as RequestHeaders, exempt, roles);
    if (caller.patient === undefined) return caller;
    const patientId = await this.cached(this.patients, caller.patient, (number) => this.patientIdOf(number));
    return { ...caller, ...(patientId === undefined ? {} : { patientId }) };
  }

  private async cached<T>(map: Map<string, Cached<T>>, key: string, make: (key: string) => Promise<T>): Promise<T> {
    const known = map.get(key);
    if (known && known.until > this.clock()) return known.value;
    if (map.size > 10_000) map.clear();
    const value = await make(key);
    map.set(key, { value, until: this.clock() + keptMs });
    return value;
  }

  private async patientIdOf(number: string): Promise<string | undefined> {
    const page = await this.store.search(
      {
        type: 'Patient',
        where: [{ kind: 'token', param: 'identifier', any: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', code: number }] }],
        sort: [],
        count: 2,
      },
      'all',
    );
    if (page.rows.length > 1) throw failure('conflict', 'conflict', 'More than one record has that NHS number.');
    return page.rows[0]?.id;
  }

  private async rolesOf(user: string): Promise<readonly HeldRole[]> {
    const page = await this.store.search(
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
    return Promise.all(page.rows.map((row) => this.roleOf(JSON.parse(row.body ?? '{}') as Role)));
  }

  private async roleOf(role: Role): Promise<HeldRole> {
    const [type, id] = (role.organization?.reference ?? '').split('/');
    const stored = type === 'Organization' && id !== undefined ? await this.store.find({ type, id }, 'all') : undefined;
    const organisation = JSON.parse(stored?.body ?? '{}') as { identifier?: readonly Identifier[] };
    const identifiers = [...(organisation.identifier ?? []), ...(role.organization?.identifier ? [role.organization.identifier] : [])];
    return {
      ods: identifiers.find(({ system }) => system === 'https://fhir.nhs.uk/Id/ods-organization-code')?.value ?? '',
      businessFunctions: (role.code ?? []).flatMap(({ coding }) => (coding ?? []).flatMap(({ code }) => code ?? [])),
    };
  }
}

type Identifier = { readonly system?: string; readonly value?: string };
type Role = {
  readonly organization?: { readonly reference?: string; readonly identifier?: Identifier };
  readonly code?: readonly { readonly coding?: readonly { readonly code?: string }[] }[];
};
