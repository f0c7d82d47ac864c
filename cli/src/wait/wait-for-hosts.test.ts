import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { systemClock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import { createGrpcClient } from '../client/grpc-client.ts';
import { BareStatus, type Script, startFakeController } from '../testing/fake-controller.ts';
import {
  hostToWire,
  keyToWire,
  sampleHost,
  sampleKey,
  sampleProgress,
} from '../testing/samples.ts';
import { waitForHosts } from './wait-for-hosts.ts';
import type { WaitState } from './wait-state.ts';

const PENDING = sampleProgress('a', 'pending');
const APPLIED = sampleProgress('a');

/** Runs a wait against a scripted controller. */
async function wait(script: Script, { selector = '', timeoutMs = 20_000 } = {}) {
  await using controller = await startFakeController(script);
  const client = createGrpcClient({ server: controller.address, deadlineMs: 5_000 });
  const breaks: string[] = [];
  try {
    const state = await waitForHosts({
      client,
      clock: systemClock,
      written: sampleKey(),
      selector,
      sentNs: systemClock.monotonicNs(),
      timeoutMs,
      onChange: () => {},
      onBreak: (why) => breaks.push(why),
    });
    return { statuses: statusesOf(state), state, breaks };
  } finally {
    client.close();
  }
}

function statusesOf(state: WaitState): Record<string, string> {
  return Object.fromEntries([...state.hosts.values()].map(({ host, status }) => [host, status]));
}

/** A watch that tells these states and then nothing more. */
async function* telling(...hosts: readonly (typeof PENDING)[]) {
  for (const host of hosts) yield keyToWire(sampleKey([host]));
  await new Promise(() => {});
}

test('ends as soon as every host has applied', async () => {
  const { statuses } = await wait({ watch: () => telling(PENDING, APPLIED) });
  assert.deepEqual(statuses, { a: 'applied' });
});

test('ends at the timeout with what is known by then', async () => {
  const { statuses } = await wait({ watch: () => telling(PENDING) }, { timeoutMs: 300 });
  assert.deepEqual(statuses, { a: 'pending' });
});

test('a controller that tells nothing leaves the wait not even started', async () => {
  const { state } = await wait({ watch: () => telling() }, { timeoutMs: 300 });
  assert.equal(state.started, false);
});

test('breaks of the watch are bridged: an error, an end, then the rest', async () => {
  let opened = 0;
  const { statuses, breaks } = await wait({
    watch: async function* () {
      opened++;
      if (opened === 3) {
        yield* telling(APPLIED);
      } else {
        yield keyToWire(sampleKey([PENDING]));
        if (opened === 1) throw new BareStatus(status.UNAVAILABLE);
      }
    },
  });
  assert.deepEqual(statuses, { a: 'applied' });
  assert.equal(breaks.length, 2);
  assert.match(breaks[1] ?? '', /ended the watch/);
});

test('an error that another try cannot cure ends the wait', async () => {
  const refused = wait({
    watch: () => {
      throw new SkeinError('SKEIN_UNAUTHENTICATED', 'token unknown');
    },
  });
  await assert.rejects(refused, { code: 'SKEIN_UNAUTHENTICATED' });
});

test('a selector narrows the wait; a host that is new is asked for', async () => {
  const matching = ['a'];
  const asked = Promise.withResolvers<void>();
  const other = sampleProgress('other', 'pending');
  const late = sampleProgress('late', 'pending');
  const { statuses } = await wait(
    {
      listHosts: ({ selector }) => {
        assert.equal(selector, 'zone=a');
        const hosts = matching.map((host) => hostToWire(sampleHost(host)));
        asked.resolve();
        return { hosts, nextPageToken: '' };
      },
      watch: async function* () {
        yield keyToWire(sampleKey([PENDING, other]));
        await asked.promise;
        matching.push('late');
        yield keyToWire(sampleKey([APPLIED, other, late]));
        yield keyToWire(sampleKey([APPLIED, other, sampleProgress('late')]));
        await new Promise(() => {});
      },
    },
    { selector: 'zone=a' },
  );
  assert.deepEqual(statuses, { a: 'applied', late: 'applied' });
});
