import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SkeinError } from '#common/errors.ts';
import { createLogger } from '#common/log.ts';
import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type { HostTally, Measurement } from '#common/rollout/rollout.ts';
import type { Gate, RolloutSpec } from '#common/rollout/spec.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { percent } from '../testing/rollout-client.ts';
import type { KeyWork } from './carry-out.ts';
import { RolloutCache } from './rollout-cache.ts';
import { RolloutLedger } from './rollout-ledger.ts';
import { RolloutRun } from './rollout-run.ts';
import type { RolloutStore } from './rollout-store.ts';
import type { SeenHosts } from './step/event.ts';
import { newRecord } from './step/new-record.ts';
import { NO_HOSTS } from './tallies.ts';

const ID = 'net-drop-icmp-7k2m';
const BY = { actor: 'alice', reason: '' };

/** One rollout over 10 hosts that do at once what the key says. */
async function setup(steps: RolloutSpec['steps']) {
  const clock = new ManualClock();
  const cache = new RolloutCache();
  let revision = 0n;
  const writes = { isFailing: false, tried: 0 };
  const write: RolloutStore['put'] = async () => {
    writes.tried++;
    if (writes.isFailing) throw new SkeinError('SKEIN_NATS_UNAVAILABLE', 'no connection');
    return { kind: 'stored', revision: ++revision };
  };
  const store = {
    put: write,
    claim: write,
    readAfter: async () => ({ entries: [], last: revision }),
  };
  const ledger = new RolloutLedger({ cache, store, clock, tell: () => Promise.resolve() });
  const spec: RolloutSpec = {
    key: 'net.drop_icmp',
    value: true,
    selector: '',
    steps,
    limits: DEFAULT_LIMITS,
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback',
  };
  const approval = { required: 0, approvers: [] };
  const made = { id: ID, spec, requestId: '', creator: 'alice', approval, now: clock.now() };
  await ledger.create(() => ({ make: newRecord(made) }), { kind: 'start', ...BY });

  const world = {
    epoch: 1n as bigint | undefined,
    /** Changes of the key that fail from now on. */
    failures: 0,
    changes: [] as string[],
    looks: 0,
    inForce: undefined as SeenHosts['inForce'],
    measurements: [] as ((measurement: Measurement) => void)[],
  };
  const change = (work: KeyWork) => {
    world.changes.push(work.kind);
    if (world.failures > 0) {
      world.failures--;
      throw new SkeinError('SKEIN_NATS_UNAVAILABLE', 'the connection broke');
    }
    world.inForce = work.kind === 'take' ? { step: work.step, width: work.width } : undefined;
  };
  const run = new RolloutRun(ID, {
    get: (id) => cache.get(id),
    ledger,
    epoch: () => world.epoch,
    seen({ state }) {
      world.looks++;
      const share = steps[Math.min(state.step, steps.length - 1)]?.reach;
      const goal = share?.kind === 'percent' ? share.percent / 10 : 0;
      const width = world.inForce?.width ?? 0;
      const tally: HostTally = { ...NO_HOSTS, eligible: 10, goal, taken: width, applied: width };
      const { inForce } = world;
      return { step: state.step, tally, ...(inForce ? { inForce } : {}) };
    },
    blockOf: () => undefined,
    killOf: () => undefined,
    async changeKey(_, work) {
      change(work);
    },
    measure: () => new Promise((resolve) => world.measurements.push(resolve)),
    clock,
    logger: createLogger('test', 'silent'),
  });
  const state = () => {
    const known = cache.get(ID);
    assert.ok(known);
    return known.record.state;
  };
  /** Time goes by in small pieces, with what is asynchronous in between. */
  const pass = async (ms: number) => {
    for (let at = 0; at <= ms; at += 50) {
      clock.advance(at === 0 ? 0 : 50);
      for (let i = 0; i < 5; i++) await setImmediate();
    }
  };
  run.poke();
  return { clock, ledger, run, world, writes, state, pass };
}

test('it is driven to its end', async () => {
  const { world, state, pass } = await setup([percent(50), percent(100)]);
  await pass(1_000);
  assert.equal(state().phase, 'completed');
  assert.deepEqual([...new Set(world.changes)], ['take', 'settle']);
});

test('a key that cannot be changed blocks it, in words; it is tried again, less and less often', async () => {
  const { clock, world, state, pass } = await setup([percent(100)]);
  world.failures = 3;
  const start = clock.now().getTime();
  await pass(500);
  const { blocked } = state();
  assert.match(
    blocked?.reason ?? '',
    /^the key cannot be changed \(take\): SKEIN_NATS_UNAVAILABLE: the connection broke$/,
  );
  assert.ok(blocked?.until && blocked.until.getTime() - start <= 1_200);
  assert.equal(world.changes.length, 1);
  await pass(5_000);
  assert.equal(world.failures, 0, 'after 1 s, and 2 s more');
  assert.notEqual(state().phase, 'completed', 'and 4 s more');
  await pass(4_000);
  assert.equal(state().phase, 'completed');
  assert.equal(state().blocked, undefined);
});

test('what an operator decides is carried out at once, however long the wait after a failure', async () => {
  const steps = [percent(50, { hold: true }), percent(100)];
  const { ledger, run, world, state, pass } = await setup(steps);
  await pass(500);
  assert.equal(state().pause?.cause, 'hold');
  world.failures = 4;
  await ledger.transact(ID, { kind: 'promote', ...BY, all: false });
  run.poke();
  await pass(8_000);
  assert.equal(world.failures, 0);
  assert.notEqual(state().blocked, undefined, 'the next try is seconds away');
  await ledger.transact(ID, { kind: 'abort', ...BY, rollback: true });
  run.poke();
  await pass(200);
  assert.equal(world.changes.at(-1), 'release');
  assert.equal(state().phase, 'rolled-back');
});

test('a record that cannot be written is tried again less and less often, whatever hosts report', async () => {
  const { run, writes, state, pass } = await setup([percent(50, { bakeMs: 2_000 }), percent(100)]);
  await pass(500);
  assert.equal(state().phase, 'baking');
  writes.isFailing = true;
  writes.tried = 0;
  for (let second = 0; second < 10; second++) {
    run.poke();
    await pass(1_000);
  }
  assert.ok(writes.tried > 1 && writes.tried <= 5, `${writes.tried} writes in 10 s`);
  writes.isFailing = false;
  await pass(8_000);
  assert.equal(state().phase, 'completed');
});

test('a clock that is set back does not make it wait any longer after a failure', async () => {
  const { clock, world, state, pass } = await setup([percent(100)]);
  world.failures = 1;
  await pass(500);
  assert.notEqual(state().blocked, undefined);
  const now = clock.now.bind(clock);
  clock.now = () => new Date(now().getTime() - 3_600_000);
  await pass(2_000);
  assert.equal(state().phase, 'completed');
});

test('a clock that is set forward ends a bake within a minute', async () => {
  const { clock, state, pass } = await setup([percent(100, { bakeMs: 3 * 3_600_000 })]);
  await pass(500);
  assert.equal(state().phase, 'baking');
  const now = clock.now.bind(clock);
  clock.now = () => new Date(now().getTime() + 4 * 3_600_000);
  await pass(60_000);
  assert.equal(state().phase, 'completed');
});

test('rules that are not what they should be are made so again', async () => {
  const { run, world, pass } = await setup([percent(50, { bakeMs: 3_600_000 })]);
  await pass(500);
  world.inForce = undefined;
  run.poke();
  await pass(200);
  assert.deepEqual(world.inForce, { step: 0, width: 5 });
});

test('a measurement counts only for the run of gates that asked for it', async () => {
  const steps = [percent(100, { bakeMs: 3_600_000, gates: [GATE] })];
  const { clock, ledger, run, world, state, pass } = await setup(steps);
  await pass(500);
  assert.equal(world.measurements.length, 1);
  await ledger.transact(ID, { kind: 'pause', ...BY });
  await ledger.transact(ID, { kind: 'retry', ...BY });
  run.poke();
  await pass(500);
  assert.equal(world.measurements.length, 2, 'the new run asks anew');
  const failure = { outcome: 'failure', time: clock.now(), detail: 'too high' } as const;
  world.measurements[0]?.(failure);
  await pass(200);
  assert.equal(state().phase, 'baking');
  assert.equal(state().gates[0]?.failed, 0);
  world.measurements[1]?.(failure);
  await pass(200);
  assert.equal(state().phase, 'rolled-back');
});

test('a measurement that could not be written is taken into account later', async () => {
  const steps = [percent(100, { bakeMs: 3_600_000, gates: [GATE] })];
  const { clock, run, world, writes, state, pass } = await setup(steps);
  await pass(500);
  writes.isFailing = true;
  world.measurements[0]?.({ outcome: 'failure', time: clock.now(), detail: 'too high' });
  await pass(200);
  assert.equal(state().phase, 'baking');
  writes.isFailing = false;
  run.poke();
  await pass(5_000);
  assert.equal(state().phase, 'rolled-back');
});

test('a burst of acks is one look at the hosts', async () => {
  const { clock, run, world, pass } = await setup([percent(100, { bakeMs: 3_600_000 })]);
  await pass(500);
  world.looks = 0;
  for (let i = 0; i < 1_000; i++) {
    run.poke();
    clock.advance(0.1);
  }
  await pass(100);
  assert.ok(world.looks <= 10, `${world.looks} looks`);
});

test('without the lease it does nothing more', async () => {
  const { run, world, state, pass } = await setup([percent(50, { bakeMs: 1_000 }), percent(100)]);
  await pass(500);
  assert.equal(state().phase, 'baking');
  world.epoch = undefined;
  run.poke();
  await pass(5_000);
  assert.equal(state().phase, 'baking');
  assert.equal(world.changes.length, 1);
});

const GATE: Gate = {
  name: 'loss',
  source: { kind: 'builtin', measure: 'host-failures' },
  success: '< 1',
  ...GATE_DEFAULTS,
  intervalMs: 60_000,
};
