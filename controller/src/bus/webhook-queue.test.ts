import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { systemClock } from '#common/clock.ts';
import { createLogger } from '#common/log.ts';
import { DEAD_LETTER_STREAM, deadLetterSubject } from '#proto/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { auditId, keyChange } from '../audit/audit-record.ts';
import { desired } from '../testing/desired.ts';
import type { Letter } from '../webhooks/courier.ts';
import { auditStream } from './audit-stream.ts';
import { Link } from './link.ts';
import { readStream } from './read-stream.ts';
import { openStores, type Stores } from './stores.ts';
import { followWebhook } from './webhook-queue.ts';

let nats: NatsServer;
let nc: NatsConnection;
let stores: Stores;
before(async () => {
  nats = await startNatsServer();
  nc = await connect({ servers: nats.url });
  stores = await openStores(nc, 1);
});
after(async () => {
  await nc.close();
  await nats.stop();
});

let generation = 0n;

/** Has something happen that webhooks are told of; gives its id. */
async function happen(action: 'kill' | 'rollout' = 'kill'): Promise<string> {
  generation++;
  const change = { action, actor: 'alice', reason: '', requestId: '', time: new Date() };
  const record = keyChange(undefined, desired({ generation, change }));
  await auditStream(stores, new Link(nc)).append(record);
  return auditId(record);
}

/** Follows until the letters that come are as many as wanted, each treated by `carry`. */
function follow(name: string, carry: (letter: Letter) => Promise<void> | void) {
  const letters: Letter[] = [];
  const stop = followWebhook(name, {
    stores,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    async carry(letter) {
      letters.push(letter);
      await carry(letter);
    },
  });
  const consumer = () => stores.jsm.consumers.info('skein_audit', `webhook-${name}`);
  return {
    letters,
    stop,
    started: () => until('consumer', () => consumer().catch(() => undefined)),
    left: async () => {
      const { num_pending, num_ack_pending } = await consumer();
      return num_pending + num_ack_pending;
    },
  };
}

test('is told once of what happens from its start on, and goes on where it was', async () => {
  await happen();
  const first = follow('once', (letter) => letter.done());
  await first.started();
  const told = await happen();
  await happen('rollout');
  await until('all taken', async () => (await first.left()) === 0);
  first.stop();
  assert.deepEqual(
    first.letters.map(({ id, attempt, event }) => [id, attempt, event.type]),
    [[told, 1, 'key.kill']],
  );

  const missed = await happen();
  const second = follow('once', (letter) => letter.done());
  await until('told of what it missed', () => second.letters.length > 0);
  second.stop();
  assert.deepEqual(
    second.letters.map(({ id }) => id),
    [missed],
  );
});

test('comes again until it is done, each time with the same id', async () => {
  const queue = follow('again', (letter) => (letter.attempt < 3 ? letter.again(1) : letter.done()));
  await queue.started();
  const id = await happen();
  await until('done', async () => queue.letters.length === 3 && (await queue.left()) === 0);
  queue.stop();
  assert.deepEqual(
    queue.letters.map((letter) => [letter.id, letter.attempt]),
    [
      [id, 1],
      [id, 2],
      [id, 3],
    ],
  );
});

test('a delivery that the queue cannot be told of leaves the others alone', async () => {
  const queue = follow('broken', (letter) => {
    if (queue.letters.length === 1) throw new Error('CONNECTION_CLOSED');
    letter.done();
  });
  await queue.started();
  const [first, second] = [await happen(), await happen()];
  await until('both were carried', () => queue.letters.length === 2);
  queue.stop();
  assert.deepEqual(
    queue.letters.map(({ id }) => id),
    [first, second],
  );
});

test('what is buried is in the dead-letter stream with its reason, and does not come again', async () => {
  const queue = follow('dead', (letter) => letter.bury('HTTP 500'));
  await queue.started();
  const id = await happen();
  await until('taken', async () => queue.letters.length === 1 && (await queue.left()) === 0);
  queue.stop();
  const dead: unknown[] = [];
  await readStream(stores.js, DEAD_LETTER_STREAM, deadLetterSubject('dead'), {}, (message) =>
    dead.push(message.json()),
  );
  const [letter] = queue.letters;
  assert.deepEqual(dead, [{ webhook: 'dead', id, reason: 'HTTP 500', event: letter?.event }]);
});
