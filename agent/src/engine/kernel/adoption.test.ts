import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import type { KernelEngine } from './kernel-engine.ts';
import { KernelWorld } from './kernel-fixture.ts';

const FLIPPED = new Map([
  ['off_by_default', true],
  ['on_by_default', true],
]);
/** Of the vector with off_by_default alone: the first key is the highest bit. */
const ONE_FLIP_AWAY = '8';

/** A unit that runs with flipped keys and every variant prepared, left by one engine and found by the next. */
function adoptionTest(
  name: string,
  body: (world: KernelWorld, next: KernelEngine) => Promise<void>,
): void {
  test(name, async () => {
    await using world = new KernelWorld();
    const { unit } = world;
    const engine = await world.createEngine();
    await engine.load(unit);
    await engine.flip(unit.name, FLIPPED);
    await engine.attach(unit.name);
    await until('all is prepared', async () => {
      const { programs } = await engine.observe(unit.name);
      return programs.every(({ variants }) => variants === 1 + world.limits.count);
    });
    await engine.close();
    await body(world, await world.createEngine());
  });
}

/** Not adopted: what ran runs on, and is replaced as another object is. */
async function assertReplaced(world: KernelWorld, engine: KernelEngine): Promise<void> {
  const { unit } = world;
  assert.equal(await engine.adopt(unit), undefined);
  assert.deepEqual((await world.behaviour())?.keys, FLIPPED);
  await engine.load(unit);
  await engine.flip(unit.name, FLIPPED);
  await engine.attach(unit.name);
  assert.deepEqual((await world.behaviour())?.keys, FLIPPED);
  assert.equal((await engine.observe(unit.name)).attached, true);
  assert.match(world.versionName(), /^v1_/);
}

adoptionTest('pins of another format are not adopted', async (world, engine) => {
  const version = world.versionDirectory();
  renameSync(version, version.replace('/v1_', '/v0_'));
  await assertReplaced(world, engine);
});

adoptionTest('another program under the name of ours is not adopted', async (world, engine) => {
  await world.pinInstead(world.variantPin('prog_contract_xdp'), world.nextVersion);
  await assertReplaced(world, engine);
});

adoptionTest(
  'nor is one that was prepared, which costs only its variant',
  async (world, engine) => {
    await world.pinInstead(
      world.variantPin(`spec_contract_xdp/${ONE_FLIP_AWAY}`),
      world.nextVersion,
    );
    const adopted = await engine.adopt(world.unit);
    assert.deepEqual(
      adopted?.programs.map(({ variants }) => variants),
      [world.limits.count, 1 + world.limits.count],
    );
    const keys = new Map([...FLIPPED, ['on_by_default', false]]);
    assert.equal((await engine.flip(world.unit.name, keys)).tier, 'dynamic');
    assert.deepEqual(await world.behaviour(), { keys, version: 'unit' });
  },
);
