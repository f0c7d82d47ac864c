import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROLLOUTS_BUCKET } from '#proto/subjects.ts';
import { until } from '../../../test/support/until.ts';
import { bucketStream } from '../bus/stores.ts';
import { Harness } from '../testing/harness.ts';
import { percent } from '../testing/rollout-client.ts';

const KEY = 'net.drop_icmp';

test('rules of a rollout whose record is gone are taken out by an abort, and the key is free', async () => {
  await using harness = await Harness.start();
  const first = await harness.controller();
  await harness.client(first).create(KEY);
  const hosts = await harness.hosts(4, KEY);
  await until('hosts', async () => (await harness.client(first).hosts()).length === 4);
  const steps = [percent(50, { hold: true }), percent(100)];
  const { record } = await harness.rollouts(first).start({ key: KEY, steps });
  await harness.rollouts(first).untilPhase(record.id, 'paused');
  await first.stop();
  const jsm = await harness.nc.jetstreamManager();
  await jsm.streams.purge(bucketStream(ROLLOUTS_BUCKET));

  const second = await harness.controller();
  const [keys, rollouts] = [harness.client(second), harness.rollouts(second)];
  await until('hosts', async () => (await keys.hosts()).length === 4);
  const owned = { code: 'SKEIN_KEY_OWNED', message: new RegExp(`rollout ${record.id}`) };
  await assert.rejects(keys.set(KEY, true), owned);
  await assert.rejects(rollouts.start({ key: KEY }), owned);
  await assert.rejects(rollouts.abort(KEY, false), { code: 'SKEIN_ROLLOUT_NOT_FOUND' });
  const aborted = await rollouts.abort(KEY, true);
  assert.deepEqual([aborted.record.id, aborted.record.creator], [record.id, 'alice']);
  const { record: done } = await rollouts.untilPhase(KEY, 'rolled-back');
  assert.deepEqual(
    done.transitions.map(({ actor, event }) => `${event} by ${actor}`),
    ['abort by alice', 'rolled-back by skein'],
  );
  assert.deepEqual((await keys.get(KEY)).desired?.rules, []);
  assert.ok(hosts.every(({ value }) => !value));
  await keys.set(KEY, true);
});
