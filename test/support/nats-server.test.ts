import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'nats';
import { startNatsServer } from './nats-server.ts';

test('serves JetStream, keeps its store over a kill and a restart, and is gone after stop', async () => {
  const server = await startNatsServer();
  try {
    const before = await connect({ servers: server.url });
    const bucket = await before.jetstream().views.kv('b');
    await bucket.put('k', 'v');
    await before.close();
    await server.kill();
    await assert.rejects(connect({ servers: server.url, reconnect: false }));
    await server.restart();
    const after = await connect({ servers: server.url });
    assert.equal((await (await after.jetstream().views.kv('b')).get('k'))?.string(), 'v');
    await after.close();
  } finally {
    await server.stop();
  }
  await assert.rejects(connect({ servers: server.url, reconnect: false }));
});

test('a configuration the server refuses is reported with its words', async () => {
  await assert.rejects(startNatsServer({ config: 'nonsense: {' }), /ended at start/);
});
