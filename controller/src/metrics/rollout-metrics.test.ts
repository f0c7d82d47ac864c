import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { Pause, RolloutState } from '#common/rollout/rollout.ts';
import { desired } from '../testing/desired.ts';
import { defineGauges } from './gauges.ts';
import { createRolloutMetrics } from './rollout-metrics.ts';

const now = new Date('2026-01-01T00:00:00Z');
const state = (more: Partial<RolloutState>): RolloutState => ({
  phase: 'running',
  since: now,
  step: 0,
  width: 3,
  gates: [],
  rollingBack: false,
  reason: '',
  approvals: [],
  ...more,
});
const paused = (cause: Pause['cause']) =>
  state({ phase: 'paused', pause: { cause, reason: '', from: 'baking', bakeLeftMs: 0 } });

async function scrape(rollouts: readonly RolloutState[]): Promise<string[]> {
  const registry = new Registry();
  const killed = desired({ name: 'k', kill: false });
  const metrics = createRolloutMetrics(registry, ['chat']);
  defineGauges(registry, '1.2.3', {
    keys: () => [killed, desired(), { ...killed, deleted: true }],
    hostStates: () => ['lost', 'lost'],
    isConnected: () => false,
    rollouts: () => rollouts,
    isFrozen: () => true,
    holdsLease: () => false,
    auditMissing: () => 3,
  });
  metrics.transition('aborted');
  metrics.measured('no-data');
  metrics.killed();
  metrics.delivery('chat', 'dead');
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#') && !line.endsWith(' 0'));
}

test('shows what stands where, and what has happened', async () => {
  assert.deepEqual(await scrape([state({}), state({}), state({ phase: 'completed' })]), [
    'skein_controller_rollout_transitions_total{to="aborted"} 1',
    'skein_controller_gate_measurements_total{outcome="no-data"} 1',
    'skein_controller_kills_total 1',
    'skein_controller_webhook_deliveries_total{webhook="chat",result="dead"} 1',
    'skein_controller_build_info{version="1.2.3"} 1',
    'skein_controller_keys 2',
    'skein_controller_killed_keys 1',
    'skein_controller_frozen 1',
    'skein_controller_audit_records_missing 3',
    'skein_controller_hosts{state="lost"} 2',
    'skein_controller_rollouts{phase="running"} 2',
    'skein_controller_rollouts{phase="completed"} 1',
  ]);
});

test('asks for a person where nothing goes on by itself, unless a person had it so', async () => {
  const cases: [RolloutState, string?][] = [
    [paused('gate-error'), 'gate-error'],
    [paused('killed'), 'killed'],
    [paused('operator')],
    [paused('hold')],
    [state({ phase: 'aborted' }), 'aborted'],
    [state({ phase: 'aborted', rollingBack: true }), 'rolling-back'],
    [state({ phase: 'aborted', width: 0 })],
    [state({ phase: 'baking' })],
  ];
  for (const [standing, cause] of cases) {
    const name = 'skein_controller_rollouts_attention';
    const series = (await scrape([standing])).filter((line) => line.startsWith(name));
    assert.deepEqual(series, cause === undefined ? [] : [`${name}{cause="${cause}"} 1`]);
  }
});
