import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import { ContractWorld, type EngineFixture, sortedKeys } from './contract-world.ts';
import type { CounterPlace, UnitStatus } from './engine.ts';

/** The behaviour that every engine has. Each test has a world of its own. */
export function describeEngineContract(
  name: string,
  makeFixture: (t: TestContext) => Promise<EngineFixture>,
): void {
  const contract = (title: string, body: (world: ContractWorld) => Promise<void>) =>
    it(title, async (t) => {
      await using world = new ContractWorld(await makeFixture(t));
      await body(world);
    });

  describe(`engine contract: ${name}`, () => {
    contract('probe names the kernel and reports features as values', async (world) => {
      const probe = await (await world.engine()).probe();
      assert.notEqual(probe.kernelRelease, '');
      for (const feature of probe.features) assert.notEqual(feature.name, '');
    });

    contract('load attaches nothing and shows every key as declared', async (world) => {
      const engine = await world.engine();
      const status = await engine.load(world.unit);
      assert.equal(status.attached, false);
      assert.deepEqual(sortedKeys(status.keys), sortedKeys(world.declared));
      assert.equal(await world.fixture.behaviour(), undefined);
    });

    contract('load measures every program', async (world) => {
      const status = await (await world.engine()).load(world.unit);
      const names = world.unit.attachments.map((attachment) => attachment.program);
      assert.deepEqual(status.programs.map((program) => program.program).sort(), names.sort());
      for (const program of status.programs) {
        assert.ok(program.sites > 0, `${program.program}: sites`);
        assert.ok(program.statistics.verifiedInstructions > 0, `${program.program}: instructions`);
        assert.ok(program.statistics.xlatedBytes > 0, `${program.program}: xlated bytes`);
      }
    });

    contract('attach puts the programs in force, twice the same', async (world) => {
      const engine = await world.running();
      assert.equal((await engine.observe(world.unit.name)).attached, true);
      await world.assertInForce(world.declared, 'unit');
      assert.equal((await engine.attach(world.unit.name)).attached, true);
      await world.assertInForce(world.declared, 'unit');
    });

    contract('a flip before attach holds from the first event on', async (world) => {
      const engine = await world.engine();
      await engine.load(world.unit);
      const wanted = world.inverted();
      await engine.flip(world.unit.name, wanted);
      assert.equal(await world.fixture.behaviour(), undefined);
      await engine.attach(world.unit.name);
      await world.assertInForce(wanted, 'unit');
    });

    contract('flip takes effect, reads back, and leaves other keys', async (world) => {
      const engine = await world.running();
      for (const [key, declared] of world.declared) {
        const report = await engine.flip(world.unit.name, new Map([[key, !declared]]));
        assert.deepEqual([...report.keys], [[key, !declared]]);
        assert.ok(report.pokeNs > 0n);
        const expected = new Map([...world.declared, [key, !declared]]);
        await world.assertInForce(expected, 'unit');
        assert.deepEqual(await world.observedKeys(engine), sortedKeys(expected));
        await engine.flip(world.unit.name, new Map([[key, declared]]));
        await world.assertInForce(world.declared, 'unit');
      }
    });

    contract('flips several keys at once, and again to the same', async (world) => {
      const engine = await world.running();
      const wanted = world.inverted();
      for (let round = 0; round < 2; round++) {
        const report = await engine.flip(world.unit.name, wanted);
        assert.deepEqual(sortedKeys(report.keys), sortedKeys(wanted));
        await world.assertInForce(wanted, 'unit');
      }
    });

    contract('tells every site, with the value that its program acts on', async (world) => {
      const engine = await world.running();
      const { programs } = await engine.observe(world.unit.name);
      for (const values of [world.declared, world.inverted()]) {
        await engine.flip(world.unit.name, values);
        const sites = await engine.sites(world.unit.name);
        for (const { program, sites: count } of programs) {
          const own = sites.filter((site) => site.program === program);
          assert.equal(own.length, count, program);
        }
        for (const { key, on } of sites) assert.equal(on, values.get(key) ?? on, key);
        const addresses = sites.flatMap(({ address }) => address ?? []);
        assert.equal(new Set(addresses).size, addresses.length);
        for (const { state, address, source } of sites) {
          assert.equal(address !== undefined, state === 'branch');
          assert.notEqual(address, 0n);
          assert.ok(source);
        }
      }
    });

    contract('an unknown key refuses the whole flip', async (world) => {
      const engine = await world.running();
      const changes = new Map([...world.inverted(), ['no_such_key', true]]);
      await rejectsWith('SKEIN_UNKNOWN_STATIC_KEY', engine.flip(world.unit.name, changes));
      await world.assertInForce(world.declared, 'unit');
    });

    contract('an unknown unit is refused by every call that needs one', async (world) => {
      const engine = await world.engine();
      await rejectsWith('SKEIN_INTERNAL', engine.attach('nobody'));
      await rejectsWith('SKEIN_INTERNAL', engine.observe('nobody'));
      await rejectsWith('SKEIN_INTERNAL', engine.sites('nobody'));
      await rejectsWith('SKEIN_INTERNAL', engine.flip('nobody', new Map()));
      await rejectsWith('SKEIN_INTERNAL', world.runs(engine, 'nobody'));
    });

    contract(
      'close leaves programs running; a new engine adopts them as they are',
      async (world) => {
        const first = await world.running();
        const wanted = world.inverted();
        await first.flip(world.unit.name, wanted);
        const before = await first.observe(world.unit.name);
        await world.close(first);
        await world.assertInForce(wanted, 'unit');

        const second = await world.engine();
        assert.deepEqual(await second.leftovers(), [world.unit.name]);
        const adopted = await second.adopt(world.unit);
        assert.ok(adopted, 'adopted');
        assert.equal(adopted.attached, true);
        assert.deepEqual(programIds(adopted), programIds(before));
        assert.deepEqual(sortedKeys(adopted.keys), sortedKeys(wanted));
        await world.assertInForce(wanted, 'unit');
        await second.flip(world.unit.name, world.declared);
        await world.assertInForce(world.declared, 'unit');
      },
    );

    contract('adopt finds nothing in an empty world', async (world) => {
      const engine = await world.engine();
      assert.equal(await engine.adopt(world.unit), undefined);
      assert.deepEqual(await engine.leftovers(), []);
    });

    contract('another object is not adopted; loaded and attached, it replaces', async (world) => {
      const first = await world.running();
      const wanted = world.inverted();
      await first.flip(world.unit.name, wanted);
      await world.close(first);

      const second = await world.engine();
      const next = world.fixture.nextVersion;
      assert.equal(await second.adopt(next), undefined);
      await world.assertInForce(wanted, 'unit');
      const loaded = await second.load(next);
      assert.deepEqual(sortedKeys(loaded.keys), sortedKeys(world.declared));
      await world.assertInForce(wanted, 'unit');
      await second.flip(next.name, wanted);
      const status = await second.attach(next.name);
      assert.notEqual(status.objectDigest, '');
      await world.assertInForce(wanted, 'nextVersion');
      await world.close(second);

      const third = await world.engine();
      assert.ok(await third.adopt(next), 'the new object is what is adopted now');
      await world.assertInForce(wanted, 'nextVersion');
    });

    contract(
      'counters move with the programs, and live on over flips and agents',
      async (world) => {
        const first = await world.engine();
        await first.load(world.unit);
        assert.equal(await world.runs(first), 0n);
        await first.attach(world.unit.name);
        let runs = 0n;
        for (const keys of [world.declared, world.inverted(), world.declared]) {
          await first.flip(world.unit.name, keys);
          const flipped = await world.runs(first);
          assert.ok(flipped >= runs, `${flipped} after ${runs}: a flip forgets nothing`);
          await world.assertInForce(keys, 'unit');
          runs = await world.runs(first);
          assert.ok(runs > flipped, `${runs} after ${flipped}`);
        }
        await world.close(first);

        const second = await world.engine();
        assert.ok(await second.adopt(world.unit));
        const adopted = await world.runs(second);
        assert.ok(adopted >= runs, `${adopted} after ${runs}: nor does a new agent`);
        await world.assertInForce(world.declared, 'unit');
        assert.ok((await world.runs(second)) > adopted);

        await second.load(world.fixture.nextVersion);
        assert.equal(await world.runs(second), 0n, 'another object has maps of its own');
      },
    );

    contract('counters come in the order asked for', async (world) => {
      const engine = await world.running();
      await world.fixture.behaviour();
      const { map, place } = world.fixture.runs;
      const other = { ...place, index: place.index + 1 };
      const read = (...places: CounterPlace[]) => engine.readCounters(world.unit.name, map, places);
      const [before = 0n, none] = await read(place, other);
      assert.ok(before > 0n);
      const [stillNone, after = 0n] = await read(other, place);
      assert.ok(after >= before);
      assert.deepEqual([none, stillNone], [0n, 0n]);
    });

    contract('unload leaves nothing', async (world) => {
      const engine = await world.running();
      await engine.unload(world.unit.name);
      assert.equal(await world.fixture.behaviour(), undefined);
      assert.deepEqual(await engine.leftovers(), []);
      assert.equal(await engine.adopt(world.unit), undefined);
    });

    contract('what an earlier process left can be unloaded without adopting it', async (world) => {
      await world.close(await world.running());
      const second = await world.engine();
      await second.unload(world.unit.name);
      assert.equal(await world.fixture.behaviour(), undefined);
      assert.deepEqual(await second.leftovers(), []);
    });
  });
}

function programIds(status: UnitStatus): number[] {
  return status.programs.map((program) => program.programId);
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof SkeinError, String(error));
    assert.equal(error.code, code, error.line);
    return true;
  });
}
