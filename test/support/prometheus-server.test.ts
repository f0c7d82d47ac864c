import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPrometheus } from './prometheus-server.ts';

test('answers, over a kill and a restart on the same port, and is gone after stop', async () => {
  const server = await startPrometheus();
  const isReady = async () => (await fetch(`${server.url}/-/ready`)).ok;
  try {
    assert.ok(await isReady());
    await server.kill();
    await assert.rejects(isReady);
    await server.restart();
    assert.ok(await isReady());
  } finally {
    await server.stop();
  }
  await assert.rejects(isReady);
});

test('a configuration that it refuses is reported with its words', async () => {
  await assert.rejects(
    startPrometheus({ scrapeIntervalMs: -1 }),
    /ended at start[\s\S]*not a valid duration/,
  );
});
