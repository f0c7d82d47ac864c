import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import type { ProgramStatus, UnitStatus } from '../engine.ts';
import type { KernelEngine } from './kernel-engine.ts';
import { KernelWorld } from './kernel-fixture.ts';

const UNIT = 'contract';
const OFF_ON = vector(false, true);
const ON_ON = vector(true, true);
const ON_OFF = vector(true, false);

function specialisedTest(
  name: string,
  body: (world: KernelWorld, engine: KernelEngine) => Promise<void>,
): void {
  test(name, async () => {
    await using world = new KernelWorld();
    const engine = await world.createEngine();
    await engine.load(world.unit);
    await engine.attach(UNIT);
    await settled(engine);
    await body(world, engine);
  });
}

specialisedTest(
  'soon after attach the sites are gone, and the code is smaller',
  async (world, engine) => {
    const { programs } = await engine.observe(UNIT);
    for (const { tier, bytesSaved, tierReason, sites } of programs) {
      assert.deepEqual([tier, tierReason, sites], ['specialised', '', 2]);
      assert.ok(bytesSaved > 0);
    }
    assert.deepEqual((await world.behaviour())?.keys, OFF_ON);
  },
);

specialisedTest(
  'a flip to a prepared vector is one poke for each program, at once specialised',
  async (world, engine) => {
    await prepared(engine);
    const before = ids(await engine.observe(UNIT));
    const report = await engine.flip(UNIT, new Map([['off_by_default', true]]));
    assert.equal(report.tier, 'specialised');
    assert.deepEqual((await world.behaviour())?.keys, ON_ON);
    const after = await engine.observe(UNIT);
    assert.deepEqual(after.keys, ON_ON);
    assert.ok(ids(after).every((id) => !before.includes(id)));
  },
);

specialisedTest(
  'a flip to a vector that is not prepared takes effect on the dynamic tier, then loses its sites',
  async (world, engine) => {
    const report = await engine.flip(UNIT, ON_OFF);
    assert.equal(report.tier, 'dynamic');
    assert.deepEqual((await world.behaviour())?.keys, ON_OFF);
    await settled(engine);
    assert.deepEqual((await world.behaviour())?.keys, ON_OFF);
  },
);

specialisedTest(
  'a specialised program does not read its variable; the difference is seen, and the next flip sets it right',
  async (world, engine) => {
    await world.writeKey('off_by_default', 1);
    assert.deepEqual((await world.behaviour())?.keys, OFF_ON);
    assert.deepEqual((await engine.observe(UNIT)).keys, new Map([['on_by_default', true]]));
    await engine.flip(UNIT, new Map([['on_by_default', true]]));
    assert.deepEqual((await engine.observe(UNIT)).keys, OFF_ON);
  },
);

specialisedTest(
  'variants survive a restart: adopted in force, and the prepared ones at hand',
  async (world, engine) => {
    await prepared(engine);
    const before = await engine.observe(UNIT);
    await engine.close();
    const second = await world.createEngine();
    const adopted = await second.adopt(world.unit);
    assert.ok(adopted);
    assert.deepEqual(ids(adopted), ids(before));
    assert.deepEqual(
      adopted.programs.map(({ tier, variants }) => [tier, variants]),
      before.programs.map(({ tier, variants }) => [tier, variants]),
    );
    const report = await second.flip(UNIT, new Map([['on_by_default', false]]));
    assert.equal(report.tier, 'specialised');
  },
);

specialisedTest(
  'a crash between pin and slot: the variant is put in force by the next process',
  async (world, engine) => {
    await engine.close();
    await world.putDynamic('contract_xdp');
    const second = await world.createEngine();
    const adopted = await second.adopt(world.unit);
    assert.deepEqual(
      adopted?.programs.map(({ tier }) => tier),
      ['specialised', 'specialised'],
    );
    assert.deepEqual((await world.behaviour())?.keys, OFF_ON);
  },
);

specialisedTest(
  'what is in force is adopted and kept also where the limits have become smaller',
  async (world, engine) => {
    await prepared(engine);
    const before = await engine.observe(UNIT);
    await engine.close();
    world.limits.bytes = 1;
    const second = await world.createEngine();
    const adopted = await second.adopt(world.unit);
    assert.ok(adopted);
    assert.deepEqual(ids(adopted), ids(before));
    for (const { program, tier, variants } of adopted.programs) {
      assert.deepEqual([tier, variants], ['specialised', 2]);
      assert.equal(pinnedVariants(world, program), 1);
    }
  },
);

specialisedTest('a hook that is made anew gets the variant at hand', async (world, engine) => {
  world.replaceDevice();
  const { programs } = await engine.attach(UNIT);
  assert.deepEqual(
    programs.map(({ tier }) => tier),
    ['specialised', 'specialised'],
  );
});

specialisedTest(
  'what is kept is bounded, and what is in force is never given up',
  async (world, engine) => {
    for (const keys of [ON_OFF, OFF_ON, ON_ON, vector(false, false), ON_OFF]) {
      await engine.flip(UNIT, keys);
      await settled(engine);
      assert.deepEqual((await world.behaviour())?.keys, keys);
      for (const { program, variants } of (await engine.observe(UNIT)).programs) {
        assert.ok(variants <= 1 + world.limits.count, `${program}: ${variants}`);
        // One more while a variant that was just built waits to be taken over.
        await until(`${program}: pins`, () => pinnedVariants(world, program) <= world.limits.count);
      }
    }
  },
);

specialisedTest(
  'a variant that cannot be made leaves the dynamic tier and says why',
  async (world, engine) => {
    world.breakBuilds();
    const report = await engine.flip(UNIT, ON_OFF);
    assert.equal(report.tier, 'dynamic');
    await until('both programs say why', async () => {
      const { programs } = await engine.observe(UNIT);
      for (const { tier } of programs) assert.equal(tier, 'dynamic');
      return programs.every(({ tierReason }) => /^SKEIN_\w+: /.test(tierReason));
    });
    assert.deepEqual((await world.behaviour())?.keys, ON_OFF);
  },
);

test('a variant larger than the limit is not kept, and none is made ahead of need', async () => {
  await using world = new KernelWorld();
  world.limits.bytes = 1;
  const engine = await world.createEngine();
  await engine.load(world.unit);
  await engine.attach(UNIT);
  await until('both programs say why', async () => {
    const { programs } = await engine.observe(UNIT);
    return programs.every(({ tierReason }) => /larger than the variants' limit/.test(tierReason));
  });
  await engine.close();
  assert.deepEqual(
    world.specialised.map(({ result }) => result),
    ['failed', 'failed'],
  );
  for (const { program } of world.unit.attachments) assert.equal(pinnedVariants(world, program), 0);
});

test('what is expected to be flipped is prepared at once, before what is not', async () => {
  await using world = new KernelWorld();
  // Besides the one in force, room for one: by the order of the keys that is off_by_default's.
  world.limits.count = 2;
  const engine = await world.createEngine();
  await engine.load(world.unit);
  await engine.attach(UNIT);
  await until('both programs have two variants', () => world.specialised.length === 4);
  engine.expect(UNIT, new Set(['on_by_default']));
  await until('both have one more', () => world.specialised.length === 6);
  const { tier } = await engine.flip(UNIT, new Map([['on_by_default', false]]));
  assert.equal(tier, 'specialised');
});

/** Every program is on the specialised tier. */
async function settled(engine: KernelEngine): Promise<void> {
  await until('every program is specialised', async () => {
    const { programs } = await engine.observe(UNIT);
    return programs.every(({ tier }) => tier === 'specialised');
  });
}

/** Every vector one flip away is loaded as well. */
async function prepared(engine: KernelEngine): Promise<void> {
  await until('neighbours are prepared', async () => {
    const { programs } = await engine.observe(UNIT);
    return programs.every(({ variants }) => variants === 4);
  });
}

function ids({ programs }: UnitStatus): number[] {
  return programs.map(({ programId }: ProgramStatus) => programId);
}

function pinnedVariants(world: KernelWorld, program: string): number {
  return readdirSync(`${world.versionDirectory()}/spec_${program}`).length;
}

function vector(off: boolean, on: boolean): ReadonlyMap<string, boolean> {
  return new Map([
    ['off_by_default', off],
    ['on_by_default', on],
  ]);
}
