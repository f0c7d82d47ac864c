import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import {
  gate,
  hostsStep,
  MINUTE,
  percentStep,
  rolloutRecord,
  rolloutSpec,
} from '../testing/rollouts.ts';
import { Simulation } from '../testing/simulation.ts';
import { step } from './step.ts';

const by = { actor: 'bob', reason: 'because' };
const { limits } = rolloutSpec();

/** Ten hosts; nothing has begun. */
function given(more: Partial<RolloutSpec> = {}, record: Partial<RolloutRecord> = {}): Simulation {
  const world = new Simulation(rolloutRecord({}, rolloutSpec(more), record), {});
  for (let i = 0; i < 10; i++) world.join(`h${i}`, {});
  return world;
}

function begun(more: Partial<RolloutSpec> = {}): Simulation {
  const world = given(more);
  world.feed({ kind: 'tick' });
  world.seeHosts();
  world.carryOut();
  return world;
}

function on({ key }: Simulation): boolean {
  return key.rules.length === 0 ? key.defaultValue : key.rules.some(({ value }) => value);
}

function decided({ record }: Simulation): string[] {
  return record.transitions.map(({ event, actor }) =>
    actor === 'skein' ? event : `${event} by ${actor}`,
  );
}

function refusedAs({ refusal }: ReturnType<Simulation['feed']>): string | undefined {
  return refusal && `${refusal.code}: ${refusal.message}`;
}

test('a good rollout goes through its steps by itself, and the key is on for all', () => {
  const world = given();
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
  assert.deepEqual([world.key.rules, world.key.defaultValue], [[], true]);
  assert.deepEqual(decided(world), [
    'start by alice',
    'begin',
    'reached',
    'baked',
    'passed',
    'reached',
    'baked',
    'passed',
    'settle',
    'completed',
  ]);
});

test('what blocks a rollout is no matter once it is given up', () => {
  const world = begun();
  world.feed({ kind: 'blocked', block: { reason: 'frozen' } });
  assert.equal(world.record.state.blocked?.reason, 'frozen');
  world.feed({ kind: 'abort', ...by, rollback: true });
  assert.equal(world.record.state.phase, 'aborted');
  assert.equal(world.record.state.blocked, undefined);
  world.feed({ kind: 'blocked', block: { reason: 'the key cannot be changed' } });
  assert.notEqual(world.record.state.blocked, undefined, 'a roll-back may fail');
  world.calm(1);
  assert.equal(world.record.state.phase, 'rolled-back');
  assert.equal(world.record.state.blocked, undefined);
  const waiting = given();
  waiting.feed({ kind: 'blocked', block: { reason: 'no window' } });
  waiting.feed({ kind: 'abort', ...by, rollback: true });
  assert.equal(waiting.record.state.blocked, undefined);
});

test('a clock that is set back during a pause does not bring the deadline nearer', () => {
  const world = begun({ limits: { ...limits, deadlineMs: 60 * MINUTE } });
  const { deadlineAt } = world.record.state;
  assert.ok(deadlineAt);
  world.feed({ kind: 'pause', ...by });
  const earlier = new Date(world.now.getTime() - 30 * MINUTE);
  const { record } = step(world.record, { kind: 'resume', ...by }, earlier);
  assert.deepEqual(record.state.deadlineAt, deadlineAt);
});

test('a bad gate rolls back what was changed, and says why', () => {
  const world = begun();
  for (const name of world.hosts.keys()) world.acknowledge(name, 'applied');
  world.seeHosts();
  world.feed({ kind: 'tick' });
  world.carryOut('failure');
  assert.equal(world.record.state.reason, 'gate loss: for a test');
  assert.ok(world.record.state.rollingBack && on(world));
  world.calm(1);
  assert.equal(world.record.state.phase, 'rolled-back');
  assert.deepEqual([world.key.rules, world.key.defaultValue], [[], false]);
});

test('with on_failure pause, a bad gate pauses; resumed, it is measured anew', () => {
  const world = begun({ onFailure: 'pause' });
  for (const name of world.hosts.keys()) world.acknowledge(name, 'applied');
  world.seeHosts();
  world.feed({ kind: 'tick' });
  world.carryOut('failure');
  assert.equal(world.record.state.pause?.cause, 'failure');
  world.feed({ kind: 'resume', ...by });
  assert.equal(world.record.state.gates[0]?.verdict, 'open');
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
});

test('a host that fails is one too many; retried, a rolled-back rollout starts over', () => {
  const world = begun();
  const [first = ''] = world.hosts.keys();
  for (const name of world.hosts.keys()) world.acknowledge(name, 'failed');
  world.seeHosts();
  assert.match(world.record.state.reason, /^5 hosts \(.+, \.\.\.\) failed, 0 may$/);
  world.carryOut();
  for (const name of world.hosts.keys())
    world.acknowledge(name, name === first ? 'failed' : 'applied');
  world.seeHosts();
  assert.equal(world.record.state.phase, 'aborted', 'one host did not go back');
  world.acknowledge(first, 'applied');
  world.seeHosts();
  assert.equal(world.record.state.phase, 'rolled-back');
  world.feed({ kind: 'retry', ...by });
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
});

test('hosts that fall silent pause it', () => {
  const world = begun({ limits: { ...limits, maxUnavailable: { kind: 'hosts', hosts: 1 } } });
  for (const name of world.hosts.keys()) world.fallSilent(name);
  world.seeHosts();
  assert.equal(world.record.state.pause?.cause, 'unavailable');
});

test('hosts that do not acknowledge pause it in time', () => {
  const world = begun();
  world.pass(limits.ackTimeoutMs - 1);
  assert.equal(world.seeHosts().record.state.phase, 'running');
  world.pass(1);
  assert.equal(world.seeHosts().record.state.pause?.cause, 'missing-acks');
});

test('without a host to change it does not succeed', () => {
  const world = new Simulation(rolloutRecord(), {});
  world.calm(20);
  assert.equal(world.record.state.pause?.cause, 'missing-acks');
});

test('no more hosts are on the way than may be', () => {
  const three = { kind: 'hosts', hosts: 3 } as const;
  const world = begun({ steps: [hostsStep(10)], limits: { ...limits, maxConcurrent: three } });
  const widths = [world.record.state.width];
  for (let round = 0; round < 10; round++) {
    for (const name of world.hosts.keys()) world.acknowledge(name, 'applied');
    world.seeHosts();
    world.carryOut();
    widths.push(world.record.state.width);
  }
  assert.deepEqual([...new Set(widths)], [3, 6, 9, 10]);
});

test('paused in each phase, it goes back to it with what was left of the bake', () => {
  const world = given({
    steps: [
      percentStep(50, { bakeMs: 10 * MINUTE, gates: [gate({ count: 20, intervalMs: MINUTE })] }),
    ],
  });
  const seen: string[] = [];
  for (let minute = 0; minute < 20; minute++) {
    const { phase } = world.record.state;
    const left = world.record.state.bakeUntil?.getTime() ?? 0;
    const at = world.now.getTime();
    world.feed({ kind: 'pause', ...by });
    world.pass(MINUTE);
    world.feed({ kind: 'tick' });
    world.seeHosts();
    assert.equal(world.record.state.phase, 'paused');
    world.feed({ kind: 'resume', ...by });
    assert.equal(world.record.state.phase, phase);
    if (left > 0)
      assert.equal(
        (world.record.state.bakeUntil?.getTime() ?? 0) - world.now.getTime(),
        Math.max(0, left - at),
      );
    seen.push(phase);
    world.calm(1);
  }
  assert.deepEqual([...new Set(seen)], ['planned', 'running', 'baking', 'gating']);
});

test('a deadline stands still while paused, then rolls back', () => {
  const world = begun({ limits: { ...limits, deadlineMs: 3 * MINUTE } });
  world.feed({ kind: 'pause', ...by });
  world.pass(60 * MINUTE);
  world.feed({ kind: 'tick' });
  world.feed({ kind: 'resume', ...by });
  world.pass(3 * MINUTE - 1);
  assert.equal(world.feed({ kind: 'tick' }).record.state.phase, 'running');
  world.pass(1);
  assert.equal(world.feed({ kind: 'tick' }).record.state.rollingBack, true);
});

test('a hold waits to be promoted; promoted with all, nothing waits any more', () => {
  const steps = [
    percentStep(20, { hold: true }),
    percentStep(50, { hold: true }),
    percentStep(100, { hold: true }),
  ];
  const world = given({ steps });
  world.calm(20);
  assert.deepEqual([world.record.state.pause?.cause, world.record.state.step], ['hold', 0]);
  world.feed({ kind: 'promote', ...by, all: false });
  world.calm(20);
  assert.deepEqual([world.record.state.pause?.cause, world.record.state.step], ['hold', 1]);
  world.feed({ kind: 'promote', ...by, all: true });
  world.calm(4);
  assert.equal(world.record.state.phase, 'completed');
  assert.equal(world.key.defaultValue, true);
});

test('a kill pauses it, and it goes on when it is resumed', () => {
  const world = begun();
  world.feed({ kind: 'killed', ...by });
  assert.equal(world.record.state.pause?.cause, 'killed');
  world.feed({ kind: 'resume', ...by });
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
});

test('while the line is stopped nothing starts, widens or goes on; lifted, it does', () => {
  const world = given();
  const frozen = { kind: 'blocked', block: { reason: 'a freeze' } } as const;
  world.feed(frozen);
  world.calm(3);
  assert.equal(world.record.state.phase, 'planned');
  world.feed({ kind: 'blocked' });
  world.calm(2);
  world.feed(frozen);
  world.calm(10);
  assert.deepEqual([world.record.state.phase, world.record.state.width], ['gating', 5]);
  world.feed({ kind: 'blocked' });
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
});

test('approvals: not one’s own, only of those who may, and not for ever', () => {
  const approval = { required: 2, approvers: ['bob', 'carol'], validMs: 10 * MINUTE };
  const world = given({}, { approval });
  assert.equal(
    refusedAs(world.feed({ kind: 'approve', actor: 'alice' })),
    'SKEIN_APPROVAL_REQUIRED: rollout r1: alice started it, and nobody approves a rollout of their own',
  );
  assert.equal(
    refusedAs(world.feed({ kind: 'approve', actor: 'dave' })),
    'SKEIN_APPROVAL_REQUIRED: rollout r1: dave is none of its approvers, bob, carol',
  );
  world.feed({ kind: 'blocked', block: { reason: 'it has 0 of 2 approvals' } });
  world.feed({ kind: 'approve', actor: 'bob' });
  assert.equal(world.record.state.blocked?.reason, 'it has 1 of 2 approvals');
  world.feed({ kind: 'approve', actor: 'bob' });
  world.feed({ kind: 'blocked' });
  world.pass(10 * MINUTE);
  world.feed({ kind: 'approve', actor: 'carol' });
  world.feed({ kind: 'tick' });
  const promoted = world.feed({ kind: 'promote', ...by, all: true });
  assert.equal(
    refusedAs(promoted),
    'SKEIN_APPROVAL_REQUIRED: rollout r1 has 1 of 2 approvals; expired: bob',
  );
  world.feed({ kind: 'blocked', block: { reason: 'frozen' } });
  world.feed({ kind: 'approve', actor: 'bob' });
  assert.equal(world.record.state.blocked?.reason, 'frozen');
  world.feed({ kind: 'blocked' });
  world.calm(10);
  assert.equal(world.record.state.phase, 'completed');
});

test('a gate that never saw data does not pass', () => {
  const gates = [gate({ onNoData: 'ignore', count: 2 })];
  const world = begun({ steps: [percentStep(100, { gates })] });
  for (let minute = 0; minute < 4; minute++) {
    for (const name of world.hosts.keys()) world.acknowledge(name, 'applied');
    world.seeHosts();
    world.feed({ kind: 'tick' });
    const measurement = { outcome: 'no-data', time: world.now, detail: 'no series' } as const;
    world.feed({ kind: 'measured', step: 0, gate: 0, measurement });
    world.pass(MINUTE);
  }
  assert.equal(world.record.state.pause?.cause, 'gate-no-data');
});

test('a refusal says where it stands and what to do; nothing changes', () => {
  const world = begun();
  const before = world.record;
  const { refusal, record } = world.feed({ kind: 'resume', ...by });
  assert.equal(
    refusal?.line,
    'SKEIN_ROLLOUT_PHASE: rollout r1 is running step 1: there is nothing to resume. Only a paused rollout is resumed.',
  );
  assert.equal(record, before);
});
