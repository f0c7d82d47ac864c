import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealDesired } from '#common/envelope.ts';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { DesiredKey, SignedEnvelope } from '#proto/gen/skein/v1/desired.ts';
import { HostState } from '#proto/gen/skein/v1/fleet.ts';
import {
  CONTROL_BUCKET,
  heartbeatSubject,
  KEYS_BUCKET,
  ROLLOUTS_BUCKET,
  statusSubject,
} from '#proto/subjects.ts';
import { until } from '../../test/support/until.ts';
import { bucketStream } from './bus/stores.ts';
import { desired } from './testing/desired.ts';
import { FakeHost } from './testing/fake-host.ts';
import { Harness } from './testing/harness.ts';

test('values in the bucket that this controller did not sign are never served or built upon', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  const bucket = await harness.nc.jetstream().views.kv(KEYS_BUCKET);
  const first = await client.create('honest');
  await client.create('other');
  const original = (await bucket.get('honest'))?.value ?? new Uint8Array();
  await client.set('honest', true);
  const metric = async () => (await fetch(`${controller.metricsUrl}/metrics`)).text();
  const rejected = (reason: string, count: number) =>
    until(`${count} ${reason}`, async () =>
      (await metric()).includes(`{kind="desired",reason="${reason}"} ${count}\n`),
    );

  const stranger = signerFromSeed(generateSeed());
  await bucket.put('honest', sealDesired(desired({ name: 'honest', generation: 99n }), stranger));
  await rejected('unverified', 1);
  await bucket.put('honest', 'no envelope');
  await rejected('unverified', 2);
  await bucket.delete('honest');
  await rejected('unverified', 3);
  await bucket.put('honest', (await bucket.get('other'))?.value ?? '');
  await rejected('wrong_key', 1);
  await bucket.put('honest', original);
  await rejected('replayed', 1);
  await bucket.put('made.up', sealDesired(desired({ name: 'made.up', generation: 1n }), stranger));
  await rejected('unverified', 4);

  const check = async (through: typeof client) => {
    const state = (await through.get('honest')).desired;
    assert.equal(state?.defaultValue, true);
    assert.equal((await through.history('honest')).length, 2);
    await assert.rejects(through.get('made.up'), { code: 'SKEIN_KEY_NOT_FOUND' });
  };
  await check(client);
  await check(harness.client(await harness.controller()));

  const healed = await client.set('honest', false);
  assert.ok((healed.desired?.generation ?? 0n) > (first.desired?.generation ?? 0n) + 4n);
  const stored = SignedEnvelope.decode((await bucket.get('honest'))?.value ?? new Uint8Array());
  assert.equal(stored.signer, harness.signer.publicKey);
  assert.deepEqual(DesiredKey.decode(stored.payload), healed.desired);
});

test('a generation that was stored without its audit record, by a crash, gets it at the next start', async () => {
  await using harness = await Harness.start();
  const first = await harness.controller();
  const client = harness.client(first);
  const created = await client.create('crashed');
  await first.stop();
  const bucket = await harness.nc.jetstream().views.kv(KEYS_BUCKET);
  const revision = (await bucket.get('crashed'))?.revision ?? 0;
  const state = desired({
    name: 'crashed',
    generation: BigInt(revision) + 1n,
    change: { ...desired().change, time: new Date() },
  });
  await bucket.put('crashed', sealDesired(state, harness.signer), { previousSeq: revision });

  const next = harness.client(await harness.controller());
  const later = await next.set('crashed', false);
  const records = await next.auditedKey('crashed');
  assert.deepEqual(
    records.map((record) => record.new?.generation),
    [later.desired?.generation, state.generation, created.desired?.generation],
  );
  assert.deepEqual(records[1]?.old, created.desired);
  assert.equal(records[1]?.new?.change?.reason, state.change.reason);
});

test('what another controller did while this one could not hear it is found', async () => {
  await using harness = await Harness.start();
  const one = harness.client(await harness.controller());
  const two = harness.client(await harness.controller());
  await one.create('shared');
  const seen = await until('two sees it', () => two.get('shared').catch(() => undefined));
  // One client, two controllers, no waiting in between.
  const set = await one.set('shared', true, { etag: seen.etag });
  await assert.rejects(two.set('shared', false, { etag: seen.etag }), { code: 'SKEIN_CONFLICT' });
  const on = await two.set('shared', false, { etag: set.etag });
  assert.equal(on.desired?.defaultValue, false);
  await one.create('brand.new');
  await two.set('brand.new', true);
});

test('nats-server killed and restarted: reads go on, writes fail at once, then all is as before', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  const other = harness.client(await harness.controller());
  await client.create('durable', { defaultValue: true });
  await until('other sees it', () => other.get('durable').catch(() => undefined));
  const readyz = async () => (await fetch(`${controller.metricsUrl}/readyz`)).status;
  assert.equal(await readyz(), 200);

  await harness.nats.kill();
  await until('not ready', async () => (await readyz()) === 503);
  assert.equal((await client.get('durable')).desired?.defaultValue, true);
  const started = Date.now();
  await assert.rejects(client.set('durable', false), {
    code: 'SKEIN_NATS_UNAVAILABLE',
    message: 'the controller has no connection to NATS',
  });
  assert.ok(Date.now() - started < 2_000, 'the write failed at once');

  await harness.nats.restart();
  await until('ready again', async () => (await readyz()) === 200, 30_000);
  const set = await until(
    'a write goes through',
    () => client.set('durable', false, { requestId: 'after' }).catch(() => undefined),
    30_000,
  );
  assert.equal((await client.history('durable')).length, 2);
  await until(
    'the other controller hears of it over its new watch',
    async () => (await other.get('durable')).etag === set.etag,
    30_000,
  );
});

test('a controller stops at once also while NATS is away and there is something left to store', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  new FakeHost(harness.nc, 'unsaved').heartbeat();
  await until('reported', async () => (await client.hosts()).length === 1);
  await harness.nats.kill();
  const started = Date.now();
  await controller.stop();
  assert.ok(Date.now() - started < 6_000, `${Date.now() - started} ms`);
});

test('a restarted controller knows keys and hosts; hosts are lost until they are heard', async () => {
  await using harness = await Harness.start();
  const first = await harness.controller();
  const client = harness.client(first);
  const key = await client.create('kept');
  const host = new FakeHost(harness.nc, 'a.example', { zone: 'a' }, ['kept']);
  host.heartbeat();
  await until('reported', async () => (await client.hosts()).length === 1);
  host.ack('kept', key.desired?.generation ?? 0n, false);
  await until('synced', async () => (await client.host(host.name)).state === HostState.SYNCED);
  await first.stop();

  const next = harness.client(await harness.controller());
  const stored = await next.host(host.name);
  assert.equal(stored.state, HostState.LOST);
  assert.equal(stored.lastSeen, undefined, 'nobody knows when');
  assert.deepEqual(stored.status?.labels, { zone: 'a' });
  assert.equal(stored.status?.keys[0]?.generation, key.desired?.generation);
  const asked = host.statusRequests;
  host.heartbeat();
  await until('heard', async () => (await next.host(host.name)).state === HostState.SYNCED);
  assert.equal(host.statusRequests, asked, 'the digest agreed, nothing had to be asked');
});

test('a host may speak only for itself, and nonsense is ignored', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  const honest = new FakeHost(harness.nc, 'honest', { zone: 'a' });
  honest.heartbeat();
  await until('reported', async () => (await client.hosts()).length === 1);
  const liar = new FakeHost(harness.nc, 'liar');
  const { HostStatus } = await import('#proto/gen/skein/v1/observed.ts');
  const { reportToWire } = await import('#common/observed-wire.ts');
  const forged = HostStatus.encode(reportToWire({ ...liar.report, host: 'honest' })).finish();
  harness.nc.publish(statusSubject('liar'), forged);
  harness.nc.publish(heartbeatSubject('liar'), 'nonsense');
  liar.heartbeat(0);
  const text = async () => (await fetch(`${controller.metricsUrl}/metrics`)).text();
  await until('counted', async () => {
    const metrics = await text();
    return (
      metrics.includes('{kind="status",reason="wrong_host"} 1\n') &&
      metrics.includes('{kind="heartbeat",reason="malformed"} 2\n')
    );
  });
  assert.deepEqual((await client.host('honest')).status?.labels, { zone: 'a' });
  assert.equal((await client.hosts()).length, 1);
});

test('JetStream has no room: the write is refused as such, and changes nothing', async () => {
  await using harness = await Harness.start();
  const client = harness.client(await harness.controller());
  const before = await client.create('full');
  const jsm = await harness.nc.jetstreamManager();
  const { config, state } = await jsm.streams.info(bucketStream(KEYS_BUCKET));
  await jsm.streams.update(config.name, { ...config, max_bytes: state.bytes + 1 });
  await assert.rejects(client.set('full', true), {
    code: 'SKEIN_STORE_REFUSED',
    message: 'fleet key "full": JetStream refused the write (maximum bytes exceeded)',
  });
  assert.deepEqual((await client.get('full')).desired, before.desired);
  await jsm.streams.update(config.name, { ...config, max_bytes: -1 });
  assert.equal((await client.set('full', true)).desired?.defaultValue, true);
});

test('a bucket that somebody deleted: writes are refused, reads go on, and it is not ready', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  await client.create('orphan', { defaultValue: true });
  const jsm = await harness.nc.jetstreamManager();
  await jsm.streams.delete(bucketStream(KEYS_BUCKET));
  await assert.rejects(client.set('orphan', false), {
    code: 'SKEIN_STORE_REFUSED',
    message: /^fleet key "orphan": JetStream refused the write \(no such stream\)$/,
  });
  assert.equal((await client.get('orphan')).desired?.defaultValue, true);
  const readyz = async () => (await fetch(`${controller.metricsUrl}/readyz`)).text();
  await until('not ready', async () => (await readyz()).includes('bucket skein_keys is gone'));
});

test('a control bucket that somebody deleted: what needs it is refused at once, a kill of one key goes through', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  await client.create('orphan', { defaultValue: true });
  await client.freeze('incident');
  await client.unfreeze('over');
  const jsm = await harness.nc.jetstreamManager();
  await jsm.streams.delete(bucketStream(CONTROL_BUCKET));
  const refusal = {
    code: 'SKEIN_STORE_REFUSED',
    message: 'nats: reading KV_skein_control: stream not found',
  };
  const started = Date.now();
  await assert.rejects(client.set('orphan', false), refusal);
  await assert.rejects(client.freeze('again'), refusal);
  await assert.rejects(client.killAll(false), refusal);
  assert.ok(Date.now() - started < 5_000, `at once, not after ${Date.now() - started} ms`);
  assert.equal((await client.kill('orphan', false)).desired?.kill, false);
  const readyz = async () => (await fetch(`${controller.metricsUrl}/readyz`)).text();
  await until('not ready', async () => (await readyz()).includes('bucket skein_control is gone'));
});

test('a rollouts bucket that somebody deleted: rollouts are refused at once, keys go on', async () => {
  await using harness = await Harness.start();
  const controller = await harness.controller();
  const client = harness.client(controller);
  const rollouts = harness.rollouts(controller);
  await client.create('rolling');
  await client.create('still');
  const { record } = await rollouts.start({ key: 'rolling' });
  const jsm = await harness.nc.jetstreamManager();
  await jsm.streams.delete(bucketStream(ROLLOUTS_BUCKET));
  const started = Date.now();
  await assert.rejects(rollouts.start({ key: 'still' }), { code: 'SKEIN_STORE_REFUSED' });
  await assert.rejects(rollouts.act('pause', record.id), { code: 'SKEIN_STORE_REFUSED' });
  assert.ok(Date.now() - started < 5_000, `at once, not after ${Date.now() - started} ms`);
  assert.equal((await client.set('still', true)).desired?.defaultValue, true);
  const readyz = async () => (await fetch(`${controller.metricsUrl}/readyz`)).text();
  await until('not ready', async () => (await readyz()).includes('bucket skein_rollouts is gone'));
});

test('a keys bucket that was deleted and made anew is read anew, as the refusal says', async () => {
  await using harness = await Harness.start();
  const client = harness.client(await harness.controller());
  await client.create('first');
  await client.create('second');
  const jsm = await harness.nc.jetstreamManager();
  const { config } = await jsm.streams.info(bucketStream(KEYS_BUCKET));
  await jsm.streams.delete(config.name);
  await jsm.streams.add(config);
  await assert.rejects(client.set('second', true), {
    code: 'SKEIN_STORE_REFUSED',
    remedy: /try again in 10 s/,
  });
  await until('made again', () => client.create('second').catch(() => undefined));
});

test('revisions that somebody removed from the bucket are named as the reason for the refusal', async () => {
  await using harness = await Harness.start();
  const client = harness.client(await harness.controller());
  await client.create('purged');
  const jsm = await harness.nc.jetstreamManager();
  await jsm.streams.purge(bucketStream(KEYS_BUCKET), { filter: `$KV.${KEYS_BUCKET}.purged` });
  await assert.rejects(client.set('purged', true), {
    code: 'SKEIN_STORE_REFUSED',
    message: 'fleet key "purged": revision 1 is no longer in the bucket',
  });
});
