import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reduce } from './reduce.ts';

test('each reduction leaves NaN out, wherever it stands', () => {
  const values = [Number.NaN, 3, 1, Number.NaN, 8, 2, Number.NaN];
  assert.equal(reduce(values, 'average'), 3.5);
  assert.equal(reduce(values, 'minimum'), 1);
  assert.equal(reduce(values, 'maximum'), 8);
  assert.equal(reduce(values, 'last'), 2);
});

test('no value is NaN; infinities count; as many values as Prometheus gives', () => {
  assert.equal(reduce([], 'average'), Number.NaN);
  assert.equal(reduce([Number.NaN], 'minimum'), Number.NaN);
  assert.equal(reduce([1, Number.POSITIVE_INFINITY], 'average'), Number.POSITIVE_INFINITY);
  const many = Array.from({ length: 200_000 }, (_, index) => index);
  assert.equal(reduce(many, 'maximum'), 199_999);
});
