import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { Helper } from '../../helper/helper.ts';
import { KernelWorld } from './kernel-fixture.ts';
import { lockPins } from './lock-pins.ts';

test('pins are one agent’s, from one helper of it to the next', async () => {
  await using world = new KernelWorld();
  const started: Helper[] = [];
  const engine = await world.createEngine(async () => {
    const helper = await world.startHelper();
    started.push(helper);
    return helper;
  });
  await engine.keepPins();
  const [first] = started;
  assert.ok(first);
  const other = await world.startHelper();
  const refused = {
    code: 'SKEIN_PIN_CONFLICT',
    message: `lock ${world.pinRoot}: another process has it`,
  };
  await assert.rejects(lockPins(other, 0), refused);

  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await engine.probe();
  assert.equal(started.length, 2, 'another helper');
  await assert.rejects(lockPins(other, 0), refused);

  // As when an agent was killed and the next one is sooner than the end of its helper.
  const waiting = lockPins(other);
  await engine.close();
  await waiting;
  await lockPins(other, 0);
  await other.close();
});

test('who may not open the pins cannot hold them either', async () => {
  await using world = new KernelWorld();
  const helper = await world.startHelper();
  await lockPins(helper);
  const { mode } = statSync(world.pinRoot);
  assert.equal(mode & 0o777, 0o700);
  await helper.close();
});
