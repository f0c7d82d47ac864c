import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Counter, Gauge, Registry } from 'prom-client';
import { systemClock } from '#common/clock.ts';
import { type MetricsServer, serveMetrics } from '#common/metrics-server.ts';
import type { Measurement } from '#common/rollout/rollout.ts';
import type { Gate } from '#common/rollout/spec.ts';
import { ManualClock } from '../../../../test/support/manual-clock.ts';
import {
  type PrometheusServer,
  startPrometheus,
} from '../../../../test/support/prometheus-server.ts';
import { until } from '../../../../test/support/until.ts';
import { type KnownHost, stepHost } from '../../fleet/host.ts';
import { connectPrometheus } from '../../prometheus/client.ts';
import { desired } from '../../testing/desired.ts';
import { observation, report } from '../../testing/fake-host.ts';
import { FlipLatencies } from './flip-latencies.ts';
import { gate, promQl } from './gate-fixture.ts';
import { type GateContext, type Measure, measurer } from './measure.ts';

const CHANGED = ['c0', 'c1', 'c2', 'c3'];
const CONTROL = ['u0', 'u1', 'u2', 'u3'];
const CONTEXT: GateContext = { key: 'net.drop_icmp', changed: CHANGED, control: CONTROL };

/** Of every packet seen by a changed host so many are lost; unchanged ones lose one in a hundred. */
let lossPercent = 1;
let metrics: MetricsServer;
let server: PrometheusServer;

/** One target for all hosts: a scrape is a moment in which each sees 100 packets more. */
function fleetMetrics(): Registry {
  const registry = new Registry();
  const options = { labelNames: ['host'], registers: [registry] };
  new Counter({
    name: 'lost_total',
    help: 'Lost packets.',
    ...options,
    collect() {
      for (const [index, host] of [...CHANGED, ...CONTROL].entries()) {
        seen.inc({ host }, 100);
        // Hosts differ a little, as they do.
        const percent = CHANGED.includes(host) ? lossPercent : 1;
        this.inc({ host }, percent + (index % CHANGED.length) / 100);
      }
    },
  });
  // After the other one: what is registered first is collected first.
  const seen = new Counter({ name: 'seen_total', help: 'Packets.', ...options });
  const idle = new Gauge({ name: 'idle', help: 'Has no value on one host.', ...options });
  idle.set({ host: 'c0' }, Number.NaN);
  idle.set({ host: 'c1' }, 0);
  return registry;
}

before(async () => {
  metrics = await serveMetrics(
    { host: '127.0.0.1', port: 0 },
    {
      registry: fleetMetrics(),
      unhealthy: () => [],
      notReady: () => [],
    },
  );
  server = await startPrometheus({
    targets: [{ address: new URL(metrics.url).host, labels: { cluster: 'lab' } }],
    scrapeIntervalMs: 100,
  });
});
after(async () => {
  await server.stop();
  await metrics.close();
});

function measure(url = server.url, clock = systemClock): Measure {
  return measurer({
    prometheus: connectPrometheus({ url, timeoutSeconds: 10 }, clock),
    fleet: { get: () => undefined },
    desired: () => undefined,
    latencies: new FlipLatencies(),
    clock,
  });
}

const LOSS = 'sum by (host) (rate(lost_total[1s])) / sum by (host) (rate(seen_total[1s]))';
const CHANGED_ONLY = { hosts: { kind: 'changed', label: 'host' } } as const;
const COMPARED = {
  hosts: { kind: 'compare', label: 'host', alpha: 0.05, worse: 'higher' },
} as const;

/** Scrapes come every now and then, and some are late: measures until it is what is bound to come. */
function becomes(outcome: Measurement['outcome'], of: Gate, detail = /./): Promise<Measurement> {
  return until(`${outcome} of ${JSON.stringify(of.source)}, ${detail}`, async () => {
    const measured = await measure()(of, CONTEXT);
    return measured.outcome === outcome && detail.test(measured.detail) && measured;
  });
}

test('counters that move: a good change passes, a bad one is found by value and by comparison', async () => {
  const limit = promQl(LOSS, CHANGED_ONLY, { success: '< 0.05' });
  const good = await becomes('success', limit);
  assert.match(
    good.detail,
    /^0\.010\d* < 0.05 holds \({host="c\d"}, worst of 4\); 4 of 8 series are of changed hosts, by label "host"$/,
  );
  const alike = await becomes('success', promQl(LOSS, COMPARED));
  assert.ok(alike.pValue !== undefined && alike.pValue > 0.3, alike.detail);

  lossPercent = 40;
  const bad = await becomes('failure', limit);
  assert.match(bad.detail, /^0\.\d+ < 0.05 does not hold \({host="c\d"}, worst of 4\)/);
  const worse = await becomes('failure', promQl(LOSS, COMPARED));
  assert.equal(worse.pValue, 1 / 70);
  assert.match(
    worse.detail,
    /^changed hosts are higher: p = 0.0142857, .*; 4 changed and 4 unchanged hosts\)$/,
  );
  // Those of the control group are as they were, so without a selection of hosts it is the changed ones that fail.
  const all = await becomes('failure', promQl(LOSS, {}, { failure: '> 0.05' }));
  assert.match(all.detail, /{host="c\d"}, worst of 8\)$/);
});

test('a range, each series reduced to one value', async () => {
  const range = { rangeMs: 60_000, stepMs: 1_000 };
  const query = 'seen_total{host="c0"}';
  const measured = async (reduction: 'minimum' | 'maximum') => {
    const { value } = await becomes(
      'success',
      promQl(query, { range: { ...range, reduction } }, { success: '>= 100' }),
    );
    return value ?? Number.NaN;
  };
  await until(
    'values that differ',
    async () => (await measured('minimum')) < (await measured('maximum')),
  );
});

test('NaN and nothing are no data', async () => {
  const some = /^0 == 0 holds \(idle{cluster="lab", host="c1", .*}\)$/;
  await becomes('success', promQl('idle', {}, { success: '== 0' }), some);
  await becomes('no-data', promQl('idle{host="c0"}'), /^the only series is NaN$/);
  await becomes('no-data', promQl('no_such'), /^no series$/);
  const label = { hosts: { kind: 'changed', label: 'nodename' } } as const;
  const none = /^no series; 0 of 2 series are of changed hosts, by label "nodename"$/;
  await becomes('no-data', promQl('idle', label), none);
  const empty = /^nothing to compare: values of 0 changed and 0 unchanged hosts/;
  await becomes('no-data', promQl('sum(idle)', COMPARED), empty);
});

test('what goes wrong is an error in one line, never a rejection; it is over when Prometheus is back', async () => {
  const fault = await measure()(promQl('rate(seen_total)'), CONTEXT);
  assert.equal(fault.outcome, 'error');
  assert.match(
    fault.detail,
    /^SKEIN_PROMETHEUS: http:.*: invalid parameter "query": 1:6: parse error: expected type range vector/,
  );
  await server.kill();
  const away = await measure()(promQl('up'), CONTEXT);
  assert.deepEqual([away.outcome, away.value], ['error', undefined]);
  assert.match(away.detail, /^SKEIN_PROMETHEUS: .*ECONNREFUSED/);
  await server.restart();
  await becomes('success', promQl('up', {}, { success: '== 1' }));
});

test('without Prometheus the error names the field', async () => {
  const clock = new ManualClock();
  const none = measurer({
    prometheus: undefined,
    fleet: { get: () => undefined },
    desired: () => undefined,
    latencies: new FlipLatencies(),
    clock,
  });
  assert.deepEqual(await none(promQl('up'), CONTEXT), {
    outcome: 'error',
    time: clock.now(),
    detail:
      'SKEIN_PROMETHEUS: gate "loss" asks Prometheus, and none is configured. Set prometheus.url in the controller configuration.',
  });
  const builtin = gate({ source: { kind: 'builtin', measure: 'missing-acks' }, failure: '> 0' });
  assert.match(
    (await none(builtin, CONTEXT)).detail,
    /^SKEIN_KEY_NOT_FOUND: fleet key "net.drop_icmp"/,
  );
});

test('built-in sources are read from the fleet view, of changed hosts only', async () => {
  const clock = new ManualClock();
  const key = CONTEXT.key;
  const seen = { generation: 5n, value: true, publishedAt: clock.now(), appliedAt: clock.now() };
  const acked = observation(key, seen);
  const fleet = new Map<string, KnownHost>();
  for (const name of [...CHANGED, ...CONTROL]) {
    const error = { code: 'SKEIN_VERIFIER_REJECTED', message: 'too complex' };
    const failure = { outcome: 'failed', error } as const;
    const isFailed = name === 'c2' || name.startsWith('u');
    const keys = [isFailed ? { ...acked, ...failure } : acked];
    const said = { ...report(name), keys };
    const { host } = stepHost(undefined, { kind: 'status', report: said }, clock.now());
    if (host) fleet.set(name, host);
  }
  const latencies = new FlipLatencies();
  for (const [index, name] of CHANGED.entries()) latencies.add(name, acked, index + 1);
  const measure = measurer({
    prometheus: undefined,
    fleet,
    desired: () => desired({ name: key, generation: 5n, defaultValue: true }),
    latencies,
    clock,
  });
  const time = clock.now();
  const failures = gate({
    source: { kind: 'builtin', measure: 'verifier-failures' },
    failure: '> 0',
  });
  assert.deepEqual(await measure(failures, CONTEXT), {
    outcome: 'failure',
    time,
    value: 1,
    detail: '1 > 0 holds; c2',
  });
  const slow = gate({
    source: { kind: 'builtin', measure: 'flip-latency', quantile: 1 },
    success: '< 3',
  });
  assert.deepEqual(await measure(slow, CONTEXT), {
    outcome: 'failure',
    time,
    value: 4,
    detail: '4 < 3 does not hold; quantile 1 of 3 of 4 hosts',
  });
  assert.deepEqual(await measure(slow, { ...CONTEXT, changed: ['c2'] }), {
    outcome: 'no-data',
    time,
    detail: 'quantile 1 of 0 of 1 hosts',
  });
});
