import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { SkeinError } from '#common/errors.ts';
import { HostPhase } from '#proto/gen/skein/v1/keys.ts';
import {
  BareStatus,
  type FakeController,
  startFakeController,
} from '../testing/fake-controller.ts';
import {
  hostToWire,
  keyToWire,
  sampleHost,
  sampleKey,
  sampleProgress,
} from '../testing/samples.ts';
import { createGrpcClient } from './grpc-client.ts';

const SET = {
  name: 'net.drop_icmp',
  value: true,
  selector: 'zone=a',
  percent: 0,
  etag: 'e6',
  reason: 'why',
  validateOnly: false,
};

function clientOf(controller: FakeController, deadlineMs = 10_000) {
  const client = createGrpcClient({ server: controller.address, token: 'secret', deadlineMs });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

test('a retried mutation carries the same request id, and another one another', async () => {
  const requests: { requestId: string; percent?: number | undefined }[] = [];
  await using controller = await startFakeController({
    set: (request) => {
      requests.push(request);
      if (requests.length === 1) throw new BareStatus(status.UNAVAILABLE);
      return keyToWire(sampleKey());
    },
  });
  using client = clientOf(controller);
  await client.setKey(SET);
  await client.setKey(SET);
  const [first, retried, other] = requests.map(({ requestId }) => requestId);
  assert.match(first ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(retried, first);
  assert.notEqual(other, first);
  assert.equal(requests[0]?.percent, 0, 'a percentage of 0 is not an absent one');
  assert.deepEqual(controller.tokens, Array(3).fill('Bearer secret'));
});

test('domain values come back as they were sent', async () => {
  const key = sampleKey([sampleProgress('a'), sampleProgress('b', 'failed')], {
    rules: [
      { selector: 'x', value: true, portion: { percent: 1, threshold: 1n << 63n, salt: 's' } },
    ],
  });
  const host = sampleHost('web-1');
  await using controller = await startFakeController({
    get: () => keyToWire(key),
    getHost: () => hostToWire(host),
  });
  using client = clientOf(controller);
  const received = await client.getKey('a');
  assert.deepEqual(received.desired, key.desired);
  assert.deepEqual(received.hosts, key.hosts);
  assert.deepEqual(await client.getHost('web-1'), host);
});

test('a host that the controller knows from its stored record alone fails no list', async () => {
  const { lastSeen: _, ...unheard } = sampleHost('web-1', { state: 'lost' });
  const hosts = [unheard, sampleHost('web-2')];
  await using controller = await startFakeController({
    listHosts: ({ pageToken }) => ({
      hosts: hosts.slice(Number(pageToken), Number(pageToken) + 1).map(hostToWire),
      nextPageToken: Number(pageToken) + 1 < hosts.length ? String(Number(pageToken) + 1) : '',
    }),
  });
  using client = clientOf(controller);
  assert.deepEqual(await client.listHosts(''), hosts);
});

test('a list has one deadline for all of its pages', async () => {
  // Each page is there in good time; all of them are too many.
  const next = ({ pageToken }: { readonly pageToken: string }) => {
    const page = Number(pageToken) + 1;
    return page < 5_000 ? String(page) : '';
  };
  await using controller = await startFakeController({
    list: (request) => ({ keys: [], nextPageToken: next(request) }),
    listHosts: (request) => ({ hosts: [], nextPageToken: next(request) }),
  });
  using client = clientOf(controller, 100);
  const late = { code: 'SKEIN_CONTROLLER_UNAVAILABLE', message: /no answer in time$/ };
  await assert.rejects(client.listKeys({ includeDeleted: false }), late);
  await assert.rejects(client.listHosts(''), late);
});

test("the controller's errors arrive whole", async () => {
  await using controller = await startFakeController({
    get: () => {
      throw new SkeinError('SKEIN_KEY_NOT_FOUND', 'key "ä"', { remedy: 'Look: 100 % elsewhere.' });
    },
  });
  using client = clientOf(controller);
  await assert.rejects(client.getKey('a'), {
    code: 'SKEIN_KEY_NOT_FOUND',
    message: 'key "ä"',
    remedy: 'Look: 100 % elsewhere.',
  });
});

test('an unknown phase is an error, not a guess', async () => {
  const wire = keyToWire(sampleKey([sampleProgress('a')]));
  for (const progress of wire.progress?.hosts ?? []) progress.phase = HostPhase.UNSPECIFIED;
  await using controller = await startFakeController({ get: () => wire });
  using client = clientOf(controller);
  await assert.rejects(client.getKey('a'), { code: 'SKEIN_STORE_CORRUPT', message: /phase/ });
});

test('a controller that does not answer is unavailable, in time and by name', async () => {
  await using controller = await startFakeController({ get: () => new Promise(() => {}) });
  using client = clientOf(controller, 50);
  await assert.rejects(client.getKey('a'), {
    code: 'SKEIN_CONTROLLER_UNAVAILABLE',
    message: `controller at ${controller.address}: no answer in time`,
  });
});

test('nobody listening is unavailable, with what the system said', async () => {
  const client = createGrpcClient({ server: '127.0.0.1:1', deadlineMs: 5_000 });
  await assert.rejects(client.getKey('a'), {
    code: 'SKEIN_CONTROLLER_UNAVAILABLE',
    message: 'controller at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
  });
  client.close();
});

test('a watch ends quietly when aborted', async () => {
  await using controller = await startFakeController({
    watch: async function* () {
      yield keyToWire(sampleKey());
      await new Promise(() => {});
    },
  });
  using client = clientOf(controller);
  const stop = new AbortController();
  let seen = 0;
  for await (const view of client.watchKeys('', stop.signal)) {
    assert.equal(view.desired.name, 'net.drop_icmp');
    seen++;
    stop.abort();
  }
  assert.equal(seen, 1);
});

test('a server torn down in the middle of a watch is unavailable', async () => {
  const controller = await startFakeController({
    watch: async function* () {
      yield keyToWire(sampleKey());
      await new Promise(() => {});
    },
  });
  using client = clientOf(controller);
  const watching = async () => {
    for await (const _ of client.watchKeys('', new AbortController().signal)) {
      await controller[Symbol.asyncDispose]();
    }
  };
  await assert.rejects(watching(), { code: 'SKEIN_CONTROLLER_UNAVAILABLE' });
});

test('what would be done twice is sent once, all else again while the controller is away', async () => {
  const sent: string[] = [];
  await using controller = await startFakeController({
    actOnRollout: (action) => {
      sent.push(action);
      throw new BareStatus(status.UNAVAILABLE);
    },
  });
  using client = clientOf(controller);
  const request = { id: 'ro-1', reason: '', etag: '', all: false };
  for (const action of ['promote', 'skip-step', 'retry', 'pause'] as const) {
    await assert.rejects(client.rollouts.act(action, request), {
      code: 'SKEIN_CONTROLLER_UNAVAILABLE',
    });
  }
  assert.deepEqual(sent, ['promote', 'skipStep', 'retry', 'pause', 'pause', 'pause']);
});
