import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leastP, mannWhitney } from './mann-whitney.ts';
import { normalTail } from './normal-tail.ts';
import { approximateTail, exactTail, rankSum } from './rank-sum.ts';

function near(actual: number, expected: number, within: number, what = ''): void {
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual}, expected ${expected}`);
}

/** How often a pair has the first value higher; half for equal ones. */
function uOf(sample: readonly number[], others: readonly number[]): number {
  const pairs = sample.flatMap((a) => others.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
  return pairs.reduce<number>((sum, one) => sum + one, 0);
}

/** The definition: the share of all ways to deal the values whose U is at least as high. */
function byBruteForce(sample: readonly number[], others: readonly number[]): number {
  const all = [...sample, ...others];
  const observed = uOf(sample, others);
  let ways = 0;
  let high = 0;
  for (let bits = 0; bits < 1 << all.length; bits++) {
    const chosen = all.filter((_, index) => bits & (1 << index));
    if (chosen.length !== sample.length) continue;
    const rest = all.filter((_, index) => !(bits & (1 << index)));
    ways++;
    if (uOf(chosen, rest) >= observed) high++;
  }
  return high / ways;
}

const values = (max: number) =>
  fc.array(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 5 });

test('exact: the share of all permutations, with many ties, with few, and with infinities', () => {
  const sample = (max: number) =>
    fc.tuple(values(max), values(max)).map(([a, b]) => [a.map(widen), b.map(widen)] as const);
  const widen = (value: number) => (value === 3 ? Number.POSITIVE_INFINITY : value);
  fc.assert(
    fc.property(fc.oneof(sample(3), sample(1_000)), ([a, b]) => {
      near(mannWhitney(a, b), byBruteForce(a, b), 1e-12);
    }),
  );
});

test('the table of Mann and Whitney (1947): P(U <= u) of 3 and 3, 4 and 4, 5 and 5', () => {
  const table: [number, number[]][] = [
    [3, [0.05, 0.1, 0.2, 0.35, 0.5]],
    [4, [0.014, 0.029, 0.057, 0.1, 0.171, 0.243, 0.343, 0.443]],
    [5, [0.004, 0.008, 0.016, 0.028, 0.048, 0.075, 0.111, 0.155, 0.21, 0.274, 0.345, 0.421, 0.5]],
  ];
  for (const [n, row] of table) {
    const others = Array.from({ length: n }, (_, index) => index * 10);
    for (const [u, expected] of row.entries()) {
      near(mannWhitney(sampleWithU(n * n - u, others), others), expected, 0.00051, `${n}: ${u}`);
    }
  }
});

/** A sample as large as `others`, whose values are u times higher than one of theirs. */
function sampleWithU(u: number, others: readonly number[]): number[] {
  let left = u;
  return others.map((_, index) => {
    const above = Math.min(others.length, left);
    left -= above;
    return above * 10 - 5 + index / 10;
  });
}

test('published examples', () => {
  // Hollander and Wolfe (1973), 69f, in the manual of R's wilcox.test: W = 35, p = 0.1272.
  const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const early = [1.15, 0.88, 0.9, 0.74, 1.21];
  assert.equal(uOf(term, early), 35);
  near(mannWhitney(term, early), 0.1272, 0.00005);
  // The manual of scipy.stats.mannwhitneyu: U = 17, two-sided p = 1/9, by the approximation 0.11134688653314041.
  const males = [19, 22, 16, 29, 24];
  const females = [20, 11, 17, 12];
  assert.equal(uOf(males, females), 17);
  near(mannWhitney(males, females), 1 / 18, 1e-12);
  near(approximateTail(rankSum(males, females)), 0.11134688653314041 / 2, 1e-10);
  // airquality of R, ozone in August and in May, with ties: W = 127.5 of 676, two-sided p = 0.0001208.
  const may = [
    41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115,
    37,
  ];
  const august = [
    39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76,
    118, 84, 85,
  ];
  assert.equal(uOf(august, may), 676 - 127.5);
  near(approximateTail(rankSum(august, may)), 0.0001208 / 2, 0.00000003);
});

test('p is within 0..1; both directions overlap in the observed value only; scale and order do not matter', () => {
  const many = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(many, many, (a, b) => {
      for (const tail of [exactTail, approximateTail]) {
        const p = tail(rankSum(a, b));
        assert.ok(p > 0 && p <= 1 + 1e-12, `${p}`);
        assert.ok(p + tail(rankSum(b, a)) >= 1 - 1e-9);
        const turned = (values: number[]) => values.map((value) => -value);
        near(tail(rankSum(turned(b), turned(a))), p, 1e-9, 'turned round');
        near(tail(rankSum(a.toReversed(), b.toReversed())), p, 1e-9, 'in another order');
      }
      const ranks = [a.map((_, i) => rankIn(a, b, i)), b.map((_, i) => rankIn(b, a, i))] as const;
      near(mannWhitney(...ranks), mannWhitney(a, b), 1e-12, 'ranks instead of values');
    }),
    { numRuns: 50 },
  );
});

function rankIn(of: readonly number[], others: readonly number[], index: number): number {
  const value = of[index] ?? 0;
  return [...of, ...others].filter((other) => other < value).length;
}

test('without ties, higher values never make p higher', () => {
  const distinct = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(distinct, fc.nat(), fc.nat(), (all, cut, at) => {
      const even = all.map((value) => value * 2);
      const size = 1 + (cut % (even.length - 1));
      const [a, b] = [even.slice(0, size), even.slice(size)];
      const raised = a.map((value, index) => (index === at % size ? value + 5 : value));
      assert.ok(mannWhitney(raised, b) <= mannWhitney(a, b) + 1e-12);
    }),
  );
});

test('exact and approximate agree where one takes over from the other', () => {
  const others = Array.from({ length: 30 }, (_, index) => index);
  for (const shift of [0, 2, 5, 8]) {
    const sum = rankSum(
      others.map((value) => value + shift + 0.5),
      others,
    );
    near(approximateTail(sum), exactTail(sum), 0.002, `${shift}`);
  }
});

test('all equal: p is 1, by counting and by the approximation', () => {
  const zeros = (length: number) => new Array<number>(length).fill(0);
  assert.equal(mannWhitney(zeros(5), zeros(20)), 1);
  assert.equal(mannWhitney(zeros(500), zeros(500)), 1);
});

test('the least p-value of two sizes is what complete separation gives', () => {
  for (const [m, n] of [
    [1, 1],
    [1, 19],
    [1, 20],
    [3, 3],
    [3, 4],
    [7, 5],
  ] as const) {
    const low = Array.from({ length: n }, (_, index) => index);
    const high = Array.from({ length: m }, (_, index) => 100 + index);
    near(mannWhitney(high, low), leastP(m, n), 1e-12, `${m} and ${n}`);
  }
  assert.ok(leastP(5_000, 5_000) < 1e-300);
});

test('the tail of the normal distribution, by the tables', () => {
  const table: [number, number][] = [
    [0, 0.5],
    [1, 0.15865525393],
    [1.6448536269514722, 0.05],
    [1.959963984540054, 0.025],
    [2.3263478740408408, 0.01],
    [3, 0.00134989803],
    [4, 3.167124183e-5],
    [5, 2.866515719e-7],
    [8, 6.220960574e-16],
  ];
  for (const [z, expected] of table) {
    near(normalTail(z) / expected, 1, 1e-8, `${z}`);
    near(normalTail(-z), 1 - expected, 1e-10, `-${z}`);
  }
  near(normalTail(4 - 1e-9) / normalTail(4), 1, 1e-7, 'where the fraction takes over');
});
