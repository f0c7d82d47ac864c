import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { AgentMetrics } from '#agent/metrics/agent-metrics.ts';
import { defineGauges } from '#controller/metrics/gauges.ts';
import { createMetrics } from '#controller/metrics/metrics.ts';
import { createRolloutMetrics } from '#controller/metrics/rollout-metrics.ts';
import { codeIn, firstTable, readPage, sectionAfter } from './tables.ts';

/** prom-client's own fields of a metric, which its types leave out. */
const metric = z.object({
  name: z.string(),
  type: z.string(),
  labelNames: z.array(z.string()),
  upperBounds: z.array(z.number()).optional(),
});

/** One line per metric: name, type, labels, buckets. */
function registered(registry: Registry): readonly string[] {
  return registry.getMetricsAsArray().map((each) => {
    const { name, type, labelNames, upperBounds } = metric.parse(each);
    return [name, type, labelNames.join(','), upperBounds ? formula(upperBounds) : ''].join(' | ');
  });
}

/** As metrics.md writes it: `first · factorⁿ, n < count`. */
function formula(bounds: readonly number[]): string {
  const [first = 0, second = 0] = bounds;
  const factor = Math.round(second / first);
  for (const [n, bound] of bounds.entries()) {
    assert.ok(Math.abs(bound / (first * factor ** n) - 1) < 1e-9, 'buckets are exponential');
  }
  const digits = first.toFixed(6).replace(/0+$/, '');
  return `${digits} · ${factor}ⁿ, n < ${bounds.length}`;
}

function documented(section: string): readonly string[] {
  return firstTable(sectionAfter(readPage('metrics.md'), section)).map((row) => {
    const [name = '', type = '', labels = '', , buckets = ''] = row;
    assert.ok(row[5], `${name} has a meaning`);
    return [codeIn(name).join(), type, codeIn(labels).join(','), buckets].join(' | ');
  });
}

test('every metric of the agent is in metrics.md, and no other', () => {
  const registry = new Registry();
  new AgentMetrics(
    registry,
    { version: '', engine: '', kernelRelease: '', features: [] },
    () => true,
  );
  assert.deepEqual([...documented('## Agent')].sort(), [...registered(registry)].sort());
});

test('every metric of the controller is in metrics.md, and no other', () => {
  const registry = new Registry();
  createMetrics(registry);
  createRolloutMetrics(registry, []);
  defineGauges(registry, '', {
    keys: () => [],
    hostStates: () => [],
    isConnected: () => true,
    rollouts: () => [],
    isFrozen: () => false,
    holdsLease: () => false,
    auditMissing: () => 0,
  });
  assert.deepEqual([...documented('## Controller')].sort(), [...registered(registry)].sort());
});

test('alerts name metrics that exist', () => {
  const page = readPage('metrics.md');
  const known = new Set([...documented('## Agent'), ...documented('## Controller')].map(nameOf));
  const named = sectionAfter(page, '## What to alert on').match(/skein_[a-z_]+/g) ?? [];
  const rules = readPage('../deploy/prometheus/alerts.yml').match(/skein_[a-z_]+/g) ?? [];
  assert.ok(named.length > 0 && rules.length > 0);
  assert.deepEqual(
    [...named, ...rules].filter((name) => !known.has(name)),
    [],
  );
});

const nameOf = (line: string): string => line.split(' ', 1)[0] ?? '';
