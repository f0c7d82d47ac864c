import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observationDigest } from '#common/observed.ts';
import { observation, report } from '../testing/fake-host.ts';
import { type HostEvent, isLive, type KnownHost, stepHost } from './host.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:00:05Z');
const REPORT = report('h', { b: '2', a: '1' }, ['k']);

function known(): KnownHost {
  const { host } = stepHost(undefined, { kind: 'status', report: REPORT }, NOW);
  assert.ok(host);
  return host;
}
const heartbeat = (more: Partial<Extract<HostEvent, { kind: 'heartbeat' }>> = {}): HostEvent => ({
  kind: 'heartbeat',
  host: 'h',
  digest: observationDigest(REPORT.keys),
  incarnation: REPORT.incarnation,
  intervalMs: 1_000,
  ...more,
});
const ack = (generation: bigint, key = 'k'): HostEvent => ({
  kind: 'ack',
  host: 'h',
  observation: observation(key, { generation }),
});

test('what each event asks for', async (t) => {
  const otherLabels = { ...REPORT, labels: { a: '1' } };
  const sameOtherOrder = { ...REPORT, labels: { a: '1', b: '2' } };
  const cases: [
    string,
    boolean,
    HostEvent,
    { ask: boolean; changed: boolean; generation?: bigint },
  ][] = [
    [
      'first status',
      false,
      { kind: 'status', report: REPORT },
      { ask: false, changed: true, generation: 0n },
    ],
    [
      'same status',
      true,
      { kind: 'status', report: sameOtherOrder },
      { ask: false, changed: false, generation: 0n },
    ],
    [
      'other status',
      true,
      { kind: 'status', report: otherLabels },
      { ask: false, changed: true, generation: 0n },
    ],
    ['unknown host', false, heartbeat(), { ask: true, changed: false }],
    ['heartbeat in agreement', true, heartbeat(), { ask: false, changed: false, generation: 0n }],
    [
      'other digest',
      true,
      heartbeat({ digest: new Uint8Array(32) }),
      { ask: true, changed: false, generation: 0n },
    ],
    [
      'restarted',
      true,
      heartbeat({ incarnation: 'new' }),
      { ask: true, changed: false, generation: 0n },
    ],
    ['ack', true, ack(3n), { ask: false, changed: true, generation: 3n }],
    ['ack of an unknown host', false, ack(3n), { ask: true, changed: false }],
    [
      'ack of an unknown key',
      true,
      ack(3n, 'other'),
      { ask: true, changed: false, generation: 0n },
    ],
    [
      'stored, unknown',
      false,
      { kind: 'stored', report: REPORT },
      { ask: false, changed: false, generation: 0n },
    ],
    [
      'stored, known',
      true,
      { kind: 'stored', report: otherLabels },
      { ask: false, changed: false, generation: 0n },
    ],
  ];
  for (const [name, isKnown, event, expected] of cases) {
    await t.test(name, () => {
      const step = stepHost(isKnown ? known() : undefined, event, LATER);
      const generation = step.host?.observations.get('k')?.generation;
      assert.deepEqual(
        {
          ask: step.askStatus,
          changed: step.changed,
          ...(generation === undefined ? {} : { generation }),
        },
        expected,
      );
      assert.deepEqual(step.host?.report.keys, step.host && [...step.host.observations.values()]);
    });
  }
});

test('a late ack does not take a host back', () => {
  const newer = stepHost(known(), ack(9n), NOW).host;
  const step = stepHost(newer, ack(8n), LATER);
  assert.equal(step.host?.observations.get('k')?.generation, 9n);
  assert.equal(step.changed, false);
  assert.deepEqual(step.host?.lastSeen, LATER);
});

test('a host is live for three of its intervals', () => {
  const host = stepHost(known(), heartbeat({ intervalMs: 1_000 }), NOW).host;
  assert.ok(host);
  assert.ok(isLive(host, new Date(NOW.getTime() + 3_000)));
  assert.ok(!isLive(host, new Date(NOW.getTime() + 3_001)));
  const stored = stepHost(undefined, { kind: 'stored', report: REPORT }, NOW).host;
  assert.ok(stored && !isLive(stored, NOW));
});
