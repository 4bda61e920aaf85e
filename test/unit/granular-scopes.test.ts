import type { Caller } from '../../src/access/caller.js';
import { sightOf } from '../../src/access/policy.js';
import { checkConstraint, exactNumber, exactSight, narrowPlan } from '../../src/access/narrow-plan.js';
import { constraintsOf, coversScope, mayInteract, readScope, scopesFault } from '../../src/access/scopes.js';
import type { SearchPlan } from '../../src/store/port.js';
import { callerWith, outcome } from '../helpers/callers.js';

describe('granular scopes', () => {
  const parse = (_type: string, query: string) => {
    const [param = '', code = ''] = query.split('=');
    return [{ kind: 'token', param, any: [{ code }] } as const];
  };
  const narrow = (scopes: readonly string[], more: Partial<Caller> = {}): Caller =>
    callerWith('system', { scopes, constraints: constraintsOf(scopes, 'system', parse), ...more });

  test('are read with their search parameters, on a type only', () => {
    expect(readScope('system/Observation.rs?category=laboratory')).toEqual({
      prefix: 'system',
      type: 'Observation',
      interactions: 'rs',
      query: 'category=laboratory',
    });
    expect(readScope('system/*.rs?category=laboratory')).toBeUndefined();
    expect(readScope('system/Observation.rs?')).toBeUndefined();
  });
  test('grant nothing until their search parameters have been read', () => {
    const scopes = ['system/Observation.rs?category=laboratory'];
    expect(mayInteract(callerWith('system', { scopes }), 'Observation', 'r')).toBe(false);
    expect(mayInteract(narrow(scopes), 'Observation', 'r')).toBe(true);
    expect(mayInteract(narrow(scopes), 'Observation', 'c')).toBe(false);
  });
  test('narrow the sight of their type alone, and a wider scope makes them void', () => {
    const where = [{ kind: 'token', param: 'category', any: [{ code: 'laboratory' }] }];
    const caller = narrow(['system/Observation.rs?category=laboratory', 'system/Patient.rs']);
    expect(sightOf(caller, 'Observation')).toEqual({ keys: [], narrow: { type: 'Observation', where, anyKey: true } });
    expect(sightOf(caller, 'Patient')).toBe('all');
    expect(sightOf(narrow(['system/Observation.rs?category=laboratory', 'system/*.rs']), 'Observation')).toBe('all');
  });
  test('may be asked for under a wider one, not the other way round', () => {
    expect(coversScope(['system/*.cruds'], 'system/Observation.rs?category=laboratory')).toBe(true);
    expect(coversScope(['system/Observation.rs?category=laboratory'], 'system/Observation.r?category=laboratory')).toBe(true);
    expect(coversScope(['system/Observation.rs?category=laboratory'], 'system/Observation.rs')).toBe(false);
    expect(coversScope(['system/Observation.rs?category=laboratory'], 'system/Observation.rs?category=imaging')).toBe(false);
  });
  test.each([
    [['system/Observation.rs?category=a', 'system/Observation.cu?category=a'], undefined],
    [['system/Observation.rs?category=a', 'system/*.cruds'], undefined],
    [['system/Observation.rs?category=a', 'system/Observation.rs?category=b'], /same search parameters/],
    [['system/Observation.r?category=a', 'system/Observation.s'], /same search parameters/],
    [['user/Observation.rs'], /kind system/],
    [['urn:nhsd:apim:app:level3:e-referrals-service-api'], undefined],
    [['urn:nhsd:apim:user-nhs-id:aal3:e-referrals-service-api'], /kind system/],
    [['urn:nhsd:apim:app:level3:another-api'], /none/],
  ])('%j held together: %s', (scopes, expected) => {
    const fault = scopesFault(scopes, 'system');
    if (expected === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(expected);
  });
  test('hold a write to their search parameters', () => {
    const caller = narrow(['system/Observation.cruds?category=laboratory']);
    const value = (code: string) => [{ kind: 'token', param: 'category', system: 'x', code }] as const;
    expect(
      outcome(() => {
        checkConstraint(caller, 'Observation', value('laboratory'));
      }),
    ).toBe('allowed');
    for (const values of [value('imaging'), []])
      expect(
        outcome(() => {
          checkConstraint(caller, 'Observation', values);
        }),
      ).toBe('forbidden forbidden');
    checkConstraint(caller, 'Patient', []);
  });
  test('NHS product scopes allow all of their mode', () => {
    const scopes = ['urn:nhsd:apim:user-nhs-id:aal3:e-referrals-service-api'];
    expect(mayInteract({ kind: 'user', scopes }, 'ServiceRequest', 'c')).toBe(true);
    expect(mayInteract({ kind: 'system', scopes }, 'ServiceRequest', 'c')).toBe(false);
  });
});

describe('searches', () => {
  const gp = callerWith('user', { organisation: 'D82106', businessFunction: 'REFERRING_CLINICIAN' });
  const plan = (where: SearchPlan['where'], type = 'Patient'): SearchPlan => ({ type, where, sort: [], count: 10 });
  const number = {
    kind: 'token',
    param: 'identifier',
    any: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', code: '9912003888' }],
  } as const;
  const born = { kind: 'range', param: 'birthdate', any: [{ prefix: 'eq', low: 0, high: 86_400_000 }] } as const;
  const year = { kind: 'range', param: 'birthdate', any: [{ prefix: 'eq', low: 0, high: 31_536_000_000 }] } as const;
  const several = { ...number, any: [...number.any, ...number.any] };

  test('by exact NHS number and birth date find a patient for a referrer', () => {
    expect(exactNumber(gp, plan([number, born]))).toBe('9912003888');
    expect(exactNumber({ ...gp, businessFunction: 'REFERRING_CLINICIAN_ADMIN' }, plan([born, number]))).toBe('9912003888');
    const provider = { ...gp, businessFunction: 'SERVICE_PROVIDER_CLINICIAN' };
    for (const [caller, wanted] of [
      [gp, plan([number])],
      [gp, plan([born])],
      [gp, plan([number, year])],
      [gp, plan([several, born])],
      [gp, plan([{ ...number, any: [{ code: '9912003888' }] }, born])],
      [gp, plan([{ ...number, not: true }, born])],
      [gp, plan([number, born], 'RelatedPerson')],
      [provider, plan([number, born])],
      [callerWith('app', { organisation: 'D82106' }), plan([number, born])],
      [gp, { ...plan([number, born]), contained: 'true' as const }],
    ] as const)
      expect(exactNumber(caller, wanted)).toBeUndefined();
  });
  test('by exact NHS number see no more than the scopes cover', () => {
    expect(exactSight(gp)).toBe('all');
    const where = [{ kind: 'token', param: 'gender', any: [{ code: 'male' }] }] as const;
    const narrow = { ...gp, constraints: [{ type: 'Patient', query: 'gender=male', where }] };
    expect(exactSight(narrow)).toEqual({ keys: [], narrow: { type: 'Patient', where, anyKey: true } });
  });
  test('look through chains and _has only at what the caller may see', () => {
    const inner = { kind: 'has', param: 'slot', type: 'Appointment', where: [] } as const;
    expect(narrowPlan(gp, plan([inner], 'Slot')).where).toEqual([{ ...inner, sight: { keys: ['organisation:D82106'] } }]);
    const deep = { kind: 'chain', param: 'schedule', type: 'Schedule', where: [inner] } as const;
    expect(narrowPlan(gp, plan([deep], 'Slot')).where).toEqual([
      { ...deep, where: [{ ...inner, sight: { keys: ['organisation:D82106'] } }], sight: 'all' },
    ]);
    for (const caller of [{ ...gp, businessFunction: 'REFERRING_ADMIN' }, callerWith('system', { scopes: ['system/Slot.rs'] })])
      expect(outcome(() => narrowPlan(caller, plan([inner], 'Slot')))).toBe('forbidden forbidden');
    expect(outcome(() => narrowPlan(gp, plan([{ ...inner, type: 'AuditEvent' }], 'Patient')))).toBe('forbidden forbidden');
  });
});
