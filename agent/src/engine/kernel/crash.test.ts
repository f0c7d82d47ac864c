import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import type { Engine, UnitSpec } from '../engine.ts';
import { KernelWorld } from './kernel-fixture.ts';
import { CrashPoint, type Victim } from './testing/crash-point.ts';

/*
 * Each stage of a unit's life is cut short after the first request to a helper that changes something, after the
 * second, and so on until it is no more. What is in force must then be what was before the stage or what the stage is
 * for, and whoever comes next must bring the unit up from there.
 */

// Every agent that is started here starts a thread, which would compile its modules anew.
const compiled = mkdtempSync(join(tmpdir(), 'skein-test-'));
process.env.NODE_COMPILE_CACHE = compiled;
after(() => rmSync(compiled, { recursive: true }));

const FLIPPED = new Map([
  ['off_by_default', true],
  ['on_by_default', false],
]);
/** As contract.bpf.c has it. */
const DECLARED_1 = 0x102;
const FLIPPED_1 = 0x101;
const FLIPPED_2 = 0x201;

interface Stage {
  readonly name: string;
  /** Done before the crash is armed. */
  prepare(engine: Engine, world: KernelWorld): Promise<unknown>;
  run(engine: Engine, world: KernelWorld): Promise<unknown>;
  /** What each hook that is in force may return after a crash. */
  readonly allowed: readonly number[];
  /** How many hooks are in force whenever it crashes; absent: any number. */
  readonly hooks?: number;
  /** What `run` leaves configured. */
  readonly leaves: 'unit' | 'nextVersion';
}

const STAGES: readonly Stage[] = [
  {
    name: 'load',
    prepare: async () => {},
    run: (engine, { unit }) => engine.load(unit),
    allowed: [],
    hooks: 0,
    leaves: 'unit',
  },
  {
    name: 'attach',
    prepare: async (engine, { unit }) => {
      await engine.load(unit);
      await engine.flip(unit.name, FLIPPED);
    },
    run: (engine, { unit }) => engine.attach(unit.name),
    allowed: [FLIPPED_1],
    leaves: 'unit',
  },
  {
    name: 'flip, specialise and swap',
    prepare: running,
    run: flipAndSpecialise,
    allowed: [DECLARED_1, FLIPPED_1],
    hooks: 2,
    leaves: 'unit',
  },
  {
    name: 'replace by another object',
    prepare: async (engine, world) => {
      await running(engine, world);
      await flipAndSpecialise(engine, world);
    },
    run: async (engine, { nextVersion }) => {
      await engine.load(nextVersion);
      await engine.flip(nextVersion.name, FLIPPED);
      await engine.attach(nextVersion.name);
    },
    allowed: [FLIPPED_1, FLIPPED_2],
    hooks: 2,
    leaves: 'nextVersion',
  },
  {
    name: 'attach to a device made anew',
    prepare: async (engine, world) => {
      await running(engine, world);
      world.replaceDevice();
    },
    run: (engine, { unit }) => engine.attach(unit.name),
    allowed: [DECLARED_1],
    leaves: 'unit',
  },
  {
    name: 'unload',
    prepare: running,
    run: (engine, { unit }) => engine.unload(unit.name),
    allowed: [DECLARED_1],
    leaves: 'unit',
  },
];

describe('whoever dies', { concurrency: 4 }, () => {
  for (const stage of STAGES) {
    for (const victim of ['helper', 'agent'] as const) {
      it(`${stage.name}: the ${victim} may die after any request`, async (t) => {
        const requests = await crashEverywhere(stage, victim);
        t.diagnostic(`after ${requests.join(', ')}`);
        assert.notEqual(requests.length, 0);
      });
    }
  }
});

/**
 * Each round ends with nothing left, and with an engine for the next. Resolves to the requests after which it
 * crashed.
 */
async function crashEverywhere(stage: Stage, victim: Victim): Promise<readonly string[]> {
  await using world = new KernelWorld();
  // Room for one variant, so that none is prepared: what a stage asks of the helper is its own.
  world.limits.count = 1;
  const requests: string[] = [];
  let point = new CrashPoint(victim, () => world.startHelper());
  let engine = await world.createEngine(point.startHelper);
  for (;;) {
    await stage.prepare(engine, world);
    const crashed = await crashAt(requests.length + 1, stage, engine, point, world);
    if (victim === 'agent') {
      await engine.close();
      point = new CrashPoint(victim, () => world.startHelper());
      engine = await world.createEngine(point.startHelper);
    }
    await bringUpAndUnload(engine, stage, world, `${stage.name}, after ${crashed}`);
    if (crashed === undefined) return requests;
    requests.push(crashed);
  }
}

/** Resolves to the request after which it crashed; `undefined` when the stage was over before. */
async function crashAt(
  nth: number,
  stage: Stage,
  engine: Engine,
  point: CrashPoint,
  world: KernelWorld,
): Promise<string | undefined> {
  point.arm(nth);
  const failure = await stage.run(engine, world).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  point.disarm();
  const where = `${stage.name}, dies after request ${nth}, ${point.crashed}: ${failure ?? 'no error'}`;
  if (point.crashed === undefined) assert.ifError(failure);
  const verdicts = await world.verdicts();
  for (const verdict of verdicts)
    assert.ok(stage.allowed.includes(verdict), `${where}: ${verdict}`);
  if (stage.hooks !== undefined) assert.equal(verdicts.length, stage.hooks, where);
  return point.crashed;
}

/** As an agent does after a start or an error, and when its configuration is gone. */
async function bringUpAndUnload(
  engine: Engine,
  { leaves }: Stage,
  world: KernelWorld,
  where: string,
): Promise<void> {
  const spec: UnitSpec = world[leaves];
  if ((await engine.adopt(spec)) === undefined) await engine.load(spec);
  const wanted = new Map(world.declared);
  await engine.flip(spec.name, wanted);
  await engine.attach(spec.name);
  const { attached, keys } = await engine.observe(spec.name);
  assert.ok(attached, where);
  assert.deepEqual(new Map([...keys].sort()), wanted, where);
  assert.deepEqual(await world.behaviour(), { keys: wanted, version: leaves }, where);
  await engine.unload(spec.name);
  assert.deepEqual(await engine.leftovers(), [], where);
  assert.deepEqual(existsSync(world.pinRoot) ? readdirSync(world.pinRoot) : [], [], where);
}

async function running(engine: Engine, world: KernelWorld): Promise<void> {
  const enough = world.specialised.length + 2;
  await engine.load(world.unit);
  await engine.attach(world.unit.name);
  await outcomes(world, enough);
}

async function flipAndSpecialise(engine: Engine, world: KernelWorld): Promise<void> {
  const enough = world.specialised.length + 2;
  await engine.flip(world.unit.name, FLIPPED);
  await outcomes(world, enough);
}

/** Until specialising came out, well or not, so often in all: once for each program. */
async function outcomes({ specialised }: KernelWorld, enough: number): Promise<void> {
  await until('both programs are specialised', () => specialised.length >= enough);
}
