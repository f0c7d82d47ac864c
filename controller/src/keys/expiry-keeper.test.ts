import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { ControlDesk } from '../control/control-desk.ts';
import { FakeStores, REQUEST } from '../testing/fake-stores.ts';
import { ExpiryKeeper } from './expiry-keeper.ts';

const HOUR = 3_600_000;
const BOB = { ...REQUEST, actor: 'bob' };

async function setup() {
  const stores = new FakeStores();
  const { keys, control, desk, clock, logger } = stores.controller();
  const controlDesk = new ControlDesk({
    cache: control,
    store: stores.controlStore,
    clock,
    audit: async () => {},
    enforceKillAll: async () => {},
  });
  const keeper = new ExpiryKeeper({ cache: keys, control, desk, clock, logger });
  for (const name of ['a', 'b']) {
    await desk.mutate({ action: 'create', name, description: '', defaultValue: false }, REQUEST);
  }
  const setFor = (name: string, ttlMs: number) =>
    desk.mutate({ action: 'set', name, value: true, selector: '', ttlMs }, REQUEST);
  const reverted = (name: string) => keys.head(name)?.change.action === 'revert';
  /** What was started with the clock's last move has been done. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { stores, keys, desk, clock, keeper, controlDesk, setFor, reverted, settled };
}

test('each is reverted at its time, by skein, with the epoch of the lease', async () => {
  const { keys, clock, keeper, setFor, reverted, settled } = await setup();
  await setFor('a', 2 * HOUR);
  keeper.start(7n);
  await setFor('b', HOUR);
  clock.advance(HOUR - 1);
  await settled();
  assert.deepEqual([reverted('a'), reverted('b')], [false, false]);
  clock.advance(1);
  await until('b is reverted', () => reverted('b'));
  assert.equal(reverted('a'), false);
  clock.advance(HOUR);
  await until('a is reverted', () => reverted('a'));
  const head = keys.head('a');
  assert.deepEqual([head?.change.actor, head?.fence, head?.defaultValue], ['skein', 7n, false]);
  assert.equal(clock.pending, 0);
  keeper.stop();
});

test('what fell due while nobody held the lease is reverted at once; a stopped one does nothing', async () => {
  const { clock, keeper, setFor, reverted, settled } = await setup();
  keeper.start(1n);
  await setFor('a', HOUR);
  keeper.stop();
  assert.equal(clock.pending, 0);
  clock.advance(2 * HOUR);
  await settled();
  assert.equal(reverted('a'), false);
  keeper.start(2n);
  await until('reverted', () => reverted('a'));
  keeper.stop();
});

test('a freeze holds it up until it is lifted, or ends by itself', async () => {
  const { clock, keeper, controlDesk, desk, setFor, reverted, settled } = await setup();
  keeper.start(1n);
  await setFor('a', HOUR);
  await setFor('b', 3 * HOUR);
  await controlDesk.freeze(BOB);
  clock.advance(HOUR);
  await desk.mutate({ action: 'kill', name: 'b', value: true, all: false }, REQUEST);
  await settled();
  assert.deepEqual([reverted('a'), clock.pending], [false, 0], 'nothing is tried in vain');
  await controlDesk.unfreeze(BOB);
  await until('reverted', () => reverted('a'));
  await controlDesk.freeze(BOB, new Date(clock.now().getTime() + 3 * HOUR));
  clock.advance(2 * HOUR);
  await settled();
  assert.equal(reverted('b'), false);
  clock.advance(HOUR);
  await until('reverted', () => reverted('b'));
  keeper.stop();
});

test('while NATS is away it is tried again; a lease that was lost ends it', async () => {
  const { stores, keys, clock, keeper, setFor, reverted, settled, desk } = await setup();
  keeper.start(4n);
  await setFor('a', HOUR);
  await setFor('b', 2 * HOUR);
  stores.writesLeft = 0;
  clock.advance(HOUR);
  await settled();
  stores.writesLeft = undefined;
  await until('reverted', () => {
    clock.advance(5_000);
    return reverted('a');
  });
  const rules = [{ selector: '', value: true, rollout: { id: 'r', step: 0, width: 1 } }];
  const rollout = { action: 'rollout', name: 'b', rollout: 'r', epoch: 5n } as const;
  await desk.mutate({ ...rollout, change: { kind: 'take', rules } }, REQUEST);
  clock.advance(2 * HOUR);
  await settled();
  assert.equal(keys.head('b')?.rules.length, 1, 'a rollout holds it up');
  await desk.mutate({ ...rollout, change: { kind: 'release' } }, REQUEST);
  await settled();
  clock.advance(HOUR);
  await settled();
  assert.equal(reverted('b'), false, 'another controller, of epoch 5, is to revert it');
  assert.equal(clock.pending, 0);
});
