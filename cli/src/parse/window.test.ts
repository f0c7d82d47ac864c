import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWindow } from './window.ts';

test('windows: days, times of day, time zone', () => {
  const cases = [
    ['09:00-17:00', [], 'UTC'],
    ['mon-wed 09:00-17:00', ['mon', 'tue', 'wed'], 'UTC'],
    ['sun,fri-sat 09:00-17:00 Europe/Berlin', ['fri', 'sat', 'sun'], 'Europe/Berlin'],
    ['sat-mon 09:00-17:00', ['mon', 'sat', 'sun'], 'UTC'],
  ] as const;
  for (const [text, days, timeZone] of cases) {
    assert.deepEqual(parseWindow(text, '--window'), { days, from: '09:00', to: '17:00', timeZone });
  }
});

test('what is no window is refused, naming the option', () => {
  for (const text of [
    '',
    '9-17',
    '09:00',
    '24:00-01:00',
    'mo 09:00-17:00',
    'mon-tue-wed 09:00-17:00',
  ]) {
    assert.throws(
      () => parseWindow(text, '--window'),
      { code: 'SKEIN_INVALID_ARGUMENT', message: /^--window: / },
      text,
    );
  }
});
