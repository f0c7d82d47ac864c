import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'nats';
import { createLogger } from '#common/log.ts';
import type { Transition } from '#common/rollout/rollout.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import { ROLLOUTS_BUCKET } from '#proto/subjects.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { startNatsServer } from '../../../test/support/nats-server.ts';
import { Link } from '../bus/link.ts';
import { rolloutBucket } from '../bus/rollout-bucket.ts';
import { bucketStream, openStores } from '../bus/stores.ts';
import { percent } from '../testing/rollout-client.ts';
import { RolloutCache } from './rollout-cache.ts';
import { RolloutLedger } from './rollout-ledger.ts';
import { newRecord } from './step/new-record.ts';

const clock = new ManualClock();
const BY = { actor: 'alice', reason: '' };

async function setup() {
  const stack = new AsyncDisposableStack();
  const nats = await startNatsServer();
  stack.defer(() => nats.stop());
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  const stores = await openStores(nc, 1);
  const store = rolloutBucket(stores, new Link(nc), createLogger('test', 'silent'));
  /** A controller that hears of nothing by itself. */
  const controller = () => {
    const told: Transition[] = [];
    const cache = new RolloutCache();
    const ledger = new RolloutLedger({
      cache,
      store,
      clock,
      async tell(_, transition) {
        told.push(transition);
      },
    });
    return { cache, ledger, told };
  };
  return { stores, controller, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function fresh(id: string, key = 'net.drop_icmp') {
  const spec = {
    key,
    value: true,
    selector: '',
    steps: [percent(100)],
    limits: DEFAULT_LIMITS,
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback' as const,
  };
  const made = {
    id,
    spec,
    requestId: '',
    creator: 'alice',
    approval: { required: 0, approvers: [] },
  };
  return { make: newRecord({ ...made, now: clock.now() }) };
}

const START = { kind: 'start', ...BY } as const;
const PAUSE = { kind: 'pause', ...BY } as const;
const TICK = { kind: 'tick' } as const;
const BLOCKED = { kind: 'blocked', block: { reason: 'frozen' } } as const;

test('what another controller wrote unseen is found before anything is decided', async () => {
  await using all = await setup();
  const one = all.controller();
  const two = all.controller();
  await one.ledger.create(() => fresh('a'), START);
  await one.ledger.create(() => fresh('b', 'other'), START);
  const seen: number[] = [];
  await two.ledger.create(() => {
    seen.push(two.cache.all().length);
    return fresh('c', 'third');
  }, START);
  assert.deepEqual(seen, [0, 2], 'decided once more on what was there');
  const { record } = await two.ledger.transact('a', PAUSE);
  assert.equal(record.state.phase, 'paused');
  await assert.rejects(one.ledger.transact('a', PAUSE), { code: 'SKEIN_ROLLOUT_PHASE' });
  assert.deepEqual(
    two.told.map(({ event }) => event),
    ['start', 'pause'],
  );
});

test('own writes do not hide what others wrote before them', async () => {
  await using all = await setup();
  const one = all.controller();
  const two = all.controller();
  await one.ledger.create(() => fresh('a'), START);
  await two.ledger.refresh();
  await one.ledger.create(() => fresh('b', 'other'), START);
  await two.ledger.transact('a', PAUSE);
  let sawB = false;
  await two.ledger.create(() => {
    sawB = two.cache.get('b') !== undefined;
    return fresh('c', 'third');
  }, START);
  assert.ok(sawB);
});

test('a driver of an older epoch is refused, whatever it has seen', async () => {
  await using all = await setup();
  const [old, young] = [all.controller(), all.controller()];
  await old.ledger.create(() => fresh('a'), START);
  await old.ledger.transact('a', TICK, { epoch: 1n });
  const adopted = await young.ledger.transact('a', { kind: 'adopted' }, { epoch: 2n });
  assert.equal(adopted.record.epoch, 2n, 'it shuts the old one out at once');
  const late = old.ledger.transact('a', BLOCKED, { epoch: 1n });
  await assert.rejects(late, { code: 'SKEIN_LEASE_LOST' });
  // An operator's action needs no lease.
  await old.ledger.transact('a', PAUSE);
  const { record } = await young.ledger.transact('a', BLOCKED, { epoch: 2n });
  assert.deepEqual([record.state.phase, record.epoch], ['paused', 2n]);
});

test('a record that does not decode is passed over, and written anew', async () => {
  await using all = await setup();
  const one = all.controller();
  await one.ledger.create(() => fresh('a'), START);
  await all.stores.rollouts.put('a', 'nonsense');
  const late = all.controller();
  await late.ledger.refresh();
  assert.equal(late.cache.get('a')?.record.state.phase, 'planned');
  await late.ledger.transact('a', PAUSE);
  await one.ledger.refresh();
  assert.equal(one.cache.get('a')?.record.state.phase, 'paused');
});

test('records that somebody removed from the bucket are named as the reason for the refusal', async () => {
  await using all = await setup();
  const { ledger } = all.controller();
  await ledger.create(() => fresh('a'), START);
  const stream = bucketStream(ROLLOUTS_BUCKET);
  await all.stores.jsm.streams.purge(stream);
  await assert.rejects(ledger.transact('a', PAUSE), {
    code: 'SKEIN_STORE_REFUSED',
    message: 'rollout "a": revision 1 is no longer in the bucket',
  });
  const { config } = await all.stores.jsm.streams.info(stream);
  await all.stores.jsm.streams.delete(stream);
  await all.stores.jsm.streams.add(config);
  await assert.rejects(
    ledger.create(() => fresh('b', 'other'), START),
    {
      code: 'SKEIN_STORE_REFUSED',
      message: 'new rollouts: revision 1 is no longer in the bucket',
    },
  );
});

test('a bucket that somebody deleted is named as such, also when it is only read', async () => {
  await using all = await setup();
  const { ledger } = all.controller();
  await all.stores.jsm.streams.delete(bucketStream(ROLLOUTS_BUCKET));
  await assert.rejects(ledger.refresh(), {
    code: 'SKEIN_STORE_REFUSED',
    message: 'nats: reading KV_skein_rollouts: stream not found',
  });
});
