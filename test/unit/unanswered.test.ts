import { failure } from '../../src/fhir/outcome.js';
import { reasonUnanswered, unanswered } from '../../src/interactions/unanswered.js';
import { Unavailable } from '../../src/store/port.js';

it('says why a store did not answer without what its driver quotes', () => {
  const driver = Object.assign(new Error('the duplicate key value is (9912003888)'), {
    name: 'RequestError',
    code: 'EREQUEST',
    number: 2627,
  });
  const failed = unanswered(new Unavailable(`SQL Server: ${driver.message}`, { cause: driver }));
  expect(reasonUnanswered(failed)).toBe('RequestError EREQUEST 2627');
  expect(JSON.stringify(failed.issues)).not.toContain('9912003888');
});

it('keeps the words of the store itself', () => {
  expect(reasonUnanswered(unanswered(new Unavailable('the store is closed')))).toBe('the store is closed');
});

it('has no reason for what failed otherwise', () => {
  expect(reasonUnanswered(failure('conflict', 'conflict', 'taken'))).toBeUndefined();
});
