import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'nats';
import { createLogger } from '#common/log.ts';
import { KEYS_BUCKET } from '#proto/subjects.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { BucketWatch } from './bucket-watch.ts';
import { bucketStream, openStores } from './stores.ts';

async function setup() {
  const stack = new AsyncDisposableStack();
  const nats = await startNatsServer();
  stack.defer(() => nats.stop());
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  const stores = await openStores(nc, 1);
  const clock = new ManualClock();
  const seen: bigint[] = [];
  let resets = 0;
  const watch = new BucketWatch({
    name: KEYS_BUCKET,
    bucket: stores.keys,
    jsm: stores.jsm,
    clock,
    logger: createLogger('test', 'silent'),
    onEntry: ({ revision }) => seen.push(revision),
    onReset: () => resets++,
  });
  stack.defer(() => watch.stop());
  /** The watchdog's interval goes by, as often as it takes. */
  const untilSeen = (revisions: bigint[]) =>
    until(`revisions ${revisions}`, () => {
      clock.advance(5_000);
      return revisions.every((revision) => seen.includes(revision));
    });
  return {
    nc,
    stores,
    watch,
    seen,
    resets: () => resets,
    untilSeen,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('start() delivers all history; what follows is delivered once', async () => {
  await using all = await setup();
  for (const value of ['1', '2', '3']) await all.stores.keys.put('k', value);
  await all.watch.start();
  assert.deepEqual(all.seen, [1n, 2n, 3n]);
  await all.watch.restart();
  await all.stores.keys.put('k', '4');
  await until('the fourth', () => all.seen.length === 4);
  assert.deepEqual(all.seen, [1n, 2n, 3n, 4n]);
});

test('a watch whose consumer vanished is found silent and made anew', async () => {
  await using all = await setup();
  await all.watch.start();
  const stream = bucketStream(KEYS_BUCKET);
  for await (const { name } of all.stores.jsm.consumers.list(stream)) {
    await all.stores.jsm.consumers.delete(stream, name);
  }
  await all.stores.keys.put('k', '1');
  await all.untilSeen([1n]);
});

test('a bucket that was lost and made anew is read from its beginning', async () => {
  await using all = await setup();
  for (const value of ['1', '2', '3']) await all.stores.keys.put('k', value);
  await all.watch.start();
  all.seen.length = 0;
  await all.stores.jsm.streams.delete(bucketStream(KEYS_BUCKET));
  const { keys } = await openStores(all.nc, 1);
  await keys.put('k', 'first again');
  await all.untilSeen([1n]);
  assert.equal(all.resets(), 1);
});

test('a keys bucket that does not republish is refused: agents would never hear of a change', async () => {
  const nats = await startNatsServer();
  const nc = await connect({ servers: nats.url });
  try {
    await nc.jetstream().views.kv(KEYS_BUCKET, { history: 64 });
    await assert.rejects(openStores(nc, 1), { code: 'SKEIN_STORE_CORRUPT' });
  } finally {
    await nc.close();
    await nats.stop();
  }
});
