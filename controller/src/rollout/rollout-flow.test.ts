import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../../test/support/until.ts';
import type { FollowingHost, FollowingHostOptions } from '../testing/following-host.ts';
import { Harness, TOKEN_OF_BOB } from '../testing/harness.ts';
import { percent, type RolloutClient, type ShownRollout } from '../testing/rollout-client.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let keys: TestClient;
let rollouts: RolloutClient;
let bob: RolloutClient;
before(async () => {
  harness = await Harness.start();
  const controller = await harness.controller();
  keys = harness.client(controller);
  rollouts = harness.rollouts(controller);
  bob = harness.rollouts(controller, TOKEN_OF_BOB);
});
after(() => harness[Symbol.asyncDispose]());

/** A key of its own, with hosts of its own that follow it. */
async function fleetOf(name: string, count: number, options?: FollowingHostOptions) {
  const key = `flow.${name}`;
  await keys.create(key);
  const hosts = Array.from({ length: count }, (_, index) =>
    harness.host(`${name}-${index}`, key, options),
  );
  await Promise.all(hosts.map((host) => host.join()));
  await until('hosts are known', async () => (await applied(key)) === count);
  return { key, hosts };
}

async function applied(key: string): Promise<number> {
  const { progress } = await keys.get(key);
  return progress?.hosts.filter(({ phase }) => phase === 2).length ?? 0;
}

const on = (hosts: readonly FollowingHost[]) => hosts.filter(({ value }) => value).length;

test('a completed rollout shows what it reached, whatever becomes of its key', async () => {
  const { key, hosts } = await fleetOf('reached', 4);
  const { record } = await rollouts.start({ key, steps: [percent(50)] });
  await rollouts.untilPhase(record.id, 'completed');
  // From here on nobody acknowledges anything.
  for (const host of hosts) host.isSilent = true;
  await keys.set(key, false);
  const counts = ({ hosts: { eligible, goal, taken, applied, pending } }: ShownRollout) => ({
    eligible,
    goal,
    taken,
    applied,
    pending,
  });
  const reached = { eligible: 4, goal: 2, taken: 2, applied: 2, pending: 0 };
  assert.deepEqual(counts(await rollouts.get(record.id)), reached);
  const [listed] = await rollouts.list(key, true);
  assert.ok(listed);
  assert.deepEqual(counts(listed), reached);
});

test('over 20 hosts it goes in steps to its end, and leaves the key set', async () => {
  const { key, hosts } = await fleetOf('twenty', 20);
  const steps = [percent(10), percent(50), percent(100)];
  const { record } = await rollouts.start({ key, steps });
  assert.match(record.id, /^flow-twenty-[a-z2-9]{4}$/);
  const done = await rollouts.untilPhase(record.id, 'completed');
  assert.equal(on(hosts), 20);
  const widths = (await keys.history(key))
    .toReversed()
    .flatMap(({ rules }) => rules[0]?.rollout?.width ?? []);
  assert.deepEqual(
    widths.filter((width, i) => width !== widths[i - 1]),
    [2, 10, 20],
  );
  for (const host of hosts) assert.deepEqual(host.values, [true], 'no host went back and forth');
  const { desired } = await keys.get(key);
  assert.equal(desired?.defaultValue, true);
  assert.deepEqual(desired.rules, []);

  const { transitions } = done.record;
  assert.deepEqual(
    transitions.map(({ sequence }) => sequence),
    transitions.map((_, i) => i + 1),
  );
  const audited = (await keys.auditList({ key, limit: 1000 })).flatMap(({ what }) =>
    what?.$case === 'rollout' ? [what.value.transition?.sequence] : [],
  );
  assert.deepEqual(
    audited.toReversed(),
    transitions.map(({ sequence }) => sequence),
    'each transition is audited, once',
  );
});

test('an abort gives exactly the hosts that were changed what they had', async () => {
  const { key, hosts } = await fleetOf('abort', 8);
  await keys.set(key, false, { selector: 'host=abort-1' });
  const before = await keys.get(key);
  const { record } = await rollouts.start({
    key,
    steps: [percent(50, { hold: true }), percent(100)],
  });
  const held = await rollouts.untilPhase(record.id, 'paused');
  assert.equal(held.record.state.pause?.cause, 'hold');
  assert.deepEqual([held.hosts.goal, held.hosts.taken, held.hosts.applied], [4, 4, 4]);
  assert.equal(on(hosts), 4);
  await assert.rejects(keys.set(key, false), {
    code: 'SKEIN_KEY_OWNED',
    message: `fleet key "${key}": rollout ${record.id} (paused) owns it`,
  });

  await rollouts.abort(record.id, true);
  const back = await rollouts.untilPhase(record.id, 'rolled-back');
  assert.equal(back.record.state.reason, 'it hurts');
  const { desired } = await keys.get(key);
  assert.deepEqual(desired?.rules, before.desired?.rules);
  assert.equal(desired?.defaultValue, before.desired?.defaultValue);
  const flips = hosts.map(({ values }) => values.length).sort();
  assert.deepEqual(flips, [0, 0, 0, 0, 2, 2, 2, 2], 'nobody else noticed');
  await keys.set(key, true);

  const again = await rollouts.act('retry', record.id);
  assert.equal(again.record.state.phase, 'running');
});

test('a host that fails stops it, and all is taken back', async () => {
  const { key, hosts } = await fleetOf('failing', 6, { fails: (value) => value });
  const { record } = await rollouts.start({ key, steps: [percent(50), percent(100)] });
  const { record: after } = await rollouts.untilPhase(record.id, 'rolled-back');
  assert.match(after.state.reason, /^\d hosts? \(failing-\d.*\) failed, 0 may$/);
  assert.equal(on(hosts), 0);
  assert.deepEqual((await keys.get(key)).desired?.rules, []);
});

test('hosts that join and leave on the way land on the right side', async () => {
  const { key, hosts } = await fleetOf('moving', 10);
  const steps = [percent(50, { hold: true }), percent(100)];
  const { record } = await rollouts.start({ key, steps });
  await rollouts.untilPhase(record.id, 'paused');
  assert.equal(on(hosts), 5);
  const joined = [harness.host('moving-x', key), harness.host('moving-y', key)];
  await Promise.all(joined.map((host) => host.join()));
  await until('they are seen', async () => (await rollouts.get(record.id)).hosts.eligible === 12);
  const leaver = hosts.find(({ value }) => !value);
  assert.ok(leaver);
  leaver.isSilent = true;
  leaver.heartbeat(1);

  await rollouts.act('promote', record.id);
  await rollouts.untilPhase(record.id, 'completed');
  assert.equal(on([...hosts, ...joined]), 11);
  assert.equal(leaver.value, false);
  leaver.wake();
  assert.equal(leaver.value, true, 'it catches up when it comes back');
});

test('a freeze holds it up between two steps; lifted, it goes on', async () => {
  const { key, hosts } = await fleetOf('frozen', 4);
  for (const host of hosts) host.isSilent = true;
  const { record } = await rollouts.start({ key, steps: [percent(50), percent(100)] });
  await until('2 are on the way', async () => (await rollouts.get(record.id)).hosts.pending === 2);
  await keys.freeze('incident 12');
  for (const host of hosts) host.wake();
  const gating = await rollouts.untilPhase(record.id, 'gating');
  assert.match(
    gating.record.state.blocked?.reason ?? '',
    /^frozen by alice since .*: incident 12$/,
  );
  await assert.rejects(rollouts.act('skipStep', record.id), { code: 'SKEIN_FROZEN' });
  await assert.rejects(rollouts.start({ key }), { code: 'SKEIN_FROZEN' });
  assert.equal(on(hosts), 2);
  await keys.unfreeze();
  const done = await rollouts.untilPhase(record.id, 'completed');
  assert.equal(done.record.state.blocked, undefined);
  assert.equal(on(hosts), 4);
});

test('a kill pauses it; revived and resumed, it goes on', async () => {
  const { key, hosts } = await fleetOf('killed', 4);
  for (const host of hosts) host.isSilent = true;
  const { record } = await rollouts.start({ key, steps: [percent(50), percent(100)] });
  await until('2 are on the way', async () => (await rollouts.get(record.id)).hosts.pending === 2);
  await keys.kill(key, false, { reason: 'page 7' });
  const paused = await rollouts.untilPhase(record.id, 'paused');
  assert.deepEqual(
    [paused.record.state.pause?.cause, paused.record.state.pause?.reason],
    ['killed', 'page 7'],
  );
  for (const host of hosts) host.wake();
  for (const action of ['resume', 'promote', 'retry'] as const) {
    await assert.rejects(rollouts.act(action, record.id), { code: 'SKEIN_KEY_KILLED' });
  }
  assert.equal(on(hosts), 0);
  await keys.revive(key);
  assert.equal((await rollouts.get(record.id)).record.state.phase, 'paused');
  await rollouts.act('resume', record.id);
  await rollouts.untilPhase(record.id, 'completed');
  assert.equal(on(hosts), 4);
});

test('it waits for another’s approval', async () => {
  const { key, hosts } = await fleetOf('approved', 2);
  const { record } = await rollouts.start({ key, approvals: 1 });
  await until('it says what it waits for', async () => {
    const { state } = (await rollouts.get(record.id)).record;
    return state.blocked?.reason === 'it has 0 of 1 approvals';
  });
  await assert.rejects(rollouts.act('promote', record.id), { code: 'SKEIN_APPROVAL_REQUIRED' });
  await assert.rejects(rollouts.act('approve', record.id), {
    code: 'SKEIN_APPROVAL_REQUIRED',
    message: /alice started it/,
  });
  assert.equal(on(hosts), 0);
  await bob.act('approve', key);
  await rollouts.untilPhase(record.id, 'completed');
});

test('what operators do to it: pause, resume, skip, promote; each by id or by key', async () => {
  const { key, hosts } = await fleetOf('steered', 10);
  const hour = { bakeMs: 3_600_000 };
  const steps = [percent(10, hour), percent(20, hour), percent(30, hour), percent(100, hour)];
  const { record } = await rollouts.start({ key, steps });
  const { id } = record;
  const baking = await rollouts.untilPhase(key, 'baking');
  const paused = await rollouts.act('pause', key, { etag: baking.etag });
  assert.ok((paused.record.state.pause?.bakeLeftMs ?? 0) > 3_500_000);
  await assert.rejects(rollouts.act('resume', id, { etag: baking.etag }), {
    code: 'SKEIN_CONFLICT',
  });
  await rollouts.act('resume', id, { etag: paused.etag });
  await rollouts.act('skipStep', id);
  await until('step 2', async () => on(hosts) === 2);
  await rollouts.untilPhase(id, 'baking');
  await rollouts.act('promote', id);
  await until('step 3', async () => on(hosts) === 3);
  await assert.rejects(rollouts.act('retry', id), { code: 'SKEIN_ROLLOUT_PHASE' });
  await rollouts.act('promote', id, { all: true });
  await rollouts.untilPhase(id, 'completed');
  assert.equal(on(hosts), 10);
});
