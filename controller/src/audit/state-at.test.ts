import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { desired } from '../testing/desired.ts';
import { type AuditRecord, controlChange, keyChange } from './audit-record.ts';
import { StateAt } from './state-at.ts';

const at = (ms: number) => new Date(ms);
const key = (name: string, generation: bigint, ms: number, more: Partial<DesiredState> = {}) =>
  desired({ name, generation, change: { ...desired().change, time: at(ms) }, ...more });
const control = (generation: bigint, ms: number, more: Partial<Control> = {}): Control => ({
  generation,
  cohorts: [],
  note: { actor: 'a', reason: '', time: at(ms), what: 'x', requestId: '' },
  ...more,
});
const freeze = { actor: 'a', reason: '', since: at(200), until: at(250) };
const killAll = { value: false, actor: 'a', reason: '', since: at(300) };
const RECORDS: readonly AuditRecord[] = [
  keyChange(undefined, key('b', 1n, 100)),
  keyChange(undefined, key('a', 2n, 150)),
  keyChange(undefined, key('b', 3n, 200, { defaultValue: true })),
  controlChange(undefined, control(1n, 200, { freeze })),
  controlChange(undefined, control(2n, 300, { freeze, killAll })),
  keyChange(undefined, key('a', 4n, 300, { deleted: true })),
  // Another controller's clock is behind.
  keyChange(undefined, key('b', 5n, 290, { defaultValue: false })),
];
const stateAt = (ms: number, records = RECORDS) => {
  const state = new StateAt(at(ms));
  for (const record of records) state.take(record);
  return state.result();
};

test('the state at each time: table', () => {
  const cases: [number, [string, bigint][], bigint | undefined][] = [
    [99, [], undefined],
    [100, [['b', 1n]], undefined],
    [
      199,
      [
        ['a', 2n],
        ['b', 1n],
      ],
      undefined,
    ],
    [
      240,
      [
        ['a', 2n],
        ['b', 3n],
      ],
      1n,
    ],
    [
      299,
      [
        ['a', 2n],
        ['b', 5n],
      ],
      1n,
    ],
    [300, [['b', 5n]], 2n],
    [9_000, [['b', 5n]], 2n],
  ];
  for (const [ms, keys, generation] of cases) {
    const state = stateAt(ms);
    assert.deepEqual(
      state.keys.map((found) => [found.name, found.generation]),
      keys,
      `${ms}`,
    );
    assert.equal(state.control?.generation, generation, `${ms}`);
  }
});

test('the freeze and the kill of all keys of then; a freeze that had ended is none', () => {
  assert.deepEqual(stateAt(249).control?.freeze, freeze);
  assert.equal(stateAt(250).control?.freeze, undefined);
  assert.deepEqual(stateAt(300).control?.killAll, killAll);
});

test('the order in which records came in does not matter', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...RECORDS], { minLength: RECORDS.length }),
      fc.integer({ min: 0, max: 400 }),
      (records, ms) => assert.deepEqual(stateAt(ms, records), stateAt(ms)),
    ),
  );
});
