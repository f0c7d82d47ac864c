import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareHosts } from './compare.ts';
import type { Sample } from './evaluate.ts';

/** Hosts c0, c1, ... are changed, u0, u1, ... are not. */
function compare(
  changed: readonly number[],
  control: readonly number[],
  options: { alpha?: number; worse?: 'higher' | 'lower'; more?: readonly Sample[] } = {},
) {
  const side = (letter: string, values: readonly number[]) =>
    values.map((value, index): Sample => ({ labels: { node: `${letter}${index}` }, value }));
  const names = (letter: string, count: number) =>
    new Set(Array.from({ length: count }, (_, index) => `${letter}${index}`));
  const { alpha = 0.05, worse = 'higher', more = [] } = options;
  return compareHosts(
    [...side('c', changed), ...side('u', control), ...more],
    { kind: 'compare', label: 'node', alpha, worse },
    { changed: names('c', changed.length), control: names('u', control.length) },
  );
}

test('worse in the bad direction fails, and only in that one', () => {
  const high = [9, 8, 7, 10];
  const low = [1, 2, 3, 4];
  assert.deepEqual(compare(high, low), {
    outcome: 'failure',
    value: 8.5,
    pValue: 1 / 70,
    detail:
      'changed hosts are higher: p = 0.0142857, alpha is 0.05 (median 8.5 against 2.5; 4 changed and 4 unchanged hosts)',
  });
  const better = compare(low, high);
  assert.deepEqual([better.outcome, better.pValue], ['success', 1]);
  assert.match(
    better.detail,
    /^changed hosts are not higher: p = 1, alpha is 0.05 \(median 2.5 against 8.5;/,
  );
  assert.equal(compare(low, high, { worse: 'lower' }).outcome, 'failure');
  assert.equal(compare(high, low, { worse: 'lower' }).outcome, 'success');
  assert.equal(compare(high, low, { alpha: 0.0142 }).outcome, 'inconclusive');
  assert.equal(compare(high, low, { alpha: 0.0143 }).outcome, 'failure');
});

test('a difference that chance explains is none', () => {
  const { outcome, pValue = 0 } = compare([3, 5, 7, 9, 11], [4, 6, 8, 10, 2]);
  assert.equal(outcome, 'success');
  assert.ok(pValue > 0.3 && pValue < 0.5);
});

test('all equal is a success: too few hosts is a matter of their number, not of their values', () => {
  assert.equal(compare([0, 0, 0, 0], [0, 0, 0, 0]).outcome, 'success');
});

test('too few hosts to show anything is inconclusive, whatever they do', () => {
  assert.deepEqual(compare([9, 9.5, 9.9], [1, 2, 3]), {
    outcome: 'inconclusive',
    value: 9.5,
    pValue: 0.05,
    detail: '3 changed and 3 unchanged hosts are too few: p cannot be below 0.05, alpha is 0.05',
  });
  const nineteen = Array.from({ length: 19 }, (_, index) => index);
  assert.equal(compare([99], nineteen).outcome, 'inconclusive');
  assert.equal(compare([99], [...nineteen, 19]).outcome, 'failure');
});

test('a side without values has no data; strangers, NaN and series without the label do not count', () => {
  const more: Sample[] = [
    { labels: { node: 'stranger' }, value: 1 },
    { labels: { host: 'c0' }, value: 1 },
  ];
  for (const [changed, control] of [
    [[], [1]],
    [[1], []],
    [[Number.NaN], [1]],
    [[Number.POSITIVE_INFINITY], [Number.NaN]],
  ] as const) {
    assert.equal(compare(changed, control, { more }).outcome, 'no-data');
  }
  assert.deepEqual(compare([], [1, 2], { more }), {
    outcome: 'no-data',
    detail: 'nothing to compare: values of 0 changed and 2 unchanged hosts by label "node"',
  });
});

test('a host counts once, with the average of its series', () => {
  const more = [
    { labels: { node: 'c0', cpu: '1' }, value: 100 },
    { labels: { node: 'u0', cpu: '1' }, value: Number.POSITIVE_INFINITY },
    { labels: { node: 'u1', cpu: '1' }, value: Number.NaN },
  ];
  const values = [0, 1, 2, 3];
  const { value, detail } = compare(values, values, { more });
  assert.equal(value, 2.5, 'of 50, 1, 2 and 3');
  assert.match(detail, /median 2.5 against 2.5; 4 changed and 4 unchanged hosts/);
});
