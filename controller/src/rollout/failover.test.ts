import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import type { Controller } from '../main.ts';
import type { FollowingHost } from '../testing/following-host.ts';
import { Harness, holdsLease } from '../testing/harness.ts';
import { percent } from '../testing/rollout-client.ts';

const KEY = 'net.drop_icmp';
const on = (hosts: readonly FollowingHost[]) => hosts.filter(({ value }) => value).length;
const manualClock = () => new ManualClock(new Date().toISOString());

/** A key with so many hosts, all of which the controller knows. */
async function fleet(harness: Harness, controller: Pick<Controller, 'address'>, count: number) {
  const keys = harness.client(controller);
  await keys.create(KEY);
  const hosts = await harness.hosts(count, KEY);
  await until('hosts are known', async () => (await keys.hosts()).length === count);
  return { keys, hosts };
}

/** The controller as a process of its own, which can be killed. */
async function spawnController(harness: Harness) {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const config = harness.configFile({ log: '{ level: info }' });
  const child = spawn(process.execPath, [main, '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  try {
    const { grpc, metrics } = await until(
      'the process is ready',
      () => {
        const line = stderr.split('\n').find((text) => text.includes('"msg":"ready"'));
        return line && JSON.parse(line);
      },
      START_MS,
    );
    const served = { address: String(grpc), metricsUrl: String(metrics) };
    return { ...served, kill, [Symbol.asyncDispose]: kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** A whole process starts, perhaps beside many others. */
const START_MS = 60_000;

test('the driver is killed in the middle: another one finishes what it began', async () => {
  await using harness = await Harness.start();
  await using killed = await spawnController(harness);
  await harness.untilDrives(killed);
  const clock = manualClock();
  const other = await harness.controller({}, clock);
  const { hosts } = await fleet(harness, other, 10);
  const doomed = harness.rollouts(killed);
  const { record } = await doomed.start({
    key: KEY,
    steps: [percent(20, { hold: true }), percent(100)],
  });
  await doomed.untilPhase(record.id, 'paused');
  for (const host of hosts) host.isSilent = !host.value;
  await doomed.act('promote', record.id);
  const rollouts = harness.rollouts(other);
  await until('the last step is on the way', async () => {
    const { state } = (await rollouts.get(record.id)).record;
    return state.step === 1 && state.width === 10;
  });
  assert.equal(await holdsLease(other), false);
  await killed.kill();
  for (const host of hosts) host.wake();
  const done = await rollouts.untilPhase(record.id, 'completed', () => clock.advance(500));
  assert.equal(on(hosts), 10);
  assert.equal(done.record.epoch, 2n);
  for (const host of hosts) assert.deepEqual(host.values, [true]);
  const { transitions } = done.record;
  assert.deepEqual(
    transitions.map(({ sequence }) => sequence),
    transitions.map((_, i) => i + 1),
  );
});

test('of two, one drives, also what was started on the other; stopped, it hands over at once', async () => {
  await using harness = await Harness.start();
  const one = await harness.controller();
  await harness.untilDrives(one);
  const two = await harness.controller();
  const { hosts } = await fleet(harness, two, 4);
  const rollouts = harness.rollouts(two);
  const { record } = await rollouts.start({
    key: KEY,
    steps: [percent(50, { hold: true }), percent(100)],
  });
  const held = await rollouts.untilPhase(record.id, 'paused');
  assert.equal(held.record.epoch, 1n);
  assert.equal(held.hosts.applied, 2, 'who does not drive counts hosts all the same');
  assert.deepEqual([await holdsLease(one), await holdsLease(two)], [true, false]);
  const stopped = Date.now();
  await one.stop();
  await harness.untilDrives(two);
  assert.ok(Date.now() - stopped < 5_000, 'long before the lease would have run out');
  await rollouts.act('promote', record.id);
  const done = await rollouts.untilPhase(record.id, 'completed');
  assert.equal(done.record.epoch, 2n);
  assert.equal(on(hosts), 4);
});

test('a driver whose time stands still thinks it holds the lease: nothing that it writes is taken', async () => {
  await using harness = await Harness.start();
  const stuckClock = manualClock();
  const stuck = await harness.controller({}, stuckClock);
  await harness.untilDrives(stuck, () => stuckClock.advance(1));
  const clock = manualClock();
  const other = await harness.controller({}, clock);
  const { keys, hosts } = await fleet(harness, other, 4);
  for (const host of hosts) host.isSilent = true;
  const rollouts = harness.rollouts(other);
  const { record } = await rollouts.start({ key: KEY, steps: [percent(50), percent(100)] });
  await until('2 are on the way', async () => {
    stuckClock.advance(5);
    return (await rollouts.get(record.id)).record.state.width === 2;
  });
  await harness.untilDrives(other, () => clock.advance(500));
  await until('and has written', async () => {
    clock.advance(50);
    return (await rollouts.get(record.id)).record.epoch === 2n;
  });
  assert.equal(await holdsLease(stuck), true, 'so it thinks');
  const before = await keys.get(KEY);
  const sequence = (await rollouts.get(record.id)).record.transitions.length;

  // Its acks are the stuck driver's to see, and what it then wants is to go on.
  for (const host of hosts) host.wake();
  const seen = harness.client(stuck);
  await until('the stuck one knows of the acks', async () =>
    (await seen.get(KEY)).progress?.hosts.every(({ phase }) => phase === 2),
  );
  for (let i = 0; i < 40; i++) {
    stuckClock.advance(10);
    await seen.list();
  }
  assert.equal((await keys.get(KEY)).etag, before.etag);
  assert.equal((await rollouts.get(record.id)).record.transitions.length, sequence);
  const done = await rollouts.untilPhase(record.id, 'completed', () => clock.advance(50));
  assert.equal(done.record.epoch, 2n);
  assert.equal((await keys.get(KEY)).desired?.fence, 2n);
});

test('nats-server killed and restarted in the middle: the rollout goes on', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const { hosts } = await fleet(harness, controller, 4);
  for (const host of hosts) host.isSilent = true;
  const rollouts = harness.rollouts(controller);
  const { record } = await rollouts.start({ key: KEY, steps: [percent(50), percent(100)] });
  await until('2 are on the way', async () => (await rollouts.get(record.id)).hosts.pending === 2);
  await harness.nats.kill();
  await harness.nats.restart();
  await until('hosts are connected again', async () =>
    harness.nc.flush().then(
      () => true,
      () => false,
    ),
  );
  for (const host of hosts) host.wake();
  const wakeAll = () => {
    for (const host of hosts) host.status();
  };
  await rollouts.untilPhase(record.id, 'completed', wakeAll);
  assert.equal(on(hosts), 4);
});
