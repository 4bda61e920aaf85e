import { accessKeysOf, checkOwnOrganisation, type AccessFacts } from '../../src/access/access-keys.js';
import type { AccessClaims, Kind } from '../../src/access/caller.js';
import { callerOf, type RequestHeaders } from '../../src/access/headers.js';
import { checkInteraction, isOpen, sightOf } from '../../src/access/policy.js';
import { coversScope, mayInteract, readScope, type Interaction } from '../../src/access/scopes.js';
import { callerWith, outcome, prefixes } from '../helpers/callers.js';

describe('scopes', () => {
  test.each(['system/*.cruds', 'user/Patient.rs', 'patient/Slot.s'])('%s is read', (text) => {
    expect(readScope(text)).toBeDefined();
  });
  test.each([
    '',
    'system/*',
    'system/*.',
    'system/*.sr',
    'system/*.read',
    'launch/*.r',
    'system/patient.r',
    'system/Patient.r?',
    'system/*.r?x=1',
    ' system/*.r',
  ])('"%s" is not', (text) => {
    expect(readScope(text)).toBeUndefined();
  });
  test('only the prefix of the kind counts', () => {
    for (const kind of ['system', 'app', 'user', 'patient'] as const) {
      for (const prefix of ['system', 'user', 'patient'] as const) {
        expect(mayInteract({ kind, scopes: [`${prefix}/Slot.r`] }, 'Slot', 'r')).toBe(prefix === prefixes[kind]);
      }
    }
  });
  test('type and letter both must fit', () => {
    const caller = callerWith('system', { scopes: ['system/Slot.rs', 'system/*.c'] });
    expect((['c', 'r', 'u', 'd', 's'] as const).filter((letter) => mayInteract(caller, 'Slot', letter))).toEqual(['c', 'r', 's']);
    expect((['c', 'r', 'u', 'd', 's'] as const).filter((letter) => mayInteract(caller, 'Patient', letter))).toEqual(['c']);
  });
  test('a wildcard is covered by a wildcard alone', () => {
    expect(coversScope(['system/*.rs'], 'system/Slot.r')).toBe(true);
    expect(coversScope(['system/Slot.rs'], 'system/*.r')).toBe(false);
    expect(coversScope(['system/*.rs'], 'user/Slot.r')).toBe(false);
  });
});

describe('e-RS headers', () => {
  const claims = (kind: Kind, more: Partial<AccessClaims> = {}): AccessClaims => ({
    iss: 'i',
    sub: 's',
    client_id: 'c',
    kind,
    scope: 'user/*.rs user/Slot.c',
    organisations: ['RCD', 'R69'],
    jti: 'j',
    iat: 0,
    exp: 1,
    ...more,
  });
  const roles = [
    { ods: 'RCD', businessFunctions: ['SERVICE_PROVIDER_CLINICIAN', 'SERVICE_PROVIDER_CLINICIAN_ADMIN'] },
    { ods: 'R69', businessFunctions: ['SERVICE_PROVIDER_CLINICIAN'] },
    { ods: 'D82106', businessFunctions: ['REFERRING_CLINICIAN'] },
  ];
  const ods = 'nhsd-end-user-organisation-ods';
  const fn = 'nhsd-ers-business-function';
  const obo = 'nhsd-ers-on-behalf-of-user-id';
  const user = claims('user', { user: '555032006106' });
  const asUser = (headers: RequestHeaders, isExempt = false) => callerOf(user, headers, isExempt ? 'headers' : 'none', roles);

  test.each<[RequestHeaders, string]>([
    [{}, 'invalid required MISSING_HEADER'],
    [{ [ods]: 'RCD' }, 'invalid required MISSING_HEADER'],
    [{ [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, 'invalid required MISSING_HEADER'],
    [{ [ods]: ' ', [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, 'invalid required MISSING_HEADER'],
    [{ [ods]: 'XXX', [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, 'forbidden forbidden'],
    [{ [ods]: 'D82106', [fn]: 'REFERRING_CLINICIAN' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'REFERRING_CLINICIAN' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'PROVIDER_AUTHORISED_APPLICATION' }, 'forbidden forbidden'],
    [{ [ods]: ['RCD', 'R69'], [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, 'forbidden forbidden'],
    [{ [ods]: 'R69', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN', [obo]: '555032006106' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN', [obo]: '555032006106' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN', [obo]: 'me' }, 'forbidden forbidden'],
    [{ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, 'allowed'],
    [{ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN', [obo]: '555032006106' }, 'allowed'],
  ])('user %j -> %s', (headers, expected) => {
    expect(outcome(() => asUser(headers))).toBe(expected);
  });

  test('a user becomes a caller of one organisation and function', () => {
    expect(asUser({ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN_ADMIN', [obo]: '555032006106' })).toEqual({
      ...{ kind: 'user', clientId: 'c', scopes: ['user/*.rs', 'user/Slot.c'], organisations: ['RCD', 'R69'], user: '555032006106' },
      ...{ organisation: 'RCD', businessFunction: 'SERVICE_PROVIDER_CLINICIAN_ADMIN', onBehalfOf: '555032006106' },
    });
  });
  test('an exempt request needs no headers, and gives no organisation without them', () => {
    expect(asUser({}, true)).not.toHaveProperty('organisation');
    expect(asUser({ [ods]: 'RCD', [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, true)).toHaveProperty('organisation', 'RCD');
    expect(outcome(() => asUser({ [ods]: 'XXX', [fn]: 'SERVICE_PROVIDER_CLINICIAN' }, true))).toBe('forbidden forbidden');
  });
  test.each([ods, fn, obo])('app and patient must not send %s, system may', (name) => {
    const headers = { [name]: 'RCD' };
    expect(outcome(() => callerOf(claims('app', { business_function: 'PROVIDER_AUTHORISED_APPLICATION' }), headers, 'none', []))).toBe(
      'forbidden forbidden',
    );
    expect(outcome(() => callerOf(claims('patient', { patient: '9912003888' }), headers, 'headers', []))).toBe('forbidden forbidden');
    expect(callerOf(claims('system'), headers, 'none', [])).not.toHaveProperty('organisation');
  });
  test('an app acts as its registration says', () => {
    expect(callerOf(claims('app', { business_function: 'PROVIDER_AUTHORISED_APPLICATION' }), {}, 'none', [])).toMatchObject({
      organisation: 'RCD',
      businessFunction: 'PROVIDER_AUTHORISED_APPLICATION',
    });
    expect(outcome(() => callerOf(claims('app'), {}, 'none', []))).toBe('forbidden forbidden');
  });
  test('a patient is named by NHS number', () => {
    expect(callerOf(claims('patient', { patient: '9912003888' }), {}, 'none', [])).toMatchObject({ patient: '9912003888' });
  });
});

describe('policy', () => {
  // contract section 5, written out once more: letters each kind may use beside r and s
  const writes: Record<string, Partial<Record<Kind, string>>> = {
    ServiceRequest: { user: 'c' },
    Appointment: { user: 'cu', patient: 'cu' },
    Binary: { app: 'c', user: 'c', patient: 'c' },
    DocumentReference: { app: 'cu', user: 'cu', patient: 'cu' },
    QuestionnaireResponse: { patient: 'cu' },
    Schedule: { app: 'cu', user: 'cu' },
    Slot: { app: 'cu', user: 'cu' },
    AuditEvent: { system: '' },
    Provenance: { system: 'c' },
  };
  const types = [
    ...Object.keys(writes),
    'Patient',
    'Task',
    'Communication',
    'Organization',
    'HealthcareService',
    'PractitionerRole',
    'StructureDefinition',
    'SearchParameter',
    'CodeSystem',
    'Observation',
  ];
  const expectedFor = (type: string, kind: Kind, letter: Interaction): string => {
    if ((type === 'AuditEvent' || type === 'Provenance') && (letter === 'u' || letter === 'd')) return 'method not-supported';
    if (letter === 'r' || letter === 's') return type === 'AuditEvent' && kind !== 'system' ? 'forbidden forbidden' : 'allowed';
    const letters = writes[type]?.[kind] ?? (kind === 'system' ? 'cud' : '');
    return letters.includes(letter) ? 'allowed' : 'forbidden forbidden';
  };
  const cases = types.flatMap((type) =>
    (['system', 'app', 'user', 'patient'] as const).flatMap((kind) =>
      (['c', 'r', 'u', 'd', 's'] as const).map((letter) => [type, kind, letter, expectedFor(type, kind, letter)] as const),
    ),
  );
  test.each(cases)('%s by %s: %s -> %s', (type, kind, letter, expected) => {
    // a business function that may do what the kind may: which ones may is the table's matter, tested below
    const businessFunction = type === 'Schedule' || type === 'Slot' ? 'SERVICE_PROVIDER_CLINICIAN' : 'REFERRING_CLINICIAN';
    expect(
      outcome(() => {
        checkInteraction(callerWith(kind, kind === 'user' ? { businessFunction } : {}), type, letter);
      }),
    ).toBe(expected);
  });
  test.each(cases.filter(([, , , expected]) => expected === 'allowed'))('%s by %s: %s without scope is forbidden', (type, kind, letter) => {
    expect(
      outcome(() => {
        checkInteraction(callerWith(kind, { scopes: [`${prefixes[kind]}/Basic.cruds`] }), type, letter);
      }),
    ).toBe('forbidden forbidden');
  });
  test('names of Object.prototype are no types with rules', () => {
    expect(
      outcome(() => {
        checkInteraction(callerWith('user'), 'constructor', 'c');
      }),
    ).toBe('forbidden forbidden');
  });
  test('405 says what is allowed', () => {
    expect(() => {
      checkInteraction(callerWith('system'), 'AuditEvent', 'd');
    }).toThrow(expect.objectContaining({ headers: { Allow: 'GET, HEAD' } }) as Error);
  });

  test.each(types)('sight of %s', (type) => {
    const restricted = !isOpen(type);
    expect(sightOf(callerWith('system'), type)).toBe('all');
    if (type === 'AuditEvent') {
      for (const kind of ['app', 'user', 'patient'] as const)
        expect(sightOf(callerWith(kind, { organisation: 'RCD', patientId: 'p' }), type)).toEqual({ keys: [] });
      expect(sightOf(callerWith('system', { scopes: ['system/Patient.cruds'] }), type)).toEqual({ keys: [] });
      return;
    }
    for (const kind of ['app', 'user'] as const) {
      expect(sightOf(callerWith(kind, { organisation: 'RCD', organisations: ['RCD', 'R69'] }), type)).toEqual(
        restricted ? { keys: ['organisation:RCD'] } : 'all',
      );
      expect(sightOf(callerWith(kind), type)).toEqual(restricted ? { keys: [] } : 'all');
    }
    expect(sightOf(callerWith('patient', { patientId: 'p' }), type)).toEqual(restricted ? { keys: ['patient:p'] } : 'all');
    expect(sightOf(callerWith('patient'), type)).toEqual(restricted ? { keys: [] } : 'all');
  });
});

describe('access keys', () => {
  const owners: Record<string, string> = {
    'Organization/gp': 'D82106',
    'HealthcareService/h': 'RCD',
    'PractitionerRole/r': 'D82106',
    'HealthcareService/other': 'R69',
    'Schedule/s': 'RCD',
  };
  const facts: AccessFacts = {
    organisationOf: ({ type, id }) => owners[`${type}/${id}`],
    keyOf: ({ value }) => (value === '9912003888' ? { type: 'Patient', id: 'p' } : undefined),
    callerOrganisation: 'R69',
  };
  const ods = (value: string) => ({ identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value } });
  test.each([
    [{ resourceType: 'Patient', id: 'p', generalPractitioner: [{ reference: 'Organization/gp' }] }, ['patient:p', 'organisation:D82106']],
    [{ resourceType: 'Patient', id: 'p', generalPractitioner: [ods('D82106')] }, ['patient:p', 'organisation:D82106']],
    [{ resourceType: 'Patient', id: 'p' }, ['patient:p']],
    [
      {
        resourceType: 'ServiceRequest',
        subject: { reference: 'Patient/p' },
        requester: { reference: 'PractitionerRole/r' },
        performer: [{ reference: 'HealthcareService/h' }, { reference: 'HealthcareService/other' }],
      },
      ['patient:p', 'organisation:D82106', 'organisation:RCD', 'organisation:R69'],
    ],
    [
      { resourceType: 'ServiceRequest', subject: { identifier: { value: '9912003888' } }, requester: { reference: 'Practitioner/x' } },
      ['patient:p', 'organisation:R69'],
    ],
    [{ resourceType: 'Task', for: { reference: 'Patient/p/_history/3' } }, ['patient:p', 'organisation:R69']],
    [{ resourceType: 'Communication', subject: { reference: 'Group/g' } }, ['organisation:R69']],
    [{ resourceType: 'RelatedPerson', patient: { reference: 'https://elsewhere.example/Patient/p' } }, ['organisation:R69']],
    [
      {
        resourceType: 'Appointment',
        participant: [{ actor: { reference: 'Patient/p' } }, { actor: { reference: 'HealthcareService/h' } }],
      },
      ['patient:p', 'organisation:R69', 'organisation:RCD'],
    ],
    [{ resourceType: 'Slot', schedule: { reference: 'Schedule/s' } }, []],
    [{ resourceType: 'AuditEvent' }, []],
  ])('%j -> %j', (resource, expected) => {
    expect(accessKeysOf(resource, facts)).toEqual(expected);
  });

  test.each([
    ['app', { resourceType: 'Slot', schedule: { reference: 'Schedule/s' } }, 'allowed'],
    ['user', { resourceType: 'Schedule', actor: [{ reference: 'HealthcareService/h' }, { reference: 'Practitioner/x' }] }, 'allowed'],
    [
      'user',
      { resourceType: 'Schedule', actor: [{ reference: 'HealthcareService/h' }, { reference: 'HealthcareService/other' }] },
      'forbidden forbidden',
    ],
    ['user', { resourceType: 'Schedule', actor: [{ reference: 'Practitioner/x' }] }, 'forbidden forbidden'],
    ['user', { resourceType: 'Slot', schedule: { reference: 'Schedule/unknown' } }, 'forbidden forbidden'],
    ['user', { resourceType: 'Slot' }, 'forbidden forbidden'],
    ['system', { resourceType: 'Slot' }, 'allowed'],
    ['user', { resourceType: 'Appointment' }, 'allowed'],
  ] as const)('%s writing %j: %s', (kind, resource, expected) => {
    expect(
      outcome(() => {
        checkOwnOrganisation(callerWith(kind, { organisation: 'RCD' }), resource, facts);
      }),
    ).toBe(expected);
  });
  test('a caller without an organisation owns no slot', () => {
    expect(
      outcome(() => {
        checkOwnOrganisation(callerWith('user'), { resourceType: 'Slot', schedule: { reference: 'Schedule/unknown' } }, facts);
      }),
    ).toBe('forbidden forbidden');
  });
});
