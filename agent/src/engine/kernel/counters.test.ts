import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import { CounterResolver } from '../../counters/resolve-counter.ts';
import { readObject } from '../../object/read-object.ts';
import { fixturePath } from '../../object/testdata/fixtures.ts';
import type { Engine, UnitSpec } from '../engine.ts';
import { helperChildren, KernelWorld } from './kernel-fixture.ts';

const objectPath = fixturePath('counters.o');
const object = readFileSync(objectPath);
const resolver = new CounterResolver(readObject(object), objectPath);
const family = { metric: 'a_total', help: 'A.' };
const index = { label: 'which', values: { last: 2, first: 0 } };

/** Where a run adds → how much, and what was there before. */
const STEPS = [
  [{ map: 'shared', field: 'fives', index }, 5n, 0n],
  [{ map: 'shared', field: 'sevens', index }, 7n, 0n],
  [{ map: 'shared', field: 'inner.elevens', index }, 11n, 0n],
  [{ map: 'single' }, 5n, 0n],
  [{ map: 'untyped', offset: 8, bytes: 4 }, 1n, 0n],
  [{ variable: 'thirteens' }, 13n, 13_000n],
  [{ variable: 'seventeens' }, 17n, 0n],
  [{ variable: 'total', field: 'sevens' }, 7n, 0n],
] as const;

/** How often the program has run, as each counter has it. A device's own traffic runs it too. */
async function runs(engine: Engine, unit: UnitSpec): Promise<readonly bigint[]> {
  const found: bigint[] = [];
  for (const [config, step, start] of STEPS) {
    const { map, samples } = resolver.resolve({ ...family, ...config }, JSON.stringify(config));
    const places = samples.map(({ place }) => place);
    const [value = -1n, untouched = 0n] = await engine.readCounters(unit.name, map, places);
    assert.equal((value - start) % step, 0n, `${JSON.stringify(config)}: ${value}`);
    assert.equal(untouched, 0n);
    found.push((value - start) / step);
  }
  return found;
}

test('counters of every kind live on over tiers, helpers and agents', async () => {
  await using world = new KernelWorld();
  const [, tc] = world.unit.attachments;
  assert.ok(tc);
  const attachments = [{ ...tc, program: 'count' }];
  const unit: UnitSpec = { ...world.unit, object, objectPath, attachments };
  const first = await world.createEngine();
  await first.load(unit);
  await first.attach(unit.name);
  await world.behaviour();
  const none = STEPS.map(() => 0n);
  assert.deepEqual(await runs(first, unit), none, 'the branch is off');

  let least: readonly bigint[] = none;
  const assertMore = async (engine: Engine, more: bigint) => {
    const now = await runs(engine, unit);
    for (const [n, count] of now.entries()) assert.ok(count >= (least[n] ?? 0n) + more, `${now}`);
    least = now;
  };
  const inForce = () => world.specialised.filter(({ result }) => result === 'in_force').length;
  const before = inForce();
  const { tier } = await first.flip(unit.name, new Map([['counting', true]]));
  await world.behaviour();
  await assertMore(first, 1n);
  if (tier === 'dynamic') await until('specialised', () => inForce() > before);
  await world.behaviour();
  await assertMore(first, 1n);

  const [helper] = helperChildren();
  assert.ok(helper);
  process.kill(helper, 'SIGKILL');
  await assertMore(first, 0n);
  await first.flip(unit.name, new Map([['counting', false]]));
  await first.close();
  await assert.rejects(runs(first, unit), /the engine is closed/);

  const second = await world.createEngine();
  assert.ok(await second.adopt(unit));
  await assertMore(second, 0n);
  assert.deepEqual(await runs(second, unit), least, 'off again');
  await second.flip(unit.name, new Map([['counting', true]]));
  await world.behaviour();
  await assertMore(second, 1n);
});

test('a map that is gone from bpffs is named', async () => {
  await using world = new KernelWorld();
  const engine = await world.createEngine();
  await engine.load(world.unit);
  const read = engine.readCounters(world.unit.name, 'nobody', [{ index: 0, offset: 0, size: 8 }]);
  await assert.rejects(read, {
    code: 'SKEIN_PIN_CONFLICT',
    message: /map nobody: .*map_nobody is gone/,
  });
});
