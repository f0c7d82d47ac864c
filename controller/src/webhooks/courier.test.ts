import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { createLogger } from '#common/log.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import {
  type CourierParts,
  carry,
  type DeliveryResult,
  type Letter,
  MAX_ATTEMPTS,
  waitMs,
} from './courier.ts';
import { signedHeaders } from './signature.ts';

const secret = new Uint8Array(24).fill(7);
const clock = new ManualClock();
const event = { type: 'test', time: clock.now().toISOString(), data: { a: 1 } };

const servers: ReturnType<typeof createServer>[] = [];
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

async function receiver(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/hook`;
}

function setup(attempt = 1, bury: () => Promise<void> = async () => {}) {
  const happened: string[] = [];
  const results: DeliveryResult[] = [];
  const letter: Letter = {
    id: 'k:1',
    event,
    attempt,
    done: () => happened.push('done'),
    again: (ms) => happened.push(`again in ${ms}`),
    async bury(reason) {
      await bury();
      happened.push(`buried: ${reason}`);
    },
  };
  const parts: CourierParts = {
    clock,
    logger: createLogger('test', 'silent'),
    fetch,
    count: (_, result) => results.push(result),
  };
  const to = (url: string, timeoutMs = 5_000) =>
    carry({ name: 'w', url, secret, timeoutMs }, letter, parts);
  return { to, happened, results };
}

test('posts the event as JSON, signed', async () => {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const url = await receiver((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  const { to, happened, results } = setup();
  await to(url);
  assert.deepEqual([happened, results], [['done'], ['delivered']]);
  const [{ headers, body } = { headers: {}, body: '' }] = got;
  assert.deepEqual(JSON.parse(body), event);
  assert.equal(headers['content-type'], 'application/json');
  const expected = signedHeaders('k:1', clock.now(), body, secret);
  for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value);
});

test('what is not taken is tried again, later each time', async () => {
  const url = await receiver((_, response) => response.writeHead(503).end('busy'));
  const elsewhere = await receiver((_, response) =>
    response.writeHead(302, { location: url }).end(),
  );
  for (const target of [url, elsewhere, 'http://127.0.0.1:1/']) {
    const { to, happened, results } = setup(3);
    await to(target);
    assert.deepEqual([happened, results], [['again in 4000'], ['failed']]);
  }
  const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) => waitMs(index + 1));
  assert.deepEqual(waits.slice(0, 4), [1_000, 2_000, 4_000, 8_000]);
  assert.equal(Math.max(...waits), 300_000);
});

test('a receiver that does not answer is given up in time', async () => {
  const url = await receiver(() => {});
  const { to, happened } = setup();
  await to(url, 50);
  assert.deepEqual(happened, ['again in 1000']);
});

test('after the last attempt it is buried with the reason', async () => {
  const url = await receiver((_, response) => response.writeHead(500).end());
  const { to, happened, results } = setup(MAX_ATTEMPTS);
  await to(url);
  assert.deepEqual([happened, results], [['buried: HTTP 500'], ['failed', 'dead']]);
});

test('a letter that cannot be buried is not lost', async () => {
  const url = await receiver((_, response) => response.writeHead(500).end());
  const { to, happened } = setup(MAX_ATTEMPTS, () => Promise.reject(new Error('no stream')));
  await to(url);
  assert.deepEqual(happened, ['again in 300000']);
});
