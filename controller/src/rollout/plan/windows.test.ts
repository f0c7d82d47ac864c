import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAYS, type Window } from '#common/rollout/spec.ts';
import { isOpen, minuteOfDay, nextClosing, nextOpening } from './windows.ts';

const window = (from: string, to: string, more: Partial<Window> = {}): Window => ({
  days: [],
  from,
  to,
  timeZone: 'UTC',
  ...more,
});
const BERLIN = { timeZone: 'Europe/Berlin' };

test('when windows open and close', async (t) => {
  // 2026-01-01 is a Thursday.
  const cases: [
    string,
    Window[],
    at: string,
    opens: string | undefined,
    closes: string | undefined,
  ][] = [
    ['no window', [], '2026-01-01T12:00Z', '2026-01-01T12:00Z', undefined],
    [
      'open now',
      [window('09:00', '17:00')],
      '2026-01-01T12:00Z',
      '2026-01-01T12:00Z',
      '2026-01-01T17:00Z',
    ],
    [
      'the first minute',
      [window('09:00', '17:00')],
      '2026-01-01T09:00Z',
      '2026-01-01T09:00Z',
      '2026-01-01T17:00Z',
    ],
    [
      'the last minute is over',
      [window('09:00', '17:00')],
      '2026-01-01T17:00Z',
      '2026-01-02T09:00Z',
      undefined,
    ],
    [
      'later today',
      [window('09:00', '17:00')],
      '2026-01-01T08:59:30Z',
      '2026-01-01T09:00Z',
      undefined,
    ],
    [
      'over midnight, before',
      [window('22:00', '04:00')],
      '2026-01-01T23:00Z',
      '2026-01-01T23:00Z',
      '2026-01-02T04:00Z',
    ],
    [
      'over midnight, after',
      [window('22:00', '04:00')],
      '2026-01-01T03:00Z',
      '2026-01-01T03:00Z',
      '2026-01-01T04:00Z',
    ],
    [
      'the day is that of the beginning',
      [window('22:00', '04:00', { days: ['wed'] })],
      '2026-01-01T03:00Z',
      '2026-01-01T03:00Z',
      '2026-01-01T04:00Z',
    ],
    [
      'not on its day',
      [window('22:00', '04:00', { days: ['thu'] })],
      '2026-01-01T03:00Z',
      '2026-01-01T22:00Z',
      undefined,
    ],
    [
      'a week away',
      [window('09:00', '17:00', { days: ['thu'] })],
      '2026-01-01T18:00Z',
      '2026-01-08T09:00Z',
      undefined,
    ],
    [
      'the whole day',
      [window('00:00', '00:00', { days: ['sat'] })],
      '2026-01-03T12:00Z',
      '2026-01-03T12:00Z',
      '2026-01-04T00:00Z',
    ],
    [
      'without end',
      [window('00:00', '00:00')],
      '2026-01-03T12:00Z',
      '2026-01-03T12:00Z',
      undefined,
    ],
    [
      'one into the other',
      [window('09:00', '12:00'), window('11:00', '14:00')],
      '2026-01-01T10:00Z',
      '2026-01-01T10:00Z',
      '2026-01-01T14:00Z',
    ],
    [
      'winter in Berlin',
      [window('09:00', '17:00', BERLIN)],
      '2026-01-01T07:00Z',
      '2026-01-01T08:00Z',
      undefined,
    ],
    [
      'summer in Berlin',
      [window('09:00', '17:00', BERLIN)],
      '2026-07-01T06:00Z',
      '2026-07-01T07:00Z',
      undefined,
    ],
    [
      'half an hour off',
      [window('09:00', '17:00', { timeZone: 'Asia/Kolkata' })],
      '2026-01-01T00:00Z',
      '2026-01-01T03:30Z',
      undefined,
    ],
    // At 01:00Z clocks in Berlin go from 02:00 to 03:00.
    [
      'begins in the hour that is left out',
      [window('02:30', '05:00', BERLIN)],
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
      undefined,
    ],
    [
      'lies in the hour that is left out',
      [window('02:10', '02:50', BERLIN)],
      '2026-03-29T00:55Z',
      '2026-03-30T00:10Z',
      undefined,
    ],
    [
      'shorter by the hour that is left out',
      [window('01:00', '04:00', BERLIN)],
      '2026-03-29T00:30Z',
      '2026-03-29T00:30Z',
      '2026-03-29T02:00Z',
    ],
    // At 01:00Z clocks in Berlin go from 03:00 back to 02:00.
    [
      'longer by the hour that comes twice',
      [window('01:00', '04:00', BERLIN)],
      '2026-10-25T00:00Z',
      '2026-10-25T00:00Z',
      '2026-10-25T03:00Z',
    ],
    [
      'opens again in the hour that comes twice',
      [window('02:10', '02:30', BERLIN)],
      '2026-10-25T00:30Z',
      '2026-10-25T01:10Z',
      undefined,
    ],
  ];
  for (const [name, windows, at, opens, closes] of cases) {
    await t.test(name, () => {
      const time = (text: string | undefined) => text && new Date(text).toISOString();
      const now = new Date(at);
      assert.equal(isOpen(windows, now), time(opens) === now.toISOString());
      assert.equal(nextOpening(windows, now)?.toISOString(), time(opens));
      assert.equal(nextClosing(windows, now)?.toISOString(), time(closes));
    });
  }
});

const minute = fc
  .nat(24 * 60 - 1)
  .map((m) => `${`${Math.floor(m / 60)}`.padStart(2, '0')}:${`${m % 60}`.padStart(2, '0')}`);
const anyWindow = fc.record({
  days: fc.subarray([...DAYS]),
  from: minute,
  to: minute,
  timeZone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  ),
});
const time = fc.date({
  min: new Date('2026-01-01'),
  max: new Date('2027-01-01'),
  noInvalidDate: true,
});

test('the next opening is the first open minute', () => {
  fc.assert(
    fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), time, (windows, at) => {
      const opening = nextOpening(windows, at);
      assert.ok(opening && isOpen(windows, opening));
      const wait = opening.getTime() - at.getTime();
      for (let part = 0; part < 50; part++) {
        const earlier = new Date(at.getTime() + Math.floor((wait * part) / 50));
        if (earlier < opening)
          assert.ok(!isOpen(windows, earlier), `open at ${earlier.toISOString()}`);
      }
    }),
    { numRuns: 60 },
  );
});

test('times of day', () => {
  assert.deepEqual(['00:00', '09:30', '23:59'].map(minuteOfDay), [0, 570, 1439]);
  for (const wrong of ['', '24:00', '9:30', '09:60', '09:30 ', 'noon', '09:30:00']) {
    assert.equal(minuteOfDay(wrong), undefined, wrong);
  }
});
