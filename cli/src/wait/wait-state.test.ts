import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostProgress } from '../client/skein-client.ts';
import { sampleDesired, sampleKey, sampleProgress } from '../testing/samples.ts';
import { isSettled, startWait, stepWait, type WaitState } from './wait-state.ts';

const START = startWait(sampleDesired({ generation: 7n }));

function step(
  state: WaitState,
  hosts: readonly HostProgress[],
  { generation = 7n, elapsedMs = 10, deleted = false, matching = [] as string[] } = {},
): WaitState {
  return stepWait(state, {
    view: sampleKey(hosts, { generation, deleted }),
    isMatching: (host) => matching.length === 0 || matching.includes(host),
    elapsedMs,
  });
}

function statuses(state: WaitState): Record<string, string> {
  return Object.fromEntries([...state.hosts.values()].map(({ host, status }) => [host, status]));
}

test('settled only when every live host has come to an end', () => {
  assert.equal(isSettled(START), false);
  const first = step(START, [sampleProgress('a'), sampleProgress('b', 'pending')]);
  assert.deepEqual(statuses(first), { a: 'applied', b: 'pending' });
  assert.equal(isSettled(first), false);
  const second = step(first, [sampleProgress('a'), sampleProgress('b')], { elapsedMs: 41 });
  assert.equal(isSettled(second), true);
  assert.deepEqual(
    [...second.hosts.values()].map(({ latencyMs }) => latencyMs),
    [10, 41],
  );
});

test('an older generation says nothing, not even that nobody binds the key', () => {
  assert.equal(step(START, [], { generation: 6n }), START);
  assert.equal(isSettled(step(START, [], { generation: 7n })), true);
});

test('an acknowledgement of an older generation does not count, whatever the phase', () => {
  const state = step(START, [sampleProgress('a', 'applied', { generation: 6n })]);
  assert.deepEqual(statuses(state), { a: 'pending' });
});

test('a failure of an older generation does not count either', () => {
  const state = step(START, [sampleProgress('a', 'failed', { generation: 6n })]);
  assert.deepEqual(statuses(state), { a: 'pending' });
});

test('a failure is an end, until the host applies after all', () => {
  const failed = step(START, [sampleProgress('a', 'failed'), sampleProgress('b', 'pending')]);
  assert.equal(failed.hosts.get('a')?.reason, 'SKEIN_READBACK_MISMATCH: slot 0 of guard');
  assert.equal(isSettled(step(failed, [sampleProgress('a', 'failed'), sampleProgress('b')])), true);
  const cured = step(failed, [sampleProgress('a'), sampleProgress('b')]);
  assert.deepEqual(statuses(cured), { a: 'applied', b: 'applied' });
});

test('hosts lost before are not waited for; those lost meanwhile are missing', () => {
  const first = step(START, [sampleProgress('gone', 'lost'), sampleProgress('a', 'pending')]);
  assert.deepEqual(first.lostBefore, ['gone']);
  assert.deepEqual(statuses(first), { a: 'pending' });
  const second = step(first, [sampleProgress('gone', 'lost'), sampleProgress('a', 'lost')]);
  assert.deepEqual(statuses(second), { a: 'lost' });
  assert.equal(isSettled(second), true);
});

test('a host lost before that comes back is waited for', () => {
  const first = step(START, [sampleProgress('back', 'lost'), sampleProgress('a', 'pending')]);
  const second = step(first, [sampleProgress('back', 'pending'), sampleProgress('a')]);
  assert.deepEqual(second.lostBefore, []);
  assert.equal(isSettled(second), false);
});

test('an acknowledged host stays acknowledged, lost or changed later', () => {
  const first = step(START, [sampleProgress('a'), sampleProgress('b', 'pending')]);
  const second = step(first, [sampleProgress('a', 'lost'), sampleProgress('b')], { elapsedMs: 99 });
  assert.deepEqual(statuses(second), { a: 'applied', b: 'applied' });
  assert.equal(second.hosts.get('a')?.latencyMs, 10);
});

test('a host that no longer binds the key is no longer waited for', () => {
  const first = step(START, [sampleProgress('a'), sampleProgress('b', 'pending')]);
  assert.equal(isSettled(step(first, [sampleProgress('a')])), true);
});

test('only matching hosts count', () => {
  const hosts = [sampleProgress('a'), sampleProgress('b', 'pending')];
  const state = step(START, hosts, { matching: ['a'] });
  assert.deepEqual(statuses(state), { a: 'applied' });
  assert.equal(isSettled(state), true);
});

test('a newer generation that leaves a host alone counts as ours there', () => {
  const first = step(START, [sampleProgress('a', 'pending')]);
  const newer = sampleProgress('a', 'applied', { generation: 8n });
  const second = step(first, [newer], { generation: 8n });
  assert.deepEqual(statuses(second), { a: 'applied' });
  assert.deepEqual(second.supersededBy, { generation: 8n, actor: 'alice' });
});

test('a newer generation that wants another value overrides', () => {
  const first = step(START, [sampleProgress('a', 'pending'), sampleProgress('b', 'pending')]);
  const off = { generation: 8n, value: false };
  const overridden: HostProgress = {
    ...sampleProgress('a', 'applied', off),
    desiredValue: false,
  };
  const acked: HostProgress = {
    ...sampleProgress('b', 'pending', { generation: 7n, value: true }),
    desiredValue: false,
  };
  const second = step(first, [overridden, acked], { generation: 8n });
  assert.deepEqual(statuses(second), { a: 'overridden', b: 'applied' });
  assert.equal(isSettled(second), true);
});

test('a deletion overrides every host that has not acknowledged', () => {
  const first = step(START, [sampleProgress('a', 'pending')]);
  const second = step(first, [sampleProgress('a', 'pending')], { generation: 8n, deleted: true });
  assert.deepEqual(statuses(second), { a: 'overridden' });
});
