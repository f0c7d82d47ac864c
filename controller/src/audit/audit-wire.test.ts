import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '#proto/gen/skein/v1/audit.ts';
import { desired } from '../testing/desired.ts';
import type { AuditRecord } from './audit-record.ts';
import { auditFromWire, auditToWire } from './audit-wire.ts';

const time = new Date('2026-01-01T00:00:00Z');
const by = { actor: 'alice', reason: 'why' };
const control = {
  generation: 3n,
  cohorts: [],
  note: { ...by, time, what: 'freeze', requestId: 'r' },
};
const transition = { ...by, sequence: 2, time, to: 'paused', step: 1, event: 'pause' } as const;

const RECORDS: readonly AuditRecord[] = [
  { kind: 'key', new: desired() },
  { kind: 'key', old: desired(), new: desired({ generation: 2n, kill: true }) },
  { kind: 'rollout', rollout: 'r1', key: 'k', transition },
  { kind: 'rollout', rollout: 'r1', key: 'k', transition: { ...transition, from: 'running' } },
  { kind: 'control', new: control },
  {
    kind: 'control',
    old: control,
    new: { ...control, generation: 4n, freeze: { ...by, since: time } },
  },
];

test('every kind of record comes back as it was stored', () => {
  for (const record of RECORDS) {
    const bytes = wire.AuditRecord.encode(auditToWire(record)).finish();
    assert.deepEqual(auditFromWire(wire.AuditRecord.decode(bytes)), record);
  }
});

test('a record that says nothing is refused, with the place', () => {
  const cases: [wire.AuditRecord['what'], RegExp][] = [
    [undefined, /^audit\.what: missing/],
    [{ $case: 'key', value: { old: undefined, new: undefined } }, /^audit\.key\.new/],
    [
      { $case: 'rollout', value: { rollout: 'r', key: 'k', transition: undefined } },
      /^audit\.rollout\.transition/,
    ],
    [{ $case: 'control', value: { old: undefined, new: undefined } }, /^audit\.control\.new/],
  ];
  for (const [what, message] of cases) {
    assert.throws(() => auditFromWire({ what }), { code: 'SKEIN_STORE_CORRUPT', message });
  }
});
