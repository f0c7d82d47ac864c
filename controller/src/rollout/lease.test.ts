import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '#common/log.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { PutResult } from '../keys/key-store.ts';
import { Lease } from './lease.ts';
import type { LeaseEntry, LeaseStore, LeaseValue } from './lease-store.ts';

/** A store in memory that can be cut off, or answer late. */
class FakeStore implements LeaseStore {
  entry: LeaseEntry | undefined;
  #writes = 0;
  /** What a controller that is cut off from NATS meets. */
  cut = new Set<LeaseStore>();

  read(): Promise<LeaseEntry | undefined> {
    return Promise.resolve(this.entry);
  }

  put(value: LeaseValue, previousRevision: bigint): Promise<PutResult> {
    if ((this.entry?.revision ?? 0n) !== previousRevision) {
      return Promise.resolve({ kind: 'conflict' });
    }
    this.#writes++;
    this.entry = { ...value, revision: BigInt(this.#writes) };
    return Promise.resolve({ kind: 'stored', revision: this.entry.revision });
  }

  /** The store as one controller reaches it. */
  reach(): LeaseStore {
    const guard = <T>(work: () => Promise<T>): Promise<T> =>
      this.cut.has(reach) ? Promise.reject(new Error('cut off')) : work();
    const reach: LeaseStore = {
      read: () => guard(() => this.read()),
      put: (value, revision) => guard(() => this.put(value, revision)),
    };
    return reach;
  }
}

function setup() {
  const clock = new ManualClock();
  const store = new FakeStore();
  const log: string[] = [];
  const contender = (holder: string, more: { store?: LeaseStore; highest?: bigint } = {}) => {
    const reach = more.store ?? store.reach();
    const lease = new Lease({
      store: reach,
      clock,
      logger: createLogger('test', 'silent'),
      holder,
      highestEpoch: () => more.highest ?? 0n,
      onAcquired: (epoch) => log.push(`${holder} has ${epoch}`),
      onLost: () => log.push(`${holder} lost`),
    });
    return { lease, reach };
  };
  /** Time goes by in small pieces, with what is asynchronous in between. */
  const pass = async (ms: number) => {
    for (let at = 0; at <= ms; at += 100) {
      clock.advance(at === 0 ? 0 : 100);
      await setImmediate();
    }
  };
  return { clock, store, log, contender, pass };
}

test('the first takes it and keeps it for as long as it renews; the other never does', async () => {
  const { store, log, contender, pass } = setup();
  const { lease: one } = contender('one');
  const { lease: two } = contender('two');
  one.start();
  await pass(0);
  two.start();
  await pass(60_000);
  assert.deepEqual(log, ['one has 1']);
  assert.equal(one.epoch, 1n);
  assert.equal(two.epoch, undefined);
  assert.equal(store.entry?.revision, 21n, 'renewed every 3 seconds');
});

test('given back, another has it within a second, with a higher epoch', async () => {
  const { log, contender, pass } = setup();
  const { lease: one } = contender('one');
  const { lease: two } = contender('two');
  one.start();
  await pass(0);
  two.start();
  await pass(1_500);
  await one.stop();
  await pass(1_000);
  assert.deepEqual(log, ['one has 1', 'one lost', 'two has 2']);
  await pass(20_000);
  assert.equal(one.epoch, undefined, 'a stopped one does not come back');
});

test('a holder that cannot renew stops before another may begin', async () => {
  const { store, log, contender, pass } = setup();
  const { lease: one, reach } = contender('one');
  const { lease: two } = contender('two');
  one.start();
  await pass(0);
  two.start();
  await pass(3_000);
  store.cut.add(reach);
  await pass(6_900);
  assert.equal(one.epoch, 1n);
  await pass(200);
  assert.deepEqual(log, ['one has 1', 'one lost']);
  assert.equal(two.epoch, undefined, 'a gap between the two');
  await pass(4_000);
  assert.deepEqual(log.slice(2), ['two has 2']);
  store.cut.clear();
  await pass(60_000);
  assert.deepEqual(log.slice(3), [], 'who comes back waits like any other');
  assert.equal(one.epoch, undefined);
});

test('a holder whose timers are late knows by the clock that its time is over', async () => {
  const { clock, contender, pass } = setup();
  const { lease } = contender('one');
  const after = clock.after.bind(clock);
  let isStuck = false;
  clock.after = (ms, callback) => after(ms, () => isStuck || callback());
  lease.start();
  await pass(3_000);
  isStuck = true;
  await pass(6_900);
  assert.equal(lease.epoch, 1n);
  await pass(100);
  assert.equal(lease.epoch, undefined);
});

test('a renewal that was stored though its answer never came is found again', async () => {
  const { store, log, contender, pass } = setup();
  let swallow = false;
  const { lease } = contender('one', {
    store: {
      read: () => store.read(),
      async put(value, revision) {
        const result = await store.put(value, revision);
        if (!swallow) return result;
        swallow = false;
        throw new Error('no answer');
      },
    },
  });
  lease.start();
  await pass(0);
  swallow = true;
  await pass(30_000);
  assert.deepEqual(log, ['one has 1']);
  assert.equal(lease.epoch, 1n);
});

test('taken by another all the same, it is lost at the next renewal', async () => {
  const { store, log, contender, pass } = setup();
  const { lease } = contender('one');
  lease.start();
  await pass(0);
  await store.put({ holder: 'two', epoch: 2n }, 1n);
  await pass(3_000);
  assert.deepEqual(log, ['one has 1', 'one lost']);
});

test('an acquisition that took too long is not used, but done again', async () => {
  const { clock, store, log, contender, pass } = setup();
  let slow = true;
  const { lease } = contender('one', {
    store: {
      read: () => store.read(),
      put(value, revision) {
        if (slow) clock.advance(8_000);
        slow = false;
        return store.put(value, revision);
      },
    },
  });
  lease.start();
  await pass(2_000);
  assert.deepEqual(log, ['one has 2']);
});

test('an acquisition that is answered after the stop is not used', async () => {
  const { clock, store, log, contender, pass } = setup();
  const answer = Promise.withResolvers<void>();
  const { lease } = contender('one', {
    store: {
      read: () => store.read(),
      async put(value, revision) {
        const result = await store.put(value, revision);
        await answer.promise;
        return result;
      },
    },
  });
  lease.start();
  await pass(0);
  const stopped = lease.stop();
  await pass(2_000);
  await stopped;
  answer.resolve();
  await pass(1_000);
  assert.deepEqual(log, []);
  assert.equal(clock.pending, 0);
});

test('epochs never go back, though the store was lost', async () => {
  const { log, contender, pass } = setup();
  contender('one', { highest: 41n }).lease.start();
  await pass(0);
  assert.deepEqual(log, ['one has 42']);
});
