import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '#common/errors.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { FlipReport } from '../engine/engine.ts';
import { FakeEngine } from '../engine/fake/fake-engine.ts';
import { FakeWorld } from '../engine/fake/fake-world.ts';
import type { AgentUnit } from '../keys/agent-unit.ts';
import { DesiredTable } from '../keys/desired-table.ts';
import {
  desiredState,
  recordingLogger,
  type StateOptions,
  signed,
  target,
  testUnit,
} from '../testing/fixtures.ts';
import { notReady } from './readiness.ts';
import { Reconciler, type SettledKey } from './reconciler.ts';

const refused = new SkeinError('SKEIN_KERNEL_REFUSED', 'EBUSY');

/** Lets something happen while a flip is under way. */
class InterruptedEngine extends FakeEngine {
  interrupt: () => void = () => {};

  override async flip(unit: string, changes: ReadonlyMap<string, boolean>): Promise<FlipReport> {
    const report = await super.flip(unit, changes);
    this.interrupt();
    return report;
  }
}

/** A reconciler over a fake world, without a bus. */
class Host {
  readonly world: FakeWorld;
  readonly clock = new ManualClock();
  readonly desired = new DesiredTable();
  readonly log = recordingLogger();
  readonly settled: SettledKey[] = [];
  readonly engine: InterruptedEngine;
  readonly reconciler: Reconciler;
  readonly units: readonly AgentUnit[];
  persisted = 0;

  constructor(units: readonly AgentUnit[], world = new FakeWorld()) {
    this.units = units;
    this.world = world;
    this.engine = new InterruptedEngine(world);
    this.reconciler = new Reconciler(units, {
      engine: this.engine,
      target,
      desired: this.desired,
      clock: this.clock,
      random: () => 0,
      logger: this.log.logger,
      persist: async () => void this.persisted++,
      onSettled: (settled) => void this.settled.push(settled),
      onRound: () => {},
    });
  }

  receive(key: string, options: StateOptions): Promise<void> {
    this.desired.receive(signed(desiredState(key, options)));
    return this.reconciler.desiredChanged(key, this.clock.monotonicNs());
  }

  async confirmAll(): Promise<void> {
    for (const key of ['net.alpha', 'net.beta']) {
      if (this.desired.confirm(key)) await this.reconciler.desiredChanged(key);
    }
  }

  observation(key: string) {
    const found = this.reconciler.observations.find((observation) => observation.key === key);
    assert.ok(found, `${key} is observed`);
    return found;
  }

  notReady(): readonly string[] {
    const { units, observations } = this.reconciler;
    return notReady(units, ['net.alpha', 'net.beta'], observations, (key) =>
      this.desired.knowledge(key),
    );
  }

  alpha(unit = 'guard'): boolean | undefined {
    return this.world.inForce(unit)?.get('alpha');
  }

  /** As after kill -9: another process over the same world. */
  restarted(units = this.units): Host {
    return new Host(units, this.world);
  }
}

describe('Reconciler', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host([testUnit()]);
  });

  it('loads, flips, and only then attaches', async () => {
    host.desired.remember(signed(desiredState('net.alpha', { value: true })));
    await host.reconciler.reconcileAll();
    assert.deepEqual(host.world.history, ['load guard', 'flip guard', 'attach guard']);
    assert.equal(host.alpha(), true);
    assert.equal(host.observation('net.alpha').outcome, 'applied');
    assert.equal(host.observation('net.beta').generation, 0n);
  });

  it('a desired state is flipped, read back, persisted, then told', async () => {
    await host.reconciler.reconcileAll();
    host.settled.length = 0;
    const before = host.persisted;
    const received = host.receive('net.alpha', { generation: 5, value: true });
    host.clock.advance(3);
    await received;
    assert.equal(host.alpha(), true);
    assert.equal(host.persisted, before + 1);
    const { news, reason, observation } =
      host.settled.find((settled) => settled.observation.key === 'net.alpha') ??
      assert.fail('net.alpha is told');
    assert.deepEqual([news, reason, observation.outcome], [true, 'desired', 'applied']);
    assert.equal(observation.applyNs, 3_000_000n);
    assert.ok(observation.pokeNs > 0n);
  });

  it('what a flip changed besides the keys is read anew', async () => {
    await host.reconciler.reconcileAll();
    const unit = host.world.units.get('guard');
    assert.ok(unit);
    host.engine.interrupt = () => {
      unit.loaded = { ...unit.loaded, firstProgramId: 4711 };
      unit.inForce = unit.loaded;
    };
    await host.receive('net.alpha', { generation: 5, value: true });
    const guard = host.reconciler.units.find((each) => each.unit.spec.name === 'guard');
    assert.equal(guard?.status?.programs[0]?.programId, 4711);
  });

  it('a generation that changes nothing here is read back and told as unchanged', async () => {
    await host.reconciler.reconcileAll();
    await host.receive('net.alpha', { generation: 2, value: false });
    assert.equal(host.observation('net.alpha').outcome, 'unchanged');
    assert.equal(host.observation('net.alpha').generation, 2n);
    assert.equal(host.world.history.includes('flip guard'), false);
  });

  it('what arrives while a flip runs is done in the next round, under its own generation', async () => {
    await host.reconciler.reconcileAll();
    host.settled.length = 0;
    host.engine.interrupt = () => {
      host.engine.interrupt = () => {};
      void host.receive('net.alpha', { generation: 2, value: false });
    };
    await host.receive('net.alpha', { generation: 1, value: true });
    const told = host.settled.filter((settled) => settled.observation.key === 'net.alpha');
    assert.deepEqual(
      told.map(({ observation }) => observation.generation),
      [1n, 2n],
    );
    for (const { observation } of told) {
      assert.equal(
        observation.value,
        observation.generation === 1n,
        String(observation.generation),
      );
    }
    assert.equal(host.observation('net.alpha').generation, 2n);
    assert.equal(host.alpha(), false);
  });

  it('repairs what another program flipped, and says so to metrics only', async () => {
    await host.receive('net.alpha', { value: true });
    const standing = host.observation('net.alpha');
    host.world.tamper('guard', 'alpha', false);
    host.settled.length = 0;
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), true);
    const repaired = host.settled.find((settled) => settled.observation.key === 'net.alpha');
    assert.equal(repaired?.reason, 'drift');
    assert.equal(repaired?.news, false);
    assert.equal(host.observation('net.alpha'), standing);
  });

  it('leaves static keys that no fleet key is bound to', async () => {
    await host.reconciler.reconcileAll();
    host.world.tamper('guard', 'local_key', true);
    await host.reconciler.reconcileAll();
    assert.equal(host.world.inForce('guard')?.get('local_key'), true);
  });

  it('a failed flip is told, others go on, and it is tried again with backoff', async () => {
    host = new Host([testUnit(), testUnit('other', { 'net.other': ['alpha'] })]);
    await host.reconciler.reconcileAll();
    host.world.fail('flip', 'guard', refused, 2);
    await Promise.all([
      host.receive('net.alpha', { value: true }),
      host.receive('net.other', { value: true }),
    ]);
    const failed = host.observation('net.alpha');
    assert.deepEqual(
      [failed.outcome, failed.value, failed.error?.code],
      ['failed', false, refused.code],
    );
    assert.equal(host.observation('net.other').outcome, 'applied');
    assert.equal(host.alpha('other'), true);
    assert.match(host.notReady().join(), /key net.alpha: SKEIN_KERNEL_REFUSED: EBUSY/);

    host.clock.advance(1_000);
    await host.reconciler.reconcileAll();
    host.clock.advance(10_000);
    await host.reconciler.reconcileAll();
    assert.equal(host.observation('net.alpha').outcome, 'applied');
    assert.equal(host.alpha(), true);
    assert.equal(host.clock.pending, 0, 'no retry is left');
  });

  it('of a flip that was done in part, keys that read right are not failed', async () => {
    await host.reconciler.reconcileAll();
    host.world.stick('guard', 'alpha');
    await Promise.all([
      host.receive('net.alpha', { value: true }),
      host.receive('net.beta', { value: false }),
    ]);
    assert.equal(host.observation('net.alpha').error?.code, 'SKEIN_READBACK_MISMATCH');
    assert.equal(host.observation('net.beta').outcome, 'applied');
    assert.equal(host.observation('net.beta').value, false);
  });

  it('a unit that cannot be loaded is told, logged whole once, and loaded when it can be', async () => {
    const rejected = new SkeinError('SKEIN_VERIFIER_REJECTED', 'guard: R1 invalid', {
      detail: '0: r1\n',
    });
    host = new Host([testUnit(), testUnit('other', { 'net.other': ['alpha'] })]);
    host.world.fail('load', 'guard', rejected, 2);
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha('other'), false, 'the other unit runs');
    assert.equal(host.observation('net.alpha').error?.code, 'SKEIN_VERIFIER_REJECTED');
    await host.receive('net.alpha', { generation: 2, value: true });
    assert.equal(host.observation('net.alpha').generation, 2n);
    assert.equal(host.observation('net.alpha').outcome, 'failed');
    assert.equal(host.world.history.filter((line) => line === 'load guard').length, 0);

    host.clock.advance(1_000);
    await host.reconciler.reconcileAll();
    host.clock.advance(2_000);
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), true);
    assert.equal(host.observation('net.alpha').outcome, 'applied');
    const errors = host.log.lines.filter((line) => line.level === 50);
    assert.deepEqual(
      errors.map((line) => line.log ?? line.msg),
      [rejected.line, '0: r1\n'],
    );
  });

  it('never attaches a unit whose flip failed', async () => {
    host.desired.remember(signed(desiredState('net.alpha', { value: true })));
    host.world.fail('flip', 'guard', refused);
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), undefined);
    host.clock.advance(1_000);
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), true);
  });

  it('a missing device: the unit begins anew, with backoff, until the device is there', async () => {
    host.desired.remember(signed(desiredState('net.alpha', { value: true })));
    host.world.fail('attach', 'guard', new SkeinError('SKEIN_NO_DEVICE', 'device d0'), 2);
    await host.reconciler.reconcileAll();
    assert.match(host.notReady().join(), /unit guard: SKEIN_NO_DEVICE/);
    await host.reconciler.reconcileAll();
    assert.equal(host.world.history.length, 2, 'not before it is due: loaded and flipped once');
    for (const ms of [1_000, 2_000]) {
      host.clock.advance(ms);
      await host.reconciler.reconcileAll();
    }
    assert.equal(host.alpha(), true);
    assert.equal(host.observation('net.alpha').outcome, 'applied');
    assert.equal(host.log.lines.filter((line) => line.level === 50).length, 1);
  });

  it('a device that goes away and comes back: what is loaded is attached again, with its counters', async () => {
    await host.receive('net.alpha', { value: true });
    const place = { index: 0, offset: 0, size: 8 } as const;
    host.world.count('guard', 'hits', place, 7n);
    const unit = host.world.units.get('guard');
    assert.ok(unit);
    delete unit.inForce;
    host.world.fail('attach', 'guard', new SkeinError('SKEIN_NO_DEVICE', 'device d0'), 2);
    await host.reconciler.reconcileAll();
    assert.match(host.notReady().join(), /unit guard: SKEIN_NO_DEVICE/);
    await host.receive('net.alpha', { generation: 2, value: false });
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), false);
    assert.equal(host.observation('net.alpha').value, false);
    assert.equal(host.clock.pending, 0, 'no retry is left');
    assert.deepEqual(await host.engine.readCounters('guard', 'hits', [place]), [7n]);
    assert.equal(host.world.history.filter((line) => line === 'load guard').length, 1);
  });

  it('attaches again what fell off its hook', async () => {
    await host.reconciler.reconcileAll();
    const unit = host.world.units.get('guard');
    assert.ok(unit);
    delete unit.inForce;
    await host.reconciler.reconcileAll();
    assert.equal(host.alpha(), false);
  });

  it('adopts without changing a branch until desired state is confirmed', async () => {
    await host.receive('net.alpha', { generation: 8, value: true });
    const second = host.restarted();
    second.desired.remember(signed(desiredState('net.alpha', { generation: 7, value: false })));
    await second.reconciler.reconcileAll();
    assert.equal(second.alpha(), true, 'what runs may be newer than what is remembered');
    assert.equal(second.observation('net.alpha').generation, 0n);
    assert.match(second.notReady().join(), /key net.alpha: runs on, which is not generation 7/);

    await second.receive('net.alpha', { generation: 8, value: true });
    await second.confirmAll();
    assert.equal(second.alpha(), true);
    assert.deepEqual(second.notReady(), []);
    assert.equal(second.world.history.filter((line) => line.startsWith('load')).length, 1);
  });

  it('an adopted unit obeys last-known-good once the control plane has nothing newer', async () => {
    await host.receive('net.alpha', { generation: 7, value: false });
    host.world.tamper('guard', 'alpha', true);
    const second = host.restarted();
    second.desired.remember(signed(desiredState('net.alpha', { generation: 7, value: false })));
    await second.reconciler.reconcileAll();
    assert.equal(second.alpha(), true);
    await second.confirmAll();
    assert.equal(second.alpha(), false);
  });

  it('a new version of the object takes over with its keys set before it is in force', async () => {
    await host.receive('net.alpha', { value: true });
    const second = host.restarted([testUnit('guard', undefined, 'branches-O1.o')]);
    second.desired.remember(signed(desiredState('net.alpha', { value: true })));
    second.world.history.length = 0;
    await second.reconciler.reconcileAll();
    assert.deepEqual(second.world.history, ['load guard', 'flip guard', 'attach guard']);
    assert.equal(second.alpha(), true);
  });

  it('unloads what is no longer configured, and nothing else', async () => {
    await new Host([testUnit(), testUnit('old')], host.world).reconciler.reconcileAll();
    await host.reconciler.reconcileAll();
    assert.deepEqual([...host.world.units.keys()], ['guard']);
  });

  it('unloads it also when it comes late', async () => {
    await host.reconciler.reconcileAll();
    await new Host([testUnit(), testUnit('old')], host.world).reconciler.reconcileAll();
    await host.reconciler.reconcileAll();
    assert.deepEqual([...host.world.units.keys()], ['guard']);
  });

  it('a helper that cannot be asked makes the unit unready, not unloaded', async () => {
    await host.receive('net.alpha', { value: true });
    await host.receive('net.beta', { value: true });
    host.world.fail('observe', 'guard', new SkeinError('SKEIN_HELPER_DIED', 'signal 9'));
    await host.reconciler.reconcileAll();
    assert.match(host.notReady().join(), /unit guard: SKEIN_HELPER_DIED/);
    assert.equal(host.alpha(), true);
    host.clock.advance(1_000);
    await host.reconciler.reconcileAll();
    assert.deepEqual(host.notReady(), []);
    assert.equal(host.world.history.filter((line) => line === 'load guard').length, 1);
  });

  it('one fleet key governs static keys in several units', async () => {
    host = new Host([
      testUnit('one', { 'net.alpha': ['alpha', 'local_key'] }),
      testUnit('two', { 'net.alpha': ['callback_key'] }),
    ]);
    await host.reconciler.reconcileAll();
    host.world.fail('flip', 'two', refused);
    await host.receive('net.alpha', { value: true });
    assert.equal(host.observation('net.alpha').outcome, 'failed');
    assert.equal(host.observation('net.alpha').value, false, 'not every static key is on');
    host.clock.advance(1_000);
    await host.reconciler.reconcileAll();
    assert.equal(host.observation('net.alpha').value, true);
  });

  it('under any deliveries, faults and tampering: never back, never a lie, and right in the end', async () => {
    const step = fc.oneof(
      fc.record({ deliver: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ tamper: fc.boolean() }),
      fc.record({ fail: fc.constantFrom<'flip' | 'observe'>('flip', 'observe') }),
      fc.constant({ reconcile: true }),
      fc.constant({ pause: 2_000 }),
    );
    // Generation g wants the key on when g is odd.
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const model = new Host([testUnit('guard', { 'net.alpha': ['alpha'] })]);
        await model.reconciler.reconcileAll();
        let newest = 0;
        for (const one of steps) {
          if ('deliver' in one) {
            newest = Math.max(newest, one.deliver);
            const value = one.deliver % 2 === 1;
            const done = model.receive('net.alpha', { generation: one.deliver, value });
            if (one.deliver % 3 > 0) await done;
          }
          if ('tamper' in one) model.world.tamper('guard', 'alpha', one.tamper);
          if ('fail' in one) model.world.fail(one.fail, 'guard', refused);
          if ('reconcile' in one) await model.reconciler.reconcileAll();
          if ('pause' in one) model.clock.advance(one.pause);
        }
        for (let i = 0; i < steps.length + 1; i++) await model.reconciler.reconcileAll();
        assert.equal(model.alpha(), newest % 2 === 1);
        let last = 0n;
        for (const { observation } of model.settled) {
          assert.ok(observation.generation >= last, 'generations never go back');
          last = observation.generation;
          if (observation.outcome !== 'failed') {
            assert.equal(observation.value, observation.generation % 2n === 1n);
          }
        }
        await model.reconciler.stop();
      }),
      { numRuns: 60 },
    );
  });
});
