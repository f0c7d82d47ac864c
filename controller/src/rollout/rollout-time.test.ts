import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import { Harness } from '../testing/harness.ts';
import { percent } from '../testing/rollout-client.ts';

const KEY = 'net.drop_icmp';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function setup(start: string) {
  const harness = await Harness.start();
  const clock = new ManualClock(start);
  const controller = await harness.controller({}, clock);
  const keys = harness.client(controller);
  await keys.create(KEY);
  const hosts = await harness.hosts(4, KEY);
  await until('hosts are known', async () => (await keys.hosts()).length === 4);
  const rollouts = harness.rollouts(controller);
  return {
    harness,
    clock,
    rollouts,
    on: () => hosts.filter(({ value }) => value).length,
    /**
     * Time leaps, and then goes slowly for two seconds: the leap has cost the controller its lease, which it takes
     * again, and what fell due is done.
     */
    async leap(ms: number): Promise<void> {
      for (const host of hosts) host.heartbeat(HOUR);
      clock.advance(ms);
      for (let i = 0; i < 40; i++) {
        clock.advance(50);
        await delay(1);
      }
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  };
}

test('a start time, then a bake: each is waited for, neither is slept through', async () => {
  await using all = await setup('2026-06-01T08:00:00Z');
  const { rollouts, leap, on, clock } = all;
  const startAt = new Date('2026-06-01T10:00:00Z');
  const steps = [percent(50, { bakeMs: HOUR }), percent(100)];
  const { record } = await rollouts.start({ key: KEY, startAt, steps });
  const { id } = record;
  await until('it says what it waits for', async () => {
    await leap(0);
    const { blocked } = (await rollouts.get(id)).record.state;
    return blocked?.until?.getTime() === startAt.getTime();
  });
  const baking = await rollouts.untilPhase(id, 'baking', () => leap(5 * MINUTE));
  const begun = baking.record.transitions.find(({ event }) => event === 'begin');
  const late = (begun?.time.getTime() ?? 0) - startAt.getTime();
  assert.ok(late >= 0 && late <= 6 * MINUTE, `${late} ms after its start time`);
  assert.equal(on(), 2);
  await rollouts.untilPhase(id, 'completed', () => leap(5 * MINUTE));
  const bakedFor = clock.now().getTime() - (baking.record.state.since.getTime() ?? 0);
  assert.ok(bakedFor >= HOUR);
  assert.equal(on(), 4);
});

test('a window: it begins when one opens, and does not widen when none is open', async () => {
  await using all = await setup('2026-06-01T08:00:00Z');
  const { rollouts, leap, on, clock } = all;
  const { record } = await rollouts.start({
    key: KEY,
    windows: [{ days: [], from: '09:00', to: '17:00', timeZone: 'UTC' }],
    steps: [percent(50, { bakeMs: 9 * HOUR }), percent(100)],
  });
  const { id } = record;
  await rollouts.untilPhase(id, 'baking', () => leap(5 * MINUTE));
  assert.equal(clock.now().getUTCHours(), 9);
  const gating = await rollouts.untilPhase(id, 'gating', () => leap(20 * MINUTE));
  assert.deepEqual(gating.record.state.blocked, {
    reason: 'none of its windows is open',
    until: new Date('2026-06-02T09:00:00Z'),
  });
  assert.equal(on(), 2);
  await rollouts.untilPhase(id, 'completed', () => leap(20 * MINUTE));
  assert.equal(clock.now().toISOString().slice(0, 12), '2026-06-02T0');
  assert.equal(on(), 4);
});

test('a deadline takes all back', async () => {
  await using all = await setup('2026-06-01T08:00:00Z');
  const { rollouts, leap, on } = all;
  const { record } = await rollouts.start({
    key: KEY,
    steps: [percent(50, { bakeMs: HOUR }), percent(100, { bakeMs: HOUR })],
    limits: {
      maxUnavailable: { kind: 'percent', percent: 5 },
      maxFailed: { kind: 'hosts', hosts: 0 },
      ackTimeoutMs: 5 * MINUTE,
      deadlineMs: 2 * HOUR,
    },
  });
  const back = await rollouts.untilPhase(record.id, 'rolled-back', () => leap(5 * MINUTE));
  assert.match(back.record.state.reason, /^not done by 2026-06-01T1/);
  assert.equal(on(), 0);
});
