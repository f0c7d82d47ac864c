import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { KernelWorld } from './kernel-fixture.ts';

test('what other programs keep in the pin root is no leftover of ours', async () => {
  await using world = new KernelWorld();
  const engine = await world.createEngine();
  await engine.load(world.unit);
  // As iproute2, Cilium and an agent with a pin root of its own have them in /sys/fs/bpf.
  const others = ['xdp/globals', 'cilium/links', 'skein/guard/v1_0123456789ab_0', 'tc/hook_mine'];
  for (const other of others) mkdirSync(`${world.pinRoot}/${other}`, { recursive: true });

  assert.deepEqual(await engine.leftovers(), [world.unit.name]);
  for (const other of others) assert.ok(existsSync(`${world.pinRoot}/${other}`));
});
