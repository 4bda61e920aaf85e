import type { Caller, Kind } from '../../src/access/caller.js';
import {
  businessFunctions,
  clinicalReads,
  generalRules,
  isPermitted,
  isReading,
  operationRules,
  type OperationRule,
} from '../../src/access/operation-rules.js';
import { systems } from '../../src/domain/codes.js';
import { worklists } from '../../src/domain/worklists/lists.js';
import { operations } from '../../src/operations/operations.js';
import { registry } from '../../src/resources/registry.js';
import { checkInteraction, checkOperation } from '../../src/access/policy.js';
import type { Interaction } from '../../src/access/scopes.js';
import { Failure } from '../../src/fhir/outcome.js';
import { allDefinitions } from '../helpers/definitions.js';

// Who may call what as the e-RS API prints it, written out once more: a wrong edit of the table fails here.
const published: Readonly<Record<string, string>> = {
  A007: 'RC RCA SPC SPCA provider-app',
  A010: 'RC RCA',
  A011: 'RC RCA',
  A012: 'RC RCA',
  A013: 'SPC SPCA provider-app',
  A014: 'SPC SPCA',
  A019: 'RC RCA',
  A020: 'RC RCA SPC SPCA provider-app',
  A021: 'RC RCA',
  A022: 'SPC SPCA',
  A026: 'SPC SPCA',
  A027: 'SPC SPCA',
  A028: 'SPC SPCA provider-app',
  A031: 'RC RCA',
  A032: 'RC RCA',
  A036: 'RC RCA SPC SPCA provider-app',
  A043: 'RC RCA SPC SPCA provider-app',
  A044: 'RC RCA',
};
const withIfMatch = ['A012', 'A013', 'A014', 'A022', 'A026', 'A028', 'A031', 'A032', 'A034', 'A036'];
const short: Readonly<Record<string, string>> = {
  RC: 'REFERRING_CLINICIAN',
  RCA: 'REFERRING_CLINICIAN_ADMIN',
  RA: 'REFERRING_ADMIN',
  SPC: 'SERVICE_PROVIDER_CLINICIAN',
  SPCA: 'SERVICE_PROVIDER_CLINICIAN_ADMIN',
  SPA: 'SERVICE_PROVIDER_ADMIN',
};

type Role = { readonly name: string; readonly caller: Caller };
const base = (kind: Kind): Caller => ({
  kind,
  clientId: 'client',
  scopes: ['system/*.cruds', 'user/*.cruds', 'patient/*.cruds'],
  organisations: [],
});
const roles: readonly Role[] = [
  ...businessFunctions.map((businessFunction) => ({ name: businessFunction, caller: { ...base('user'), businessFunction } })),
  { name: 'no function', caller: base('user') },
  { name: 'PROVIDER_AUTHORISED_APPLICATION as a user', caller: { ...base('user'), businessFunction: 'PROVIDER_AUTHORISED_APPLICATION' } },
  { name: 'provider-app', caller: { ...base('app'), businessFunction: 'PROVIDER_AUTHORISED_APPLICATION' } },
  { name: 'referrer-app', caller: { ...base('app'), businessFunction: 'REFERRER_AUTHORISED_APPLICATION' } },
  { name: 'REFERRING_CLINICIAN as an app', caller: { ...base('app'), businessFunction: 'REFERRING_CLINICIAN' } },
  { name: 'patient', caller: base('patient') },
  { name: 'system', caller: base('system') },
];
const rows = Object.entries<OperationRule>(operationRules);

const allowed = (rule: OperationRule, role: Role): boolean => {
  if (role.name === 'system') return true;
  if (role.name === 'patient') return rule.kinds.includes('patient');
  if (role.name === 'provider-app') return rule.app === 'provider' || rule.app === 'either';
  if (role.name === 'referrer-app') return rule.app === 'referrer' || rule.app === 'either';
  return (rule.functions as readonly string[]).includes(role.name) && rule.kinds.includes('user');
};
const refused = (act: () => void): string => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.category;
  }
};

describe('the table says what the e-RS API publishes', () => {
  test.each(Object.entries(published))('%s: %s', (id, who) => {
    const found = rows.filter(([, rule]) => rule.ers.includes(id));
    expect(found.length).toBeGreaterThan(0);
    const names = who.split(' ');
    for (const [, rule] of found) {
      const functions = names.flatMap((name) => short[name] ?? []);
      expect([...rule.functions].sort()).toEqual([...functions].sort());
      expect(rule.app).toBe(names.includes('provider-app') ? 'provider' : 'none');
    }
  });
  test('If-Match is asked for where e-RS does', () => {
    for (const [code, rule] of rows)
      if (rule.ers.length > 0) expect([code, rule.ifMatch]).toEqual([code, rule.ers.some((id) => withIfMatch.includes(id))]);
  });
  test('who may fetch any worklist is who may fetch one of them, and the lists that are served have their concepts', () => {
    const concepts = allDefinitions().findCodeSystem(systems.worklist)?.concept ?? [];
    expect(concepts.map(({ code }) => code)).toEqual(Object.keys(worklists));
    const named = concepts.flatMap(({ property = [] }) => property.flatMap(({ valueCoding }) => valueCoding?.code ?? []));
    const { functions } = operationRules['ers.fetchworklist'];
    expect([...new Set(named)].sort()).toEqual([...functions, 'PROVIDER_AUTHORISED_APPLICATION'].sort());
  });
});

describe('every operation has its row', () => {
  const served = operations.map(({ definition }) => definition.code);
  test('each that is served, and no row is of one that is not', () => {
    const ruled = [...Object.keys(operationRules).filter((code) => !/^[A-Z]/.test(code)), ...Object.keys(generalRules)];
    expect([...new Set(ruled)].sort()).toEqual([...new Set(served)].sort());
    expect(new Set(ruled).size).toBe(ruled.length);
  });
  test('what changes something is a read of nobody', () => {
    for (const { definition } of operations)
      if (definition.affectsState === true) expect([definition.code, isReading(definition.code)]).toEqual([definition.code, false]);
  });
  test('each write by plain REST is of a type and a letter that are served', () => {
    const offered: Readonly<Record<string, readonly string[]>> = { c: ['create'], u: ['update', 'patch'], d: ['delete'] };
    for (const code of Object.keys(operationRules).filter((name) => /^[A-Z]/.test(name))) {
      const [type = '', letter = ''] = code.split('.');
      const row = registry.get(type);
      expect([code, offered[letter]?.some((name) => row?.interactions.some((one) => one === name))]).toEqual([code, true]);
    }
  });
});

describe('every operation by every role', () => {
  const cases = rows.flatMap(([code, rule]) => roles.map((role) => [code, role.name, rule, role] as const));
  test.each(cases)('%s by %s', (code, _name, rule, role) => {
    expect(isPermitted(rule, role.caller)).toBe(allowed(rule, role));
    const [type = '', letter] = code.split('.');
    const act =
      /^[A-Z]/.test(type) && letter !== undefined
        ? () => {
            checkInteraction(role.caller, type, letter as Interaction);
          }
        : () => {
            checkOperation(role.caller, { code, interaction: 'r', type: 'ServiceRequest' }, 'W/"1"');
          };
    expect(refused(act)).toBe(allowed(rule, role) ? 'allowed' : 'forbidden');
  });
  test.each(rows.filter(([code, rule]) => rule.ifMatch && !/^[A-Z]/.test(code)))('$%s without If-Match is 400', (code, rule) => {
    for (const role of roles.filter((candidate) => allowed(rule, candidate)))
      expect(
        refused(() => {
          checkOperation(role.caller, { code, interaction: 'r', type: 'ServiceRequest' }, undefined);
        }),
      ).toBe(role.name === 'system' ? 'allowed' : 'invalid');
  });
  test.each(roles)('records of patients read by $name', ({ name, caller }) => {
    const may = allowed(clinicalReads, { name, caller });
    for (const letter of ['r', 's'] as const)
      expect(
        refused(() => {
          checkInteraction(caller, 'ServiceRequest', letter);
        }),
      ).toBe(may ? 'allowed' : 'forbidden');
    // the directory is open
    checkInteraction(caller, 'HealthcareService', 's');
  });
  test('an operation without a row is for system alone, one that reads follows the type', () => {
    for (const { name, caller } of roles) {
      const changing = { code: 'meta-add', interaction: 'u', type: 'ServiceRequest' } as const;
      expect(
        refused(() => {
          checkOperation(caller, changing, undefined);
        }),
      ).toBe(name === 'system' ? 'allowed' : 'forbidden');
      expect(
        refused(() => {
          checkOperation(caller, { code: 'unheard-of', interaction: 'r', type: 'Organization' }, undefined);
        }),
      ).toBe(name === 'system' ? 'allowed' : 'forbidden');
      const reading = { code: 'everything', interaction: 'r', type: 'Patient' } as const;
      expect(
        refused(() => {
          checkOperation(caller, reading, undefined);
        }),
      ).toBe(allowed(clinicalReads, { name, caller }) ? 'allowed' : 'forbidden');
    }
  });
  test('no scope, no operation', () => {
    const caller = { ...base('system'), scopes: ['system/Slot.r'] };
    expect(
      refused(() => {
        checkOperation(caller, { code: 'everything', interaction: 'r', type: 'Patient' }, undefined);
      }),
    ).toBe('forbidden');
  });
});
