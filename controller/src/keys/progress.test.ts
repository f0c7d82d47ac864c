import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import { type KnownHost, stepHost } from '../fleet/host.ts';
import { hostStateOf } from '../fleet/host-state.ts';
import { desired } from '../testing/desired.ts';
import { observation, report } from '../testing/fake-host.ts';
import { progressOf } from './progress.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const KEY = desired().name;

function host(
  name: string,
  seen: Partial<KeyObservation>,
  lastSeen: Date | undefined = NOW,
): KnownHost {
  const said = { ...report(name, { zone: 'a' }), keys: [observation(KEY, seen)] };
  const known = stepHost(undefined, { kind: 'status', report: said }, NOW).host;
  assert.ok(known);
  const { lastSeen: _, ...rest } = known;
  return lastSeen ? { ...rest, lastSeen } : rest;
}

test('phases of one host', async (t) => {
  const five: Partial<DesiredState> = { generation: 5n, defaultValue: true };
  const long = new Date(NOW.getTime() - 30_001);
  const cases: [string, Partial<DesiredState>, Partial<KeyObservation>, Date, string, string][] = [
    ['not acked', five, { generation: 4n, value: true }, NOW, 'pending', 'pending'],
    ['acked', five, { generation: 5n, value: true }, NOW, 'applied', 'synced'],
    [
      'acked as unchanged',
      five,
      { generation: 5n, value: true, outcome: 'unchanged' },
      NOW,
      'applied',
      'synced',
    ],
    ['read back wrong', five, { generation: 5n, value: false }, NOW, 'pending', 'pending'],
    ['ahead of this controller', five, { generation: 6n, value: true }, NOW, 'applied', 'synced'],
    ['failed', five, { generation: 5n, value: true, outcome: 'failed' }, NOW, 'failed', 'degraded'],
    ['failed before', five, { generation: 4n, outcome: 'failed' }, NOW, 'pending', 'degraded'],
    ['silent', five, { generation: 5n, value: true }, long, 'lost', 'lost'],
    [
      'a rule decides',
      { ...five, rules: [{ selector: 'zone=a', value: false }] },
      { generation: 5n },
      NOW,
      'applied',
      'synced',
    ],
    ['kill decides', { ...five, kill: false }, { generation: 5n }, NOW, 'applied', 'synced'],
    [
      'deleted, declared on',
      { ...five, deleted: true },
      { generation: 5n, value: true },
      NOW,
      'applied',
      'synced',
    ],
    [
      'deleted, not acked',
      { ...five, deleted: true },
      { generation: 4n },
      NOW,
      'pending',
      'pending',
    ],
  ];
  for (const [name, state, seen, lastSeen, phase, hostState] of cases) {
    await t.test(name, () => {
      const wanted = desired(state);
      const known = host('h', seen, lastSeen);
      assert.equal(progressOf(wanted, [known], NOW)[0]?.phase, phase);
      assert.equal(
        hostStateOf(known, () => wanted, NOW),
        hostState,
      );
    });
  }
});

test('only hosts that bind the key, in name order; a key nobody made is nobody’s debt', () => {
  const wanted = desired({ generation: 5n });
  const unbound = stepHost(undefined, { kind: 'status', report: report('u') }, NOW).host;
  assert.ok(unbound);
  const all = [host('b', {}), unbound, host('a', {})];
  assert.deepEqual(
    progressOf(wanted, all, NOW).map((p) => p.host),
    ['a', 'b'],
  );
  assert.equal(
    hostStateOf(host('a', {}), () => undefined, NOW),
    'synced',
  );
});
