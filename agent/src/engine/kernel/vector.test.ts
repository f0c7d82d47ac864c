import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeVector, encodeVector, MAX_VECTOR_KEYS, neighbours } from './vector.ts';

test('a name tells its vector, and another vector has another name', () => {
  const vectors = fc.array(fc.boolean(), { maxLength: MAX_VECTOR_KEYS }).map((values) => {
    const keys = values.map((_, index) => `key${index}`);
    return { keys, vector: new Map(keys.map((key, index) => [key, values[index] === true])) };
  });
  fc.assert(
    fc.property(vectors, ({ keys, vector }) => {
      const name = encodeVector(keys, vector);
      assert.match(name, /^[0-9a-f]{1,64}$/);
      assert.deepEqual(decodeVector(keys, name), vector);
      for (const other of neighbours(vector, new Set())) {
        assert.notEqual(encodeVector(keys, other), name);
      }
    }),
    { numRuns: 50 },
  );
});

test('names that are none decode to nothing', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  for (const name of ['', '0', '000', 'xy', '0G'])
    assert.equal(decodeVector(keys, name), undefined);
});

test('neighbours are one flip away, likely ones first', () => {
  const vector = new Map([
    ['a', false],
    ['b', true],
  ]);
  assert.deepEqual(
    [...neighbours(vector, new Set(['b']))].map((each) => [...each.values()]),
    [
      [false, false],
      [true, true],
    ],
  );
});
