import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNs, median, quantiles, quartiles, ratio, rounded } from './statistics.ts';

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test('quantiles do not depend on the order, and leave the samples alone', () => {
  const samples = [...oneToHundred];
  assert.deepEqual(quantiles(samples), { p50: 51, p99: 100, samples: 100 });
  assert.deepEqual(quartiles(samples), { p25: 26, p50: 51, p75: 76 });
  assert.deepEqual(samples, oneToHundred);
});

test('numbers are compared as numbers, and an outlier moves no median', () => {
  assert.equal(median([9, 10, 100_000]), 10);
  assert.deepEqual(quantiles([7]), { p50: 7, p99: 7, samples: 1 });
});

test('without samples there is no answer', () => {
  assert.throws(() => median([]), RangeError);
});

test('what is printed has three significant digits', () => {
  assert.equal(ratio(2, 3), 0.667);
  assert.equal(rounded(12_345), 12_300);
  assert.deepEqual([999, 1_500, 2_345_678].map(formatNs), ['999 ns', '1.5 µs', '2.35 ms']);
});
