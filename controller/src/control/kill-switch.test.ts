import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Control, NO_CONTROL } from '#common/control/control.ts';
import { until } from '../../../test/support/until.ts';
import { desired } from '../testing/desired.ts';
import { FakeStores, REQUEST } from '../testing/fake-stores.ts';
import { ControlDesk } from './control-desk.ts';
import { dueMutation } from './due-kills.ts';
import { KillSwitch } from './kill-switch.ts';

const BOB = { actor: 'bob', reason: 'incident' };
const BY_BOB = { ...REQUEST, ...BOB };
const NAMES = Array.from({ length: 100 }, (_, i) => `k${String(i).padStart(2, '0')}`);

/** A controller with its kill switch; a restarted one is made anew over the same stores. */
function start(stores: FakeStores) {
  const controller = stores.controller();
  const { control, keys, desk, clock, logger } = controller;
  const killSwitch = new KillSwitch({ control, keys, desk, clock, logger });
  killSwitch.start();
  const controlDesk = new ControlDesk({
    cache: control,
    store: stores.controlStore,
    clock,
    audit: async () => {},
    enforceKillAll: () => killSwitch.enforce(),
  });
  const die = () => {
    killSwitch.stop();
    stores.lose(controller);
  };
  const killed = () => keys.names().filter((name) => keys.head(name)?.kill !== undefined);
  return { ...controller, controlDesk, killed, die };
}

async function setup() {
  const stores = new FakeStores();
  const one = start(stores);
  for (const name of NAMES) {
    await one.desk.mutate({ action: 'create', name, description: '', defaultValue: true }, REQUEST);
  }
  return { stores, one };
}

async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await undefined;
}

/** What was under way has been done. */
const idle = () => new Promise((resolve) => setImmediate(resolve));

test('what is due: table', () => {
  const by = { ...BOB, since: new Date(0) };
  const none: Control = { ...NO_CONTROL, generation: 1n };
  const all: Control = { ...none, killAll: { ...by, value: false } };
  const due = (state: Parameters<typeof desired>[0], control = all) =>
    dueMutation(desired(state), control)?.action;
  assert.deepEqual(
    [
      due({}),
      due({ kill: true }),
      due({ kill: false }),
      due({ kill: false, killedByAll: {} }),
      due({ deleted: true }),
    ],
    ['kill', 'kill', undefined, undefined, undefined],
  );
  const marked = { kill: false, killedByAll: {} };
  assert.deepEqual(
    [due(marked, none), due({ kill: false }, none), due({}, none), due(marked, NO_CONTROL)],
    ['revive', undefined, undefined, undefined],
  );
});

test('all are killed, and revived but for those killed by themselves, in the name of who did it', async () => {
  const { one } = await setup();
  const kill = { action: 'kill', name: 'k07', value: true, all: false } as const;
  await one.desk.mutate(kill, REQUEST);
  await one.controlDesk.killAll(BY_BOB, false);
  assert.equal(one.killed().length, NAMES.length);
  assert.deepEqual(new Set(NAMES.map((name) => one.keys.head(name)?.kill)), new Set([false]));
  const head = one.keys.head('k03');
  assert.deepEqual([head?.change.actor, head?.change.reason], ['bob', 'incident']);
  await one.controlDesk.reviveAll({ ...REQUEST, actor: 'carol', reason: 'over' });
  assert.deepEqual(one.killed(), ['k07']);
  assert.equal(one.keys.head('k07')?.kill, true);
  assert.equal(one.keys.head('k03')?.change.actor, 'carol');
});

test('asked for again, what is killed is not written again', async () => {
  const { one, stores } = await setup();
  await one.controlDesk.killAll(BY_BOB, false);
  const generations = NAMES.map((name) => one.keys.head(name)?.generation);
  const again = await one.controlDesk.killAll({ ...REQUEST, actor: 'carol' }, false);
  assert.equal(again.killAll?.actor, 'bob');
  assert.equal(stores.controlEntries.length, 1);
  assert.deepEqual(
    NAMES.map((name) => one.keys.head(name)?.generation),
    generations,
  );
});

test('a controller that dies half-way is finished by another, and by itself when it comes back', async () => {
  const { stores, one } = await setup();
  const other = start(stores);
  other.die();
  stores.writesLeft = 40;
  await assert.rejects(one.controlDesk.killAll(BY_BOB, false), { code: 'SKEIN_NATS_UNAVAILABLE' });
  assert.equal(one.killed().length, 40);
  one.die();
  stores.writesLeft = undefined;
  const next = start(stores);
  await until('all are killed', () => next.killed().length === NAMES.length);

  stores.writesLeft = 10;
  await assert.rejects(next.controlDesk.reviveAll(BY_BOB), { code: 'SKEIN_NATS_UNAVAILABLE' });
  assert.equal(next.killed().length, NAMES.length - 10);
  stores.clock.advance(1_000);
  await idle();
  assert.equal(next.killed().length, NAMES.length - 10, 'NATS is still away');
  stores.writesLeft = undefined;
  await until('revived without a restart', () => {
    stores.clock.advance(2_000);
    return next.killed().length === 0;
  });
});

test('a controller that was not asked leaves it to the one that was, for a moment', async () => {
  const { stores, one } = await setup();
  const two = start(stores);
  const { controlStore } = stores;
  const { clock, killed } = two;
  one.die();
  await idle();
  // The one that was asked dies before its first kill.
  const now = clock.now();
  await controlStore.put(
    {
      generation: 1n,
      cohorts: [],
      killAll: { ...BOB, value: false, since: now },
      note: { ...BOB, time: now, what: 'kill all off', requestId: '' },
    },
    0n,
  );
  clock.advance(999);
  await idle();
  assert.deepEqual(killed(), []);
  clock.advance(1);
  await until('all are killed', () => killed().length === NAMES.length);
});

test('two controllers carry it out at once; each key is written once', async () => {
  const { stores, one } = await setup();
  const two = start(stores);
  const before = NAMES.map((name) => one.keys.history(name).length);
  await Promise.all([one, two].map(({ controlDesk }) => controlDesk.killAll(BY_BOB, true)));
  assert.deepEqual(
    NAMES.map((name) => two.keys.history(name).length),
    before.map((length) => length + 1),
  );
});

test('a key that another controller made without knowing of the kill is killed', async () => {
  const { stores, one } = await setup();
  await one.controlDesk.killAll(BY_BOB, false);
  stores.clock.advance(1_000);
  await idle();
  const late = stores.controller();
  late.control.clear();
  stores.controlStore.readAfter = async () => [];
  await late.desk.mutate(
    { action: 'create', name: 'late', description: '', defaultValue: true },
    REQUEST,
  );
  assert.equal(late.keys.history('late')[0]?.kill, undefined);
  await until('killed', () => {
    stores.clock.advance(1_000);
    return one.keys.head('late')?.kill === false;
  });
});

test('who asks just as a run ends gets a run of its own', async () => {
  for (let turns = 0; turns < 10; turns++) {
    const { control, keys, desk, clock, logger } = new FakeStores().controller();
    let looks = 0;
    const asked = Promise.withResolvers<number>();
    const killSwitch = new KillSwitch({
      control: {
        current: () => control.current(),
        history: () => control.history(),
        onChange: (listener) => control.onChange(listener),
        refresh: async () => {
          looks++;
          if (looks > 1) return;
          void later(turns).then(async () => {
            await killSwitch.enforce();
            asked.resolve(looks);
          });
        },
      },
      keys,
      desk,
      clock,
      logger,
    });
    await killSwitch.enforce();
    assert.equal(await asked.promise, 2, `after ${turns} turns`);
  }
});
