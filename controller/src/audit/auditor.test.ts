import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#common/log.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import { desired } from '../testing/desired.ts';
import { type AuditRecord, auditId, missingRecords } from './audit-record.ts';
import { Auditor } from './auditor.ts';

const change = desired().change;
const first = desired({ generation: 1n, change: { ...change, action: 'create' } });
const second = desired({ generation: 2n });
const third = desired({ generation: 3n });

test('what is missing, with what was before it', () => {
  const cases: [string[], AuditRecord[]][] = [
    [[], [{ new: first }, { old: first, new: second }, { old: second, new: third }]],
    [[auditId(first), auditId(third)], [{ old: first, new: second }]],
    [[first, second, third].map(auditId), []],
  ];
  for (const [audited, expected] of cases) {
    assert.deepEqual(missingRecords([[first, second, third]], new Set(audited)), expected);
  }
  assert.deepEqual(missingRecords([[third]], new Set()), [{ new: third }], 'older ones are gone');
});

test('a record that cannot be written now is written later', async () => {
  const clock = new ManualClock();
  const written: AuditRecord[] = [];
  let isAway = true;
  const auditor = new Auditor({
    clock,
    logger: createLogger('test', 'silent'),
    histories: () => [[first, second]],
    log: {
      async append(record) {
        if (isAway) throw new Error('away');
        written.push(record);
      },
      list: async () => [],
      idsSince: async () => new Set([auditId(first), ...written.map((r) => auditId(r.new))]),
    },
  });
  await auditor.record(first, second);
  clock.advance(5_000);
  await auditor.reconcile();
  assert.deepEqual(written, []);
  isAway = false;
  clock.advance(5_000);
  await until('written', () => written.length === 1);
  assert.deepEqual(written, [{ old: first, new: second }]);
  await auditor.reconcile();
  assert.equal(written.length, 1);
  auditor.stop();
});
