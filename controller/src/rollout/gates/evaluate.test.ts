import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Conditions, evaluateSamples, type Sample } from './evaluate.ts';

const samples = (...values: number[]): Sample[] =>
  values.map((value, index) => ({ labels: { __name__: 'm', host: `h${index}` }, value }));

const SUCCESS = { success: '< 0.01' };
const FAILURE = { failure: '> 0.05' };
const BOTH = { ...SUCCESS, ...FAILURE };

test('outcome, worst value and the line for people', () => {
  const cases: [Conditions, number[], string, number | undefined, string][] = [
    [SUCCESS, [0.003], 'success', 0.003, '0.003 < 0.01 holds (m{host="h0"})'],
    [
      SUCCESS,
      [0.003, 0.23, 0.1],
      'failure',
      0.23,
      '0.23 < 0.01 does not hold (m{host="h1"}, worst of 3)',
    ],
    [SUCCESS, [0.01], 'failure', 0.01, '0.01 < 0.01 does not hold (m{host="h0"})'],
    [
      SUCCESS,
      [0.01 - 1e-12],
      'success',
      0.01 - 1e-12,
      '0.009999999999 < 0.01 holds (m{host="h0"})',
    ],
    [
      FAILURE,
      [0.01, 0.05],
      'success',
      0.05,
      '0.05 > 0.05 does not hold (m{host="h1"}, worst of 2)',
    ],
    [FAILURE, [0.01, 0.06], 'failure', 0.06, '0.06 > 0.05 holds (m{host="h1"}, worst of 2)'],
    [BOTH, [0.001, 0.002], 'success', 0.002, '0.002 < 0.01 holds (m{host="h1"}, worst of 2)'],
    [BOTH, [0.02, 0.9], 'failure', 0.9, '0.9 > 0.05 holds (m{host="h1"}, worst of 2)'],
    [
      BOTH,
      [0.001, 0.02],
      'inconclusive',
      0.02,
      '0.02 < 0.01 does not hold, 0.02 > 0.05 does not hold (m{host="h1"}, worst of 2)',
    ],
    [
      { success: '>= 99' },
      [100, 98, 97, 99],
      'failure',
      97,
      '97 >= 99 does not hold (m{host="h2"}, worst of 4)',
    ],
    [{ failure: '< 5' }, [7, 6], 'success', 6, '6 < 5 does not hold (m{host="h1"}, worst of 2)'],
    [
      { success: '== 3' },
      [3, 1, 4],
      'failure',
      1,
      '1 == 3 does not hold (m{host="h1"}, worst of 3)',
    ],
    [{ failure: '== 0' }, [5, 0], 'failure', 0, '0 == 0 holds (m{host="h1"}, worst of 2)'],
    [
      { success: '< 1', failure: '> 0' },
      [0.5, 0.5],
      'success',
      0.5,
      '0.5 < 1 holds (m{host="h0"}, worst of 2)',
    ],
    [
      { success: '< 1', failure: '> 0' },
      [0.5, 2],
      'failure',
      2,
      '2 > 0 holds (m{host="h1"}, worst of 2)',
    ],
    [SUCCESS, [Number.NaN, 0.002], 'success', 0.002, '0.002 < 0.01 holds (m{host="h1"})'],
    [
      SUCCESS,
      [Number.POSITIVE_INFINITY],
      'failure',
      Number.POSITIVE_INFINITY,
      'Infinity < 0.01 does not hold (m{host="h0"})',
    ],
    [SUCCESS, [], 'no-data', undefined, 'no series'],
    [FAILURE, [Number.NaN], 'no-data', undefined, 'the only series is NaN'],
    [FAILURE, [Number.NaN, Number.NaN], 'no-data', undefined, 'all 2 series are NaN'],
  ];
  for (const [conditions, values, outcome, value, detail] of cases) {
    assert.deepEqual(
      evaluateSamples(samples(...values), conditions),
      value === undefined ? { outcome, detail } : { outcome, value, detail },
    );
  }
});

test('a value without labels has no place to name', () => {
  const { detail } = evaluateSamples([{ labels: {}, value: 1 / 3 }], { success: '< 1' });
  assert.equal(detail, '0.333333 < 1 holds');
});

test('no condition, or a bad one, is refused even when there is no data', () => {
  assert.throws(() => evaluateSamples([], {}), { code: 'SKEIN_BAD_ROLLOUT' });
  assert.throws(() => evaluateSamples([], { success: 'low' }), { code: 'SKEIN_BAD_ROLLOUT' });
});

test('a series more never turns a failure into a success, and their order does not matter', () => {
  const conditions = fc.constantFrom(SUCCESS, FAILURE, BOTH, { success: '!= 0.02' });
  const values = fc.array(fc.constantFrom(0, 0.01, 0.02, 0.05, 0.06, Number.NaN), { minLength: 1 });
  const order = ['no-data', 'success', 'inconclusive', 'failure'];
  fc.assert(
    fc.property(conditions, values, values, (which, a, b) => {
      const rank = (all: number[]) =>
        order.indexOf(evaluateSamples(samples(...all), which).outcome);
      assert.equal(rank([...a, ...b]), Math.max(rank(a), rank(b)));
    }),
  );
});
