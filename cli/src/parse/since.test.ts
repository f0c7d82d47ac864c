import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSince, parseUntil } from './since.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

test('a time is a duration before now, or RFC 3339', () => {
  const cases = [
    ['1h', '2026-03-01T11:00:00.000Z'],
    ['2h ago', '2026-03-01T10:00:00.000Z'],
    ['1d12h', '2026-02-28T00:00:00.000Z'],
    ['2026-02-01T00:00:00Z', '2026-02-01T00:00:00.000Z'],
    ['2026-02-01T00:00:00.25+02:00', '2026-01-31T22:00:00.250Z'],
  ] as const;
  for (const [text, expected] of cases) {
    assert.equal(parseSince(text, NOW, '--since').toISOString(), expected, text);
  }
});

test('what is neither is refused, naming the option', () => {
  for (const text of [
    'yesterday',
    '2026-02-01',
    '2026-13-01T00:00:00Z',
    '2026-02-01 00:00:00',
    '',
  ]) {
    assert.throws(
      () => parseSince(text, NOW, '--since'),
      { code: 'SKEIN_INVALID_ARGUMENT', message: /^--since: / },
      text,
    );
  }
});

test('a time to come is a duration from now, or RFC 3339 after now', () => {
  assert.equal(parseUntil('2h', NOW, '--until').toISOString(), '2026-03-01T14:00:00.000Z');
  const later = '2026-03-02T00:00:00Z';
  assert.equal(parseUntil(later, NOW, '--until').getTime(), Date.parse(later));
  for (const text of ['2026-03-01T12:00:00Z', '2026-02-01T00:00:00Z', '2h ago', '2026-03-02', '']) {
    assert.throws(
      () => parseUntil(text, NOW, '--until'),
      { code: 'SKEIN_INVALID_ARGUMENT', message: /^--until: / },
      text,
    );
  }
});
