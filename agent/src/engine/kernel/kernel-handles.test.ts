import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import type { UnitSpec } from '../engine.ts';
import type { KernelEngine } from './kernel-engine.ts';
import { helperChildren, KernelWorld } from './kernel-fixture.ts';

/** Two flips away from what the object declares: no variant is prepared for it. */
const BOTH_NEW = new Map([
  ['off_by_default', true],
  ['on_by_default', false],
]);

/** A helper holds 4096 handles, and what it holds stays in the kernel: nothing may be left open for good. */
function handlesTest(
  name: string,
  body: (world: KernelWorld, engine: KernelEngine) => Promise<void>,
): void {
  test(name, async () => {
    await using world = new KernelWorld();
    await body(world, await world.createEngine());
  });
}

handlesTest('new versions leave no handles of the old ones', async (world, engine) => {
  await deploy(world, engine, world.unit);
  const before = openFiles();
  for (const spec of [world.nextVersion, world.unit, world.nextVersion, world.unit]) {
    await deploy(world, engine, spec);
  }
  assert.equal(openFiles(), before);
});

handlesTest('an attachment that fails leaves none', async (world, engine) => {
  const { unit } = world;
  const [xdp, tc] = unit.attachments;
  assert.ok(xdp && tc);
  const hook = { kind: 'tc', device: 'eth9', direction: 'egress' } as const;
  const broken = { ...unit, attachments: [xdp, { ...tc, hook }] };
  await engine.load(unit);
  await engine.attach(unit.name);
  const failing = async () => {
    assert.equal(await engine.adopt(broken), undefined);
    await engine.load(broken);
    await assert.rejects(engine.attach(unit.name), /eth9/);
  };
  await failing();
  const before = openFiles();
  for (let i = 0; i < 3; i++) await failing();
  assert.equal(openFiles(), before);
});

handlesTest('what is unloaded right after a flip leaves no pins', async (world, engine) => {
  const { unit } = world;
  await deploy(world, engine, unit);
  await Promise.all([engine.flip(unit.name, BOTH_NEW), engine.unload(unit.name)]);
  await engine.close();
  const second = await world.createEngine();
  assert.deepEqual(await second.leftovers(), []);
  const failed = world.specialised.filter(({ result }) => result === 'failed');
  assert.deepEqual(failed, []);
});

handlesTest('a variant survives the death of the helper that makes it', async (world, engine) => {
  await deploy(world, engine, world.unit);
  const [, builder] = helperChildren();
  assert.ok(builder);
  process.kill(builder, 'SIGSTOP');
  await engine.flip(world.unit.name, BOTH_NEW);
  process.kill(builder, 'SIGKILL');
  await settled(engine, world.unit);
  assert.equal(world.helperExits.length, 1);
});

async function deploy(world: KernelWorld, engine: KernelEngine, spec: UnitSpec): Promise<void> {
  await engine.load(spec);
  await engine.attach(spec.name);
  await settled(engine, spec);
  const { count } = world.limits;
  await until('neighbours are prepared', async () => {
    const { programs } = await engine.observe(spec.name);
    return programs.every(({ variants }) => variants === 1 + count);
  });
}

async function settled(engine: KernelEngine, spec: UnitSpec): Promise<void> {
  await until('every program is specialised', async () => {
    const { programs } = await engine.observe(spec.name);
    return programs.every(({ tier }) => tier === 'specialised');
  });
}

/** Of the helper that holds the units. */
function openFiles(): number {
  const [helper] = helperChildren();
  return readdirSync(`/proc/${helper}/fd`).length;
}
