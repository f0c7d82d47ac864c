import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, type JetStreamClient, type NatsConnection } from 'nats';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { readStream } from './read-stream.ts';

let nats: NatsServer;
let nc: NatsConnection;
let js: JetStreamClient;
before(async () => {
  nats = await startNatsServer();
  nc = await connect({ servers: nats.url });
  js = nc.jetstream();
  const jsm = await nc.jetstreamManager();
  await jsm.streams.add({ name: 'S', subjects: ['s.>'] });
});
after(async () => {
  await nc.close();
  await nats.stop();
});

test('reads to the end, also right after a write, when the server may count one message too many', async () => {
  const started = Date.now();
  for (let i = 1; i <= 300; i++) {
    const { seq } = await js.publish(`s.${i % 7}`);
    const seen: number[] = [];
    const from = { sequence: Math.max(1, seq - 3) };
    await readStream(js, 'S', 's.>', { from }, (message) => seen.push(message.seq));
    assert.deepEqual(seen.at(-1), seq);
    assert.equal(seen.length, seq - from.sequence + 1);
  }
  assert.ok(Date.now() - started < 60_000);
});

test('nothing there is nothing read', async () => {
  await readStream(js, 'S', 's.none', {}, () => assert.fail());
});
