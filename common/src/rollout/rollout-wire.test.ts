import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/rollout.ts';
import { recordFromWire, recordToWire } from './rollout-wire.ts';
import { anyRecord } from './testing/any-rollout.ts';

test('a rollout goes over the wire and comes out as it was', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const bytes = wire.RolloutRecord.encode(recordToWire(record)).finish();
      assert.deepEqual(recordFromWire(wire.RolloutRecord.decode(bytes)), record);
    }),
  );
});

test('what is missing, unknown or out of range is refused by name', () => {
  const [sample] = fc.sample(anyRecord, 1);
  assert.ok(sample);
  const good = recordToWire(sample);
  const { state } = good;
  assert.ok(state);
  const cases: [Partial<wire.RolloutRecord>, RegExp][] = [
    [{ spec: undefined }, /^rollout\.spec: missing/],
    [{ state: undefined }, /^rollout\.state: missing/],
    [{ createdAt: new Date(Number.NaN) }, /^rollout\.created_at: out of range/],
    [{ approval: undefined }, /^rollout\.approval: missing/],
    [{ state: { ...state, phase: 0 } }, /^state\.phase: unknown enum value 0/],
    [{ state: { ...state, bakeUntil: new Date(Number.NaN) } }, /^state\.bakeUntil: out of range/],
    [
      { state: { ...state, pause: { cause: 1, reason: '', from: 5, bakeLeftMs: 0 } } },
      /^pause\.from: unknown enum value 5/,
    ],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => recordFromWire({ ...good, ...wrong }), {
      code: 'SKEIN_STORE_CORRUPT',
      message,
    });
  }
});

test('any bytes are read or refused; what is read can be written again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      let read: ReturnType<typeof recordFromWire>;
      try {
        read = recordFromWire(wire.RolloutRecord.decode(bytes));
      } catch {
        return;
      }
      wire.RolloutRecord.encode(recordToWire(read)).finish();
    }),
    { numRuns: 2_000 },
  );
});
