import fc from 'fast-check';
import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import { Failure } from '../../src/fhir/outcome.js';
import { applyJsonPatch } from '../../src/fhir/patch/json-patch.js';

type Case = readonly [document: unknown, patch: unknown, result: unknown];

// RFC 6902 appendix A and the corners around it
const applied: Readonly<Record<string, Case>> = {
  'adds a member': [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  'adds an item': [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  'adds at the end': [{ foo: ['a'] }, [{ op: 'add', path: '/foo/-', value: ['b'] }], { foo: ['a', ['b']] }],
  'add replaces a member': [{ a: 1 }, [{ op: 'add', path: '/a', value: null }], { a: null }],
  'removes a member': [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  'removes an item': [{ foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
  replaces: [{ a: { b: [1, 2] } }, [{ op: 'replace', path: '/a/b/1', value: 3 }], { a: { b: [1, 3] } }],
  'replaces the root': [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  'moves a member': [{ a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
  'moves an item': [
    { f: ['all', 'grass', 'cows', 'eat'] },
    [{ op: 'move', from: '/f/1', path: '/f/3' }],
    { f: ['all', 'cows', 'eat', 'grass'] },
  ],
  copies: [{ a: { x: [1] } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: [1] }, b: { x: [1] } }],
  tests: [{ a: { x: [1, null], y: 's' } }, [{ op: 'test', path: '/a', value: { y: 's', x: [1, null] } }], { a: { x: [1, null], y: 's' } }],
  'reads escaped tokens': [
    { '/': 9, '~1': 10 },
    [
      { op: 'test', path: '/~01', value: 10 },
      { op: 'remove', path: '/~1' },
    ],
    { '~1': 10 },
  ],
  'ignores members it does not know': [{ a: 1 }, [{ op: 'remove', path: '/a', xyz: 1 }], {}],
};
it.each(Object.entries(applied))('%s', (_title, [document, patch, result]) => {
  expect(applyJsonPatch(document, patch)).toEqual(result);
});

const refused: Readonly<Record<string, readonly [document: unknown, patch: unknown, category: string]>> = {
  'a resource in place of a patch': [{}, { resourceType: 'Patient' }, 'invalid'],
  'an unknown op': [{}, [{ op: 'merge', path: '/a' }], 'invalid'],
  'an op of the prototype': [{}, [{ op: 'toString', path: '/a' }], 'invalid'],
  'no path': [{}, [{ op: 'remove' }], 'invalid'],
  'no value': [{}, [{ op: 'add', path: '/a' }], 'invalid'],
  'a path without a slash': [{ a: 1 }, [{ op: 'remove', path: 'a' }], 'invalid'],
  'removing what is not there': [{ a: 1 }, [{ op: 'remove', path: '/b' }], 'invalid'],
  'replacing what is not there': [{ a: 1 }, [{ op: 'replace', path: '/b', value: 1 }], 'invalid'],
  'adding below nothing': [{ a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }], 'invalid'],
  'adding beyond the end': [{ a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], 'invalid'],
  'an index with a leading zero': [{ a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], 'invalid'],
  'the prototype': [{ a: 1 }, [{ op: 'replace', path: '/__proto__/x', value: 1 }], 'invalid'],
  'removing the root': [{ a: 1 }, [{ op: 'remove', path: '' }], 'invalid'],
  'a move into itself': [{ a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b' }], 'invalid'],
  'a test that fails': [{ a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 'business-rule'],
  'below a number of many digits': [parseJson('{"a":1.50}'), [{ op: 'add', path: '/a/value', value: '2' }], 'invalid'],
  'copies of copies': [
    { a: {} },
    Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/k${String(i)}` })),
    'too-costly',
  ],
  'too many operations': [{}, Array.from({ length: 1001 }, () => ({ op: 'add', path: '/a', value: 1 })), 'too-costly'],
};
it.each(Object.entries(refused))('refuses %s', (_title, [document, patch, category]) => {
  const before = stringifyJson(document);
  let caught: unknown;
  try {
    applyJsonPatch(document, patch);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(Failure);
  expect((caught as Failure).category).toBe(category);
  expect(stringifyJson(document)).toBe(before);
});

it('keeps decimals as they were written, and compares them by value', () => {
  const document = parseJson('{"a":1.50,"b":[0.10]}');
  const patch = parseJson(
    '[{"op":"test","path":"/a","value":1.5},{"op":"add","path":"/c","value":2.00},{"op":"move","from":"/b/0","path":"/d"}]',
  );
  expect(stringifyJson(applyJsonPatch(document, patch))).toBe('{"a":1.50,"b":[],"c":2.00,"d":0.10}');
});

it('gives a tree or a Failure for any patch, and never changes what it was given', () => {
  const pointer = fc
    .array(fc.constantFrom('a', 'b', '0', '1', '-', '~0', '__proto__', ''), { maxLength: 4 })
    .map((tokens) => tokens.map((token) => `/${token}`).join(''));
  const operation = fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path: pointer,
      from: pointer,
      value: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: ['op', 'path'] },
  );
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.oneof(operation, fc.jsonValue({ maxDepth: 1 })), { maxLength: 6 }),
      (document, patch) => {
        const before = JSON.stringify(document);
        try {
          applyJsonPatch(document, patch);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
        expect(JSON.stringify(document)).toBe(before);
        expect(({} as Record<string, unknown>)['x']).toBeUndefined();
      },
    ),
  );
});

it('what add adds, remove removes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (document, name, value) => {
      fc.pre(!Object.hasOwn(document, name));
      const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      expect(
        applyJsonPatch(document, [
          { op: 'add', path, value },
          { op: 'test', path, value },
          { op: 'remove', path },
        ]),
      ).toEqual({ ...document });
    }),
  );
});
