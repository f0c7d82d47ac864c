import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseWait } from '../parse/duration.ts';
import {
  count,
  formatAge,
  formatDuration,
  formatLeft,
  formatNs,
  formatTime,
} from './quantities.ts';

test('ages', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const cases = [
    [-5, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7_199, '119m'],
    [7_200, '2h'],
    [172_799, '47h'],
    [172_800, '2d'],
  ] as const;
  for (const [seconds, text] of cases) {
    assert.equal(formatAge(new Date(now.getTime() - seconds * 1_000), now), text);
  }
});

test('measured times', () => {
  const cases = [
    [0n, '0 ns'],
    [340n, '340 ns'],
    [999n, '999 ns'],
    [1_000n, '1 µs'],
    [48_200n, '48 µs'],
    [999_600n, '1 ms'],
    [3_140_000n, '3.1 ms'],
    [41e6, '41 ms'],
    [12_000_000_000n, '12 s'],
    [5_000_000_000_000n, '5000 s'],
  ] as const;
  for (const [ns, text] of cases) assert.equal(formatNs(ns), text);
});

test('nouns', () => {
  assert.deepEqual(
    [0, 1, 2].map((n) => count(n, 'host')),
    ['0 hosts', '1 host', '2 hosts'],
  );
});

test('a duration is written as it is read', () => {
  const anyMs = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(fc.property(anyMs, (ms) => parseWait(formatDuration(ms), '') === ms));
  assert.equal(formatDuration(5_400_000), '1h30m');
  assert.equal(formatDuration(90_061_001, 2), '1d1h');
});

test('what is left is rounded up to the second, and never negative', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const left = (ms: number) => formatLeft(new Date(now.getTime() + ms), now);
  assert.deepEqual(
    [left(-5_000), left(1), left(61_000), left(86_400_000)],
    ['0s', '1s', '1m1s', '1d'],
  );
  assert.equal(formatTime(new Date('2026-03-01T12:00:00.123Z')), '2026-03-01T12:00:00Z');
});
