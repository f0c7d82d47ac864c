import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { until } from '../../../test/support/until.ts';
import { Harness } from '../testing/harness.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

test('what the fleet was told at a time; a flag with a time to live, over a restart', async () => {
  await using harness = await Harness.start();
  const clock = new ManualClock();
  const at = [clock.now()];
  const next = () => {
    clock.advance(HOUR);
    at.push(clock.now());
  };
  const first = await harness.controller({}, clock);
  const client = harness.client(first);
  next();
  const made = await client.create('flag');
  await client.create('other');
  next();
  await client.freeze('stop');
  next();
  await client.unfreeze();
  await client.killAll(true);
  await client.reviveAll();
  await client.delete('other');
  const day = 24 * HOUR;
  const set = await client.set('flag', true, { ttlMs: day, selector: 'a=b' });
  assert.equal(set.desired?.expiry?.at?.getTime(), clock.now().getTime() + day);
  next();
  await first.stop();

  clock.advance(day - HOUR - 30_000);
  const second = await harness.controller({}, clock);
  const later = harness.client(second);
  await harness.untilDrives(second, () => clock.advance(20));
  const reverted = await until('reverted', async () => {
    clock.advance(SECOND / 2);
    const { desired } = await later.get('flag');
    return desired?.expiry ? undefined : desired;
  });
  assert.deepEqual([reverted.rules, reverted.change?.actor], [[], 'skein']);
  const due = set.desired?.expiry?.at?.getTime() ?? Number.NaN;
  assert.ok((reverted.change?.time?.getTime() ?? 0) >= due);
  next();

  const seen = await Promise.all(at.map((time) => later.stateAt(time)));
  assert.deepEqual(
    seen.map(({ keys }) => keys.map(({ name, rules }) => `${name} ${rules.length}`)),
    [[], ['flag 0', 'other 0'], ['flag 0', 'other 0'], ['flag 1'], ['flag 1'], ['flag 0']],
  );
  assert.deepEqual(
    seen.map(({ control }) => control?.freeze?.reason),
    [undefined, undefined, 'stop', undefined, undefined, undefined],
  );
  assert.equal(seen[0]?.control, undefined);
  const one = await later.stateAt(at[2], 'other');
  assert.deepEqual([one.keys.length, one.control?.freeze?.actor], [1, 'alice']);
  assert.deepEqual((await later.stateAt(at[1])).keys[0], made.desired);
  await assert.rejects(later.stateAt(undefined), {
    code: 'SKEIN_INVALID_ARGUMENT',
    message: 'time: missing',
  });
  await assert.rejects(later.stateAt(at[0], '>'), { code: 'SKEIN_INVALID_ARGUMENT' });
});

test('a freeze holds up a time to live; what is set for good stays', async () => {
  await using harness = await Harness.start();
  const clock = new ManualClock();
  const controller = await harness.controller({}, clock);
  const client = harness.client(controller);
  await harness.untilDrives(controller, () => clock.advance(20));
  for (const name of ['early', 'held', 'kept']) await client.create(name);
  await client.set('early', true, { ttlMs: SECOND });
  await client.set('held', true, { ttlMs: 60 * SECOND });
  await client.set('kept', true, { ttlMs: SECOND });
  await client.set('kept', true);
  const isOn = async (name: string) => (await client.get(name)).desired?.defaultValue;
  const untilReverted = (name: string) =>
    until(`${name} is reverted`, async () => {
      clock.advance(SECOND / 2);
      return !(await isOn(name));
    });
  await untilReverted('early');
  await client.freeze();
  for (let second = 0; second < 90; second++) {
    clock.advance(SECOND);
    assert.equal(await isOn('held'), true);
  }
  await client.unfreeze();
  await untilReverted('held');
  assert.equal(await isOn('kept'), true);
  for (const ttlMs of [1, SECOND - 1, 30 * 24 * HOUR + 1]) {
    await assert.rejects(client.set('kept', true, { ttlMs }), {
      code: 'SKEIN_INVALID_ARGUMENT',
      message: /^ttl_ms: /,
    });
  }
});
