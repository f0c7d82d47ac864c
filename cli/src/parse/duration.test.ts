import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, parseSentDuration, parseWait } from './duration.ts';

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

test('what is sent to the controller fits 32 bits of whole milliseconds; a wait may be none', () => {
  assert.equal(parseSentDuration('1.5ms', '--ttl'), 2);
  assert.equal(parseSentDuration('49d', '--ttl'), 4_233_600_000);
  assert.deepEqual([parseWait('0', '--bake'), parseWait('0s', '--bake')], [0, 0]);
  assert.equal(parseWait('1h', '--bake'), 3_600_000);
  for (const text of ['50d', '-5m', '0y', '', '5']) {
    for (const parse of [parseSentDuration, parseWait]) {
      const expected = { code: 'SKEIN_INVALID_ARGUMENT', message: /^--bake: / };
      assert.throws(() => parse(text, '--bake'), expected, text);
    }
  }
  assert.throws(() => parseSentDuration('0', '--ttl'), {
    message: /^--ttl: "0" is not a duration/,
  });
});
