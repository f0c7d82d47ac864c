import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tier } from '#common/observed.ts';
import { mulberry32 } from '../../../../test/support/random.ts';
import { until } from '../../../../test/support/until.ts';
import type { Helper } from '../../helper/helper.ts';
import { readObject } from '../../object/read-object.ts';
import { compile, KEYS, PROGRAMS, randomSource } from '../../program/testdata/random-program.ts';
import type { UnitSpec } from '../engine.ts';
import { KernelWorld } from './kernel-fixture.ts';
import { adopt } from './pin-tree.ts';
import { hookDirectory, mapPin } from './pins.ts';
import { keysOfProgram } from './vector.ts';

const FLIPS = 60;
const PACKET_BYTES = 64;
/** Where a random program's `seen` is, which every run may add to. */
const SIDE_EFFECTS = '.bss';

// Each seed is a random object and random flips of it; what fails can be had again by its seed.
for (const seed of [11, 12, 13]) {
  test(`random flips ${seed}: what is in force does what plain branches on variables do`, async (t) => {
    await using undo = new AsyncDisposableStack();
    const world = undo.use(new KernelWorld());
    const random = mulberry32(seed);
    const source = randomSource(random);
    const unit = unitOf(world, compile(source));
    const engine = await world.createEngine();
    await engine.load(unit);
    await engine.attach(unit.name);

    const helper = await world.startHelper();
    undo.defer(() => helper.close());
    const subject = await openSubject(helper, unit, world);
    const reference = await loadReference(helper, unit, compile(source, '-DREFERENCE'));
    const values = new Map((await engine.observe(unit.name)).keys);
    const answers = new Set<string>();
    const assertSame = async (where: string) => {
      const packet = Uint8Array.from({ length: PACKET_BYTES }, () => random(256));
      for (const { program } of unit.attachments) {
        const found = await subject.run(program, packet);
        const expected = await reference.run(program, packet);
        assert.equal(found, expected, `${program}, ${where}`);
        answers.add(`${program} ${expected}`);
      }
      assert.equal(await subject.seen(), await reference.seen(), `side effects, ${where}`);
    };

    const tiers: Record<Tier, number> = { dynamic: 0, specialised: 0, patched: 0 };
    for (let flip = 0; flip < FLIPS; flip++) {
      const changes = new Map(
        KEYS.filter(() => random(2) === 1).map((key) => [key, random(2) === 1]),
      );
      const { tier } = await engine.flip(unit.name, changes);
      tiers[tier]++;
      for (const [key, value] of changes) values.set(key, value);
      await reference.set(values);
      const where = `flip ${flip} to ${JSON.stringify([...values])}, ${tier}\n${source}`;
      await assertSame(where);
      if (random(2) === 1) continue;
      await until('specialised', async () => {
        const { programs } = await engine.observe(unit.name);
        return programs.every((program) => program.tier === 'specialised');
      });
      await assertSame(`settled: ${where}`);
    }
    t.diagnostic(`flips by tier: ${JSON.stringify(tiers)}; ${answers.size} answers`);
    assert.ok(tiers.dynamic > 0 && tiers.specialised > 0);
    assert.ok(answers.size > 2 * PROGRAMS.length, 'programs answer to packets and keys');
    assert.notEqual(await subject.seen(), 0, 'there are side effects');
  });
}

/** The two programs with the most keys, at devices where nothing comes by. */
function unitOf(world: KernelWorld, object: Uint8Array): UnitSpec {
  const read = readObject(object);
  const keys = (program: string) => keysOfProgram(read, program).length;
  const [first, second] = PROGRAMS.toSorted((a, b) => keys(b) - keys(a));
  assert.ok(first && second && keys(second) > 1, 'two programs with several keys');
  const [here, there] = world.silentDevices;
  const attachments = [
    { program: first, hook: { kind: 'xdp', ...here } },
    { program: second, hook: { kind: 'xdp', ...there } },
  ] as const;
  return { ...world.unit, object, attachments };
}

/** What is attached, dispatchers and all. */
async function openSubject(helper: Helper, unit: UnitSpec, world: KernelWorld) {
  const open = async (path: string) => {
    const adopted = await adopt(helper, `${unit.name}/${path}`);
    assert.ok(adopted, path);
    return adopted.handle;
  };
  const dispatchers = new Map<string, number>();
  for (const attachment of unit.attachments) {
    const hook = hookDirectory(attachment, 'xdp');
    dispatchers.set(attachment.program, await open(`${hook}/dispatcher`));
  }
  const effects = await open(mapPin(world.versionName(), SIDE_EFFECTS));
  return runnable(helper, dispatchers, effects);
}

/** The same source with plain branches, so that its variables are no keys to a reader: loaded, and attached nowhere. */
async function loadReference(
  helper: Helper,
  { name, object, attachments }: UnitSpec,
  plain: Uint8Array,
) {
  const programs = attachments.map(({ program }) => program);
  const loaded = await helper.request('load', { object: plain, name, programs, reuse: [] });
  const maps = new Map(loaded.maps.map(({ section, map }) => [section, map]));
  const handles = new Map(loaded.programs.map((one) => [one.name, one.program]));
  const { keys } = readObject(object);
  return {
    ...runnable(helper, handles, maps.get(SIDE_EFFECTS) ?? 0),
    async set(values: ReadonlyMap<string, boolean>): Promise<void> {
      const variables = keys.map(({ name: key, section, offset }) => {
        return { map: maps.get(section) ?? 0, offset, value: Number(values.get(key) === true) };
      });
      await helper.request('writeVariables', { variables });
    },
  };
}

function runnable(helper: Helper, programs: ReadonlyMap<string, number>, effects: number) {
  return {
    async run(name: string, dataIn: Uint8Array): Promise<number> {
      const request = { program: programs.get(name) ?? 0, dataIn, repeat: 1 };
      return (await helper.request('testRun', request)).returnValue;
    },
    async seen(): Promise<number | undefined> {
      const variables = [{ map: effects, offset: 0, value: 0 }];
      return (await helper.request('readVariables', { variables })).values[0];
    },
  };
}
