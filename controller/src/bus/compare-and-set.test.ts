import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connect, ErrorCode, type NatsConnection, NatsError } from 'nats';
import { CONTROL_BUCKET, KEYS_BUCKET } from '#proto/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { compareAndSet } from './compare-and-set.ts';
import { Link } from './link.ts';
import { bucketStream, openStores, type Stores } from './stores.ts';

let nats: NatsServer;
let nc: NatsConnection;
let link: Link;
let stores: Stores;
before(async () => {
  nats = await startNatsServer();
  nc = await connect({ servers: nats.url });
  link = new Link(nc);
});
beforeEach(async () => {
  stores = await openStores(nc, 1);
});
after(async () => {
  await nc.close();
  await nats.stop();
});

const put = (bucket = stores.keys, revision = 0n) =>
  compareAndSet(link, 'fleet key "k"', bucket, 'k', new Uint8Array([1]), revision);

/** The bucket, as if JetStream answered every write with this error. */
function answering(code: number, errCode: number, description: string) {
  const error = new NatsError(description, String(code));
  error.api_error = { code, err_code: errCode, description };
  return { ...stores.keys, status: stores.keys.status, put: () => Promise.reject(error) };
}

test('stored, or lost to who wrote first', async () => {
  const stored = await put();
  assert.equal(stored.kind, 'stored');
  assert.deepEqual(await put(), { kind: 'conflict' });
});

test('nobody takes the write of a stream that is there: it was not stored, and may be tried again', async () => {
  const name = bucketStream(CONTROL_BUCKET);
  const { config } = await stores.jsm.streams.info(name);
  // As while the replicas of a stream elect a leader: the server knows it, but nobody listens on its subjects.
  await stores.jsm.streams.update(name, { ...config, subjects: ['elsewhere.>'] });
  await assert.rejects(put(stores.control), {
    code: 'SKEIN_NATS_UNAVAILABLE',
    message:
      'fleet key "k": JetStream does not take writes now (nobody answers for the stream); it was not stored',
  });
  await stores.jsm.streams.update(name, config);
});

test('nobody answers whether the stream is there: that takes a second, not the time-out of a write', async () => {
  const silent = {
    ...stores.keys,
    put: () => Promise.reject(new NatsError('503', ErrorCode.NoResponders)),
    status: () => new Promise<never>(() => {}),
  };
  const started = Date.now();
  await assert.rejects(put(silent), { code: 'SKEIN_NATS_UNAVAILABLE', message: /not stored$/ });
  assert.ok(Date.now() - started < 5_000);
});

test('a stream that is gone is a final refusal', async () => {
  await stores.jsm.streams.delete(bucketStream(KEYS_BUCKET));
  await assert.rejects(put(), {
    code: 'SKEIN_STORE_REFUSED',
    message: 'fleet key "k": JetStream refused the write (no such stream)',
  });
});

test('JetStream that is not available now is told from JetStream that has no room', async () => {
  await assert.rejects(put(answering(503, 10008, 'JetStream system temporarily unavailable')), {
    code: 'SKEIN_NATS_UNAVAILABLE',
    message:
      'fleet key "k": JetStream does not take writes now (JetStream system temporarily unavailable); it was not stored',
  });
  // A cluster says so while another write of the same subject is under way.
  await assert.rejects(put(answering(400, 10164, 'wrong last sequence')), {
    code: 'SKEIN_NATS_UNAVAILABLE',
  });
  await assert.rejects(put(answering(503, 10023, 'insufficient resources')), {
    code: 'SKEIN_STORE_REFUSED',
  });
  await assert.rejects(put(answering(503, 10077, 'maximum bytes exceeded')), {
    code: 'SKEIN_STORE_REFUSED',
  });
});
