import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RuntimeConnection, RuntimeServer } from '../../../helper/runtime-server.ts';
import type { UnitSpec } from '../../engine.ts';
import { Machine } from '../machine.ts';
import { prepareObject } from '../prepare.ts';
import { type PreparedUnit, prepareUnit } from '../prepared-unit.ts';
import type { UserspaceEngine } from '../userspace-engine.ts';
import { UserspaceWorld } from '../userspace-fixture.ts';
import type { InstallBlob } from './install-blob.ts';
import { LoadedUnit } from './loaded-unit.ts';
import { RuntimeSession } from './runtime-session.ts';

type Addresses = ReadonlyMap<string, readonly bigint[]>;

/** A world with one runtime, which is gone afterwards. */
function runtimeTest(name: string, body: (world: UserspaceWorld) => Promise<void>) {
  test(name, { skip: process.arch === 'x64' ? false : 'the JIT is for x86-64' }, async () => {
    await using world = new UserspaceWorld();
    await body(world);
  });
}

/** Asks the runtime while no agent is there: it has only what is installed, and what that uses. */
async function askRuntime<T>(
  { socket }: UserspaceWorld,
  ask: (session: RuntimeSession) => Promise<T>,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<RuntimeConnection>();
  const server = await RuntimeServer.listen(socket, resolve);
  try {
    return await ask(await RuntimeSession.open(await promise));
  } finally {
    await server.close();
  }
}

function blobAt({ hooks }: RuntimeSession, hook: string): InstallBlob {
  const blob = hooks.get(hook)?.installed?.blob;
  assert.ok(blob);
  return blob;
}

async function listSet({ connection }: RuntimeSession, map: number): Promise<readonly bigint[]> {
  const op = { $case: 'list', value: { from: 0, count: 4096 } } as const;
  const { entries, next } = await connection.request('vmMapOp', { map, op });
  assert.equal(next, 0);
  return entries.map(({ key }) => Buffer.from(key).readBigUInt64LE()).sort();
}

async function readSets(session: RuntimeSession, hook: string): Promise<Addresses> {
  const sets = new Map<string, readonly bigint[]>();
  for (const [key, map] of blobAt(session, hook).siteSets)
    sets.set(key, await listSet(session, map));
  return sets;
}

async function toldSites(engine: UserspaceEngine, { name }: UnitSpec): Promise<Addresses> {
  const told = new Map<string, bigint[]>();
  for (const { key, address } of await engine.sites(name)) {
    assert.ok(address);
    told.set(key, [...(told.get(key) ?? []), address].sort());
  }
  return told;
}

async function put(engine: UserspaceEngine, unit: UnitSpec): Promise<Addresses> {
  await engine.load(unit);
  await engine.attach(unit.name);
  return await toldSites(engine, unit);
}

const prepare = (unit: UnitSpec): Promise<PreparedUnit> =>
  prepareUnit(unit, async ({ object, programs }) => prepareObject(object, programs, () => 0));

const HOOKS = ['front', 'request'] as const;

runtimeTest('sets of sites live as long as the program, and are adopted with it', async (world) => {
  const first = await world.createEngine();
  const request = world.spec('shop', 'request', 'request', 'request');
  const told = [await put(first, world.unit), await put(first, request)];
  await first.flip(world.unit.name, new Map([['off_by_default', true]]));
  await first.close();
  const held = await askRuntime(world, async (session) => {
    for (const [index, hook] of HOOKS.entries())
      assert.deepEqual(await readSets(session, hook), told[index]);
    return blobAt(session, 'front').siteSets;
  });
  assert.deepEqual([...held.keys()].sort(), ['off_by_default', 'on_by_default']);

  const second = await world.createEngine();
  assert.ok(await second.adopt(world.unit));
  assert.ok(await second.adopt(request));
  await second.attach(world.unit.name);
  await second.close();
  await askRuntime(world, async (session) => {
    assert.deepEqual(blobAt(session, 'front').siteSets, held);
    assert.deepEqual(await readSets(session, 'front'), told[0]);
    // Whoever adopted it installs it with its sets.
    const adopted = LoadedUnit.adopt(session, await prepare(world.unit));
    await session.connection.request('removeProgram', { hook: 'front' });
    await session.refresh();
    await adopted?.install();
    assert.deepEqual(blobAt(session, 'front').siteSets, held);
  });
  await askRuntime(world, async (session) => {
    assert.deepEqual(await readSets(session, 'front'), told[0]);
  });

  const third = await world.createEngine();
  assert.ok(await third.adopt(world.unit));
  const replaced = await put(third, world.nextVersion);
  await third.unload(request.name);
  await third.close();
  await askRuntime(world, async (session) => {
    assert.deepEqual(await readSets(session, 'front'), replaced);
    assert.equal(session.hooks.get('request')?.installed, undefined);
    for (const map of held.values()) await assert.rejects(listSet(session, map), /not open/);
  });
});

runtimeTest('a write to the variable of a key pokes nothing; a poke writes none', async (world) => {
  const engine = await world.createEngine();
  const { unit, declared } = world;
  const told = await put(engine, unit);
  await engine.close();
  const prepared = await prepare(unit);
  const inverted = new Map([...declared].map(([key, value]) => [key, !value]));
  await askRuntime(world, async (session) => {
    const { connection } = session;
    const loaded = LoadedUnit.adopt(session, prepared);
    const [program] = loaded?.programs ?? [];
    assert.ok(loaded && program);
    const { code, length } = program;
    const { maps } = blobAt(session, 'front');
    const codeNow = async () =>
      (await connection.request('readBytes', { code, offset: 0, length })).code;
    const keys = prepared.object.keys.map(({ name, section, offset }) => {
      const map = maps.get(section);
      assert.ok(map !== undefined);
      return { name, map, offset };
    });
    const variables = (values: ReadonlyMap<string, boolean>) =>
      keys.map(({ name, map, offset }) => ({ map, offset, value: Number(values.get(name)) }));
    const variablesAre = async (values: ReadonlyMap<string, boolean>) => {
      const read = await connection.request('readVariables', { variables: variables(values) });
      const expected = variables(values).map(({ value }) => value);
      assert.deepEqual(read.values, expected);
    };
    const unpoked = await codeNow();
    const nothingPoked = async () => {
      assert.deepEqual(await codeNow(), unpoked);
      assert.deepEqual((await world.behaviour())?.keys, declared);
      assert.deepEqual(await readSets(session, 'front'), told);
    };

    await connection.request('writeVariables', { variables: variables(inverted) });
    await variablesAre(inverted);
    await nothingPoked();
    assert.equal((await loaded.readKeys()).size, 0);
    // As any other program would write the map.
    const key = new Uint8Array(4);
    for (const values of [declared, inverted, declared]) {
      for (const { map, offset, value } of variables(values)) {
        const found = await connection.request('vmMapOp', {
          map,
          op: { $case: 'lookup', value: { key } },
        });
        const bytes = Buffer.from(found.entries[0]?.values[0] ?? []);
        bytes.writeInt32LE(value, offset);
        const update = { key, values: [bytes], flags: 0n };
        await connection.request('vmMapOp', { map, op: { $case: 'update', value: update } });
      }
      await variablesAre(values);
      await nothingPoked();
    }

    const pokes = program.sites.map((at) => {
      const from = declared.get(at.site.branch.key) === true;
      return { code: program, at, from, to: !from };
    });
    await new Machine(connection).poke(pokes, 'store');
    assert.deepEqual((await world.behaviour())?.keys, inverted);
    await variablesAre(declared);
    assert.deepEqual(await readSets(session, 'front'), told);
  });
});
