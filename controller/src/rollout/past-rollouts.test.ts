import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'nats';
import { createLogger } from '#common/log.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { Link } from '../bus/link.ts';
import { rolloutBucket } from '../bus/rollout-bucket.ts';
import { openStores } from '../bus/stores.ts';
import { PastRollouts } from './past-rollouts.ts';
import { RolloutCache } from './rollout-cache.ts';
import { rolloutRecord } from './testing/rollouts.ts';

const logger = createLogger('test', 'silent');

/** Ended at so many seconds. */
function past(id: string, at: number, more: Partial<RolloutRecord['state']> = {}): RolloutRecord {
  const state = { phase: 'completed', since: new Date(at * 1_000), ...more } as const;
  return { ...rolloutRecord(state), id };
}

test('the newest that are over are kept, and all that are not', async () => {
  await using stack = new AsyncDisposableStack();
  const nats = await startNatsServer();
  stack.defer(() => nats.stop());
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  const store = rolloutBucket(await openStores(nc, 1), new Link(nc), logger);
  const write = async (cache: RolloutCache, record: RolloutRecord) => {
    const result = await store.put(record, cache.lastRevision(record.id));
    assert.ok(result.kind === 'stored');
    cache.wrote({ id: record.id, revision: result.revision, record });
  };
  const stored = async () => new Set((await store.readAfter(0n)).entries.map(({ id }) => id));

  const cache = new RolloutCache();
  await write(cache, past('waits', 0, { phase: 'paused' }));
  for (const at of [4, 2, 5, 3, 1]) await write(cache, past(`at-${at}`, at));
  // Each has several revisions in the bucket.
  await write(cache, past('at-1', 1));
  const kept = new PastRollouts({ cache, store, logger, most: 3 });
  stack.defer(() => kept.stop());
  kept.start();
  const ids = () => cache.all().map(({ record }) => record.id);
  await until('forgotten', () => ids().length === 4);
  assert.deepEqual(ids().sort(), ['at-3', 'at-4', 'at-5', 'waits']);
  assert.deepEqual([...(await stored())].sort(), ['at-3', 'at-4', 'at-5', 'waits']);

  await write(cache, past('at-6', 6));
  await until('forgotten', () => cache.get('at-3') === undefined);
  assert.deepEqual([...(await stored())].sort(), ['at-4', 'at-5', 'at-6', 'waits']);
});

test('one that was taken up again meanwhile stays', async () => {
  const cache = new RolloutCache();
  const again = { ...past('a', 1, { phase: 'running' }) };
  cache.ingest({ id: 'a', revision: 1n, record: past('a', 1) });
  cache.ingest({ id: 'b', revision: 2n, record: past('b', 2) });
  const removed: string[] = [];
  const store = {
    async forget(id: string, revision: bigint) {
      removed.push(`${id} up to ${revision}`);
      cache.ingest({ id: 'a', revision: 3n, record: again });
    },
  };
  new PastRollouts({ cache, store, logger, most: 1 }).start();
  await until('done', () => removed.length > 0);
  assert.deepEqual(removed, ['a up to 1']);
  assert.equal(cache.get('a')?.record, again);
});
