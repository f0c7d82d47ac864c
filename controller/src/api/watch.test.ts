import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { type Host, HostState } from '#proto/gen/skein/v1/fleet.ts';
import { HostPhase, type Key } from '#proto/gen/skein/v1/keys.ts';
import { until } from '../../../test/support/until.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let client: TestClient;
before(async () => {
  harness = await Harness.start();
  client = harness.client(await harness.controller());
});
after(() => harness[Symbol.asyncDispose]());

test('a key watch begins with what is, then tells of desired state, progress and deletion', async () => {
  await client.create('watched');
  await client.create('unwatched');
  const host = new FakeHost(harness.nc, 'w1', {}, ['watched']);
  host.heartbeat();
  await until('reported', async () => (await client.hosts()).length === 1);
  const seen = collect(client.keys.watch({ name: 'watched' }, client.metadata));
  await until('first', () => seen.messages.length === 1);

  const { desired } = await client.set('watched', true);
  const generation = desired?.generation ?? 0n;
  const last = () => seen.messages.at(-1);
  await until('set', () => last()?.desired?.generation === generation);
  assert.equal(last()?.progress?.hosts[0]?.phase, HostPhase.PENDING);
  host.ack('watched', generation, true);
  await until('applied', () => last()?.progress?.hosts[0]?.phase === HostPhase.APPLIED);
  await client.delete('watched');
  await until('deleted', () => last()?.desired?.deleted);
  assert.deepEqual(new Set(seen.messages.map((key) => key.desired?.name)), new Set(['watched']));
  seen.stream.cancel();

  const all = collect(client.keys.watch({ name: '' }, client.metadata));
  await until('those that are not deleted', () => all.messages.length === 1);
  assert.equal(all.messages[0]?.desired?.name, 'unwatched');
  all.stream.cancel();
});

test('a host watch tells of states as they change, within its selector', async () => {
  const seen = collect(client.fleet.watch({ selector: 'zone=z' }, client.metadata));
  const inside = new FakeHost(harness.nc, 'z1', { zone: 'z' }, ['flipped']);
  const outside = new FakeHost(harness.nc, 'y1', { zone: 'y' }, ['flipped']);
  for (const host of [inside, outside]) host.heartbeat();
  const last = () => seen.messages.at(-1);
  await until('synced', () => last()?.state === HostState.SYNCED);
  const { desired } = await client.create('flipped');
  await until('pending', () => last()?.state === HostState.PENDING);
  inside.ack('flipped', desired?.generation ?? 0n, false, { outcome: 'failed' });
  await until('degraded', () => last()?.state === HostState.DEGRADED);
  inside.ack('flipped', desired?.generation ?? 0n, false);
  await until('synced again', () => last()?.state === HostState.SYNCED);
  inside.heartbeat(1);
  await until('lost, in silence', () => last()?.state === HostState.LOST);
  assert.deepEqual(new Set(seen.messages.map((h) => h.status?.host)), new Set(['z1']));
  seen.stream.cancel();
});

test('a reader that stops reading gets the latest state when it goes on, not every one', async () => {
  const writes = 60;
  const description = 'x'.repeat(1024);
  const names = Array.from({ length: 40 }, (_, i) => `slow.k${i}`);
  for (const name of names) await client.create(name, { description });
  const stream = client.keys.watch({ name: '' }, client.metadata);
  const seen = collect(stream);
  await until('the start', () =>
    names.every((n) => seen.messages.some((k) => k.desired?.name === n)),
  );
  stream.pause();
  const before = seen.messages.length;
  for (let i = 0; i < writes; i++) {
    await Promise.all(names.map((name) => client.set(name, i % 2 === 0, { selector: `n=${i}` })));
  }
  stream.resume();
  const finals = new Map<string, bigint>();
  for (const { desired } of await client.list()) {
    if (desired) finals.set(desired.name, desired.generation);
  }
  await until('the last of each', () => {
    const latest = new Map(seen.messages.map((k) => [k.desired?.name, k.desired?.generation]));
    return names.every((name) => latest.get(name) === finals.get(name));
  });
  const received = seen.messages.length - before;
  assert.ok(received < (writes * names.length) / 2, `${received} messages were sent`);
  stream.cancel();
});

test('what cannot be watched', async () => {
  const errorOf = async (stream: ClientReadableStream<Key | Host>) => {
    const [error]: ServiceError[] = await once(stream.resume(), 'error');
    return error?.metadata.get('skein-code')[0];
  };
  const { keys, fleet, metadata } = client;
  assert.equal(await errorOf(keys.watch({ name: 'no.such' }, metadata)), 'SKEIN_KEY_NOT_FOUND');
  assert.equal(await errorOf(keys.watch({ name: 'No' }, metadata)), 'SKEIN_INVALID_ARGUMENT');
  assert.equal(await errorOf(fleet.watch({ selector: '(' }, metadata)), 'SKEIN_BAD_SELECTOR');
  assert.equal(await errorOf(keys.watch({ name: '' })), 'SKEIN_UNAUTHENTICATED');
});

test('watches end when the controller stops, and do not hold it up', async () => {
  const controller = await harness.controller();
  const watcher = harness.client(controller);
  const stream = watcher.keys.watch({ name: '' }, watcher.metadata);
  stream.resume();
  await once(stream, 'metadata');
  const ended = once(stream, 'end');
  const start = Date.now();
  await controller.stop();
  await ended;
  assert.ok(Date.now() - start < 2_500, 'before the deadline for calls under way');
});

function collect<Message>(stream: ClientReadableStream<Message>) {
  const messages: Message[] = [];
  stream.on('data', (message: Message) => messages.push(message));
  // Cancelled at the end of a test.
  stream.on('error', () => {});
  return { stream, messages };
}
