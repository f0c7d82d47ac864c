import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

test('durations as Go writes them, and days', () => {
  const cases = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['365d', 31_536_000_000],
  ] as const;
  for (const [text, ms] of cases) assert.equal(parseDuration(text, '--timeout'), ms, text);
});

test('what is not a duration is refused, naming the option', () => {
  for (const text of [
    '',
    '5',
    '-5s',
    '0s',
    's',
    '5 s',
    '5s ',
    '1h30',
    '1e3s',
    '366d',
    '1y',
    '.5s',
  ]) {
    assert.throws(() => parseDuration(text, '--timeout'), {
      code: 'SKEIN_INVALID_ARGUMENT',
      message: `--timeout: "${text}" is not a duration`,
    });
  }
});
