import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { createLogger } from '#common/log.ts';
import type { Transition } from '#common/rollout/rollout.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import type { Outline } from '../keys/lineage.ts';
import { desired } from '../testing/desired.ts';
import { type AuditRecord, auditId, keyChange } from './audit-record.ts';
import { Auditor } from './auditor.ts';
import type { Histories } from './missing-records.ts';

const { change } = desired();
const first = desired({ generation: 1n, change: { ...change, action: 'create' } });
const second = desired({ generation: 2n });
const third = desired({ generation: 3n });
const frozen = control(4n);
const lifted = control(9n);
const transition: Transition = {
  sequence: 1,
  time: change.time,
  to: 'planned',
  step: 0,
  actor: 'alice',
  event: 'start',
  reason: '',
};

function control(generation: bigint): Control {
  const { actor, reason, time } = change;
  return { generation, cohorts: [], note: { actor, reason, time, what: 'freeze', requestId: '' } };
}

function key(...history: [DesiredState, ...DesiredState[]]): Outline<DesiredState> {
  const claimed = history.map(({ generation }) => generation);
  return { oldest: history[0], claimed, history: () => history };
}

const NONE: Histories = { keys: () => [], rollouts: () => [], control: () => [] };

function setup(histories: Partial<Histories>) {
  const clock = new ManualClock();
  const written: AuditRecord[] = [];
  const world = { isAway: false };
  const auditor = new Auditor({
    clock,
    logger: createLogger('test', 'silent'),
    histories: { ...NONE, ...histories },
    log: {
      async append(record) {
        if (world.isAway) throw new Error('away');
        written.push(record);
      },
      idsSince: async () => new Set(written.map(auditId)),
    },
  });
  return { auditor, clock, written, world };
}

test('what is missing, with what was before it', async () => {
  const keys = () => [key(first, second, third)];
  const cases: [AuditRecord[], AuditRecord[]][] = [
    [[], [keyChange(undefined, first), keyChange(first, second), keyChange(second, third)]],
    [[keyChange(undefined, first), keyChange(second, third)], [keyChange(first, second)]],
    [[keyChange(undefined, first), keyChange(first, second), keyChange(second, third)], []],
  ];
  for (const [audited, expected] of cases) {
    const { auditor, written } = setup({ keys });
    written.push(...audited);
    await auditor.reconcile();
    assert.deepEqual(written.slice(audited.length), expected);
  }
  const { auditor, written } = setup({ keys: () => [key(third)] });
  await auditor.reconcile();
  assert.deepEqual(written, [{ kind: 'key', new: third }], 'older ones are gone');
});

test('a history of which every generation has its record is not looked at', async () => {
  const looked: string[] = [];
  const kept: Outline<DesiredState> = {
    ...key(first, second),
    history: () => {
      looked.push('looked');
      return [first, second];
    },
  };
  const { auditor, written } = setup({ keys: () => [kept] });
  written.push(keyChange(undefined, first), keyChange(first, second));
  await auditor.reconcile();
  assert.deepEqual(looked, []);
  written.pop();
  await auditor.reconcile();
  assert.deepEqual([looked.length, written.length], [1, 2]);
});

test('rollouts by their transitions, and control by its generations, are covered as well', async () => {
  const { auditor, written } = setup({
    control: () => [frozen, lifted],
    rollouts: () => [{ id: 'r1', spec: { key: 'k' }, transitions: [transition] }],
  });
  await auditor.reconcile();
  assert.deepEqual(written, [
    { kind: 'rollout', rollout: 'r1', key: 'k', transition },
    { kind: 'control', new: frozen },
    { kind: 'control', old: frozen, new: lifted },
  ]);
  assert.deepEqual(written.map(auditId), ['rollout:r1:1', 'control:4', 'control:9']);
  await auditor.reconcile();
  assert.equal(written.length, 3);
});

test('how many records are known to be missing', async () => {
  const { auditor, clock, world } = setup({ keys: () => [key(first, second)] });
  assert.equal(auditor.missing, 0);
  world.isAway = true;
  await auditor.record(keyChange(first, second));
  await auditor.record(keyChange(first, second));
  assert.equal(auditor.missing, 1);
  await auditor.reconcile();
  assert.equal(auditor.missing, 2, 'nor was the first one written');
  world.isAway = false;
  clock.advance(5_000);
  await until('written', () => auditor.missing === 0);
  auditor.stop();
});

test('a record that cannot be written now is written later', async () => {
  const { auditor, clock, written, world } = setup({ keys: () => [key(first, second)] });
  await auditor.record(keyChange(undefined, first));
  world.isAway = true;
  await auditor.record(keyChange(first, second));
  clock.advance(5_000);
  await auditor.reconcile();
  assert.equal(written.length, 1);
  world.isAway = false;
  clock.advance(5_000);
  await until('written', () => written.length === 2);
  assert.deepEqual(written[1], keyChange(first, second));
  await auditor.reconcile();
  assert.equal(written.length, 2);
  auditor.stop();
});
