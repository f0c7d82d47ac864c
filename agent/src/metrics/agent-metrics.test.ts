import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { serveMetrics } from '#common/metrics-server.ts';
import { FakeEngine } from '../engine/fake/fake-engine.ts';
import { FakeWorld } from '../engine/fake/fake-world.ts';
import type { SettledKey } from '../reconcile/reconciler.ts';
import { testUnit } from '../testing/fixtures.ts';
import { AgentMetrics } from './agent-metrics.ts';

const info = {
  version: '1.2.3',
  engine: 'fake',
  kernelRelease: '6.0',
  features: [{ name: 'gotol', availability: 'no', detail: 'EINVAL' }],
} as const;
const observation = {
  key: 'net.alpha',
  generation: 7n,
  value: true,
  outcome: 'applied' as const,
  tier: 'dynamic' as const,
  pokeNs: 1_500n,
  applyNs: 2_000_000n,
  appliedAt: new Date(1_000),
  publishedAt: new Date(900),
};
const settled: SettledKey = {
  observation,
  fresh: observation,
  news: true,
  reason: 'desired',
  receivedNs: 1n,
};

async function filled(): Promise<Registry> {
  const registry = new Registry();
  const metrics = new AgentMetrics(registry, info, () => true);
  metrics.settled(settled);
  metrics.rejected('stale');
  metrics.helperRestarted();
  metrics.connected(true);
  const engine = new FakeEngine(new FakeWorld());
  metrics.units.show([await engine.load(testUnit().spec)]);
  return registry;
}

describe('agent metrics', () => {
  it('are clean to promtool', async () => {
    const text = await (await filled()).metrics();
    const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
    });
    assert.equal(error, undefined);
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  });

  it('measure a flip from message to read-back, and propagation by two clocks', async () => {
    const text = await (await filled()).metrics();
    for (const line of [
      'skein_agent_flip_duration_seconds_sum 0.002',
      'skein_agent_poke_duration_seconds_sum 0.0000015',
      'skein_agent_propagation_seconds_sum 0.1',
      'skein_agent_flips_total{result="applied",reason="desired"} 1',
      'skein_agent_applied_generation{key="net.alpha"} 7',
      'skein_agent_ready 1',
      'skein_agent_engine_feature_info{feature="gotol",availability="no"} 1',
      'skein_agent_program_tier{unit="guard",program="mixed",tier="dynamic"} 1',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });

  it('a repaired drift counts as a flip but not as propagation', async () => {
    const registry = new Registry();
    const metrics = new AgentMetrics(registry, info, () => true);
    const { receivedNs: _, ...drift } = settled;
    metrics.settled({ ...drift, news: false, reason: 'drift' });
    const text = await registry.metrics();
    assert.match(text, /skein_agent_flips_total\{result="applied",reason="drift"\} 1/);
    assert.match(text, /skein_agent_propagation_seconds_count 0/);
    assert.match(text, /skein_agent_flip_duration_seconds_count 0/);
  });
});

describe('serveMetrics', () => {
  const local = { host: '127.0.0.1', port: 0 };

  it('answers by what the probes say', async () => {
    let reasons: string[] = ['unit guard: not attached yet', 'key k: not observed yet'];
    const server = await serveMetrics(local, {
      registry: await filled(),
      unhealthy: () => [],
      notReady: () => reasons,
    });
    try {
      const waiting = await fetch(`${server.url}/readyz`);
      assert.equal(waiting.status, 503);
      assert.equal(await waiting.text(), `${reasons.join('\n')}\n`);
      reasons = [];
      assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
      assert.match(await (await fetch(`${server.url}/metrics`)).text(), /^skein_agent_ready 1$/m);
      assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
      assert.equal((await fetch(server.url, { method: 'POST' })).status, 405);
    } finally {
      await server.close();
    }
  });

  it('names a port that is taken', async () => {
    const probes = { registry: new Registry(), unhealthy: () => [], notReady: () => [] };
    const server = await serveMetrics(local, probes);
    try {
      const port = Number(new URL(server.url).port);
      await assert.rejects(serveMetrics({ ...local, port }, probes), {
        code: 'SKEIN_ADDRESS_IN_USE',
        message: `metrics.listen: 127.0.0.1:${port} is taken`,
      });
    } finally {
      await server.close();
    }
  });
});
