import type { Request } from '@hapi/hapi';
import { RefusalBudget } from '../../src/access/refusal-budget.js';
import { addressFinder } from '../../src/http/address.js';
import { readConfig } from '../../src/config.js';

describe('the budget of refusals', () => {
  let now = 0;
  const budget = (rate?: number) => new RefusalBudget(rate, () => now);
  test('is five seconds of them at once, then the rate, and each name has its own', () => {
    const one = budget(10);
    for (let n = 0; n < 50; n++) {
      expect(one.wait('a')).toBe(0);
      one.count('a');
    }
    expect(one.wait('a')).toBe(1);
    expect(one.wait('b')).toBe(0);
    now += 100;
    expect(one.wait('a')).toBe(0);
    one.count('a');
    expect(one.wait('a')).toBe(1);
  });
  test('is none without a rate', () => {
    const one = budget();
    for (let n = 0; n < 1000; n++) one.count('a');
    expect(one.wait('a')).toBe(0);
  });
  test('does not grow with the names', () => {
    const one = budget(1);
    for (let n = 0; n < 50_000; n++) one.count(String(n));
    expect((one as unknown as { spent: Map<string, unknown> }).spent.size).toBeLessThanOrEqual(10_000);
  });
});

describe('the address of a request', () => {
  const from = (remoteAddress: string, forwarded?: string) =>
    ({ info: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as Request;
  test('is the socket\u2019s, whatever a client writes', () => {
    expect(addressFinder([])(from('192.0.2.1', '198.51.100.1'))).toBe('192.0.2.1');
    expect(addressFinder(['10.0.0.0/8'])(from('192.0.2.1', '198.51.100.1'))).toBe('192.0.2.1');
    expect(addressFinder([])(from('::ffff:192.0.2.1'))).toBe('192.0.2.1');
  });
  test('is what the last trusted proxy saw', () => {
    const find = addressFinder(['10.0.0.0/8', '::1']);
    expect(find(from('10.1.2.3', '203.0.113.9, 198.51.100.1'))).toBe('198.51.100.1');
    expect(find(from('::1', '198.51.100.1, 10.9.9.9'))).toBe('198.51.100.1');
    expect(find(from('10.1.2.3', 'nonsense'))).toBe('10.1.2.3');
    expect(find(from('10.1.2.3'))).toBe('10.1.2.3');
  });
  test('of IPv6 is its network', () => {
    const find = addressFinder([]);
    expect(find(from('2001:db8:1:2:a:b:c:d'))).toBe(find(from('2001:db8:1:2::7')));
    expect(find(from('2001:db8::1'))).not.toBe(find(from('2001:db8:0:1::1')));
  });
  test.each(['nobody', '10.0.0.0/33', '10.0.0.0/x', '::1/129', '1.2.3.4/8/9'])('TRUSTED_PROXIES=%s stops the start', (value) => {
    expect(() => readConfig({ TRUSTED_PROXIES: value })).toThrow('TRUSTED_PROXIES');
  });
});
