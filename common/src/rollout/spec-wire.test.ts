import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/rollout.ts';
import type { RolloutSpec } from './spec.ts';
import { DEFAULT_LIMITS, specFromWire, specToWire } from './spec-wire.ts';
import { anySpec } from './testing/any-rollout.ts';

const overTheWire = (spec: RolloutSpec): wire.RolloutSpec =>
  wire.RolloutSpec.decode(wire.RolloutSpec.encode(specToWire(spec)).finish());

test('a spec goes over the wire and comes out as it was', () => {
  fc.assert(
    fc.property(anySpec, (spec) => assert.deepEqual(specFromWire(overTheWire(spec)), spec)),
  );
});

test('what is not given has its default', () => {
  const bare = wire.RolloutSpec.decode(
    wire.RolloutSpec.encode({
      ...BARE,
      key: 'net.drop_icmp',
      windows: [{ days: ['mon'], from: '09:00', to: '17:00', timeZone: '' }],
      steps: [
        {
          reach: { $case: 'percent', value: 10 },
          bakeMs: 0,
          hold: false,
          cohortSelector: '',
          gates: [
            gate({ $case: 'prometheus', value: prometheus({}) }),
            gate({
              $case: 'prometheus',
              value: prometheus({ hosts: wire.SampleHosts.COMPARE, rangeMs: 600_000 }),
            }),
            gate({ $case: 'prometheus', value: prometheus({ rangeMs: 5_000 }) }),
          ],
        },
      ],
    }).finish(),
  );
  const spec = specFromWire(bare);
  assert.deepEqual(spec.limits, {
    maxUnavailable: { kind: 'percent', percent: 5 },
    maxFailed: { kind: 'hosts', hosts: 0 },
    ackTimeoutMs: 300_000,
  });
  assert.equal(spec.onFailure, 'rollback');
  assert.equal(spec.windows[0]?.timeZone, 'UTC');
  const [first, compared, short] = spec.steps[0]?.gates ?? [];
  assert.deepEqual(first, {
    name: 'loss',
    source: { kind: 'prometheus', query: 'up', hosts: { kind: 'all' } },
    success: '< 1',
    intervalMs: 30_000,
    initialDelayMs: 0,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    missingLimit: 0,
    onNoData: 'pause',
    onError: 'pause',
  });
  assert.deepEqual(compared?.source, {
    kind: 'prometheus',
    query: 'up',
    range: { rangeMs: 600_000, stepMs: 10_000, reduction: 'average' },
    hosts: { kind: 'compare', label: 'host', alpha: 0.05, worse: 'higher' },
  });
  const range = short?.source.kind === 'prometheus' ? short.source.range : undefined;
  assert.equal(range?.stepMs, 1_000, 'at least a second');
  assert.deepEqual(specFromWire({ ...bare, limits: LIMITS }).limits, DEFAULT_LIMITS);
});

test('what the wire can get wrong is refused by name', () => {
  const step = { reach: undefined, bakeMs: 0, gates: [], hold: false, cohortSelector: '' };
  const tenPercent = { ...step, reach: { $case: 'percent' as const, value: 10 } };
  const withGate = (source: wire.Gate['source'], more: Partial<wire.Gate> = {}) => ({
    steps: [{ ...tenPercent, gates: [{ ...gate(source), ...more }] }],
  });
  const fine = { $case: 'prometheus' as const, value: prometheus({}) };
  const cases: [Partial<wire.RolloutSpec>, RegExp][] = [
    [{ steps: [tenPercent, step] }, /^steps\[1\]: reaches nobody/],
    [{ onFailure: wire.OnFailure.UNRECOGNIZED }, /^on_failure: unknown enum value -1/],
    [{ startAt: new Date(Number.NaN) }, /^start_at: out of range/],
    [
      { windows: [{ days: ['friday'], from: '', to: '', timeZone: '' }] },
      /^windows\[0\]\.days: "friday" is none of mon/,
    ],
    [{ limits: { ...LIMITS, maxFailed: { of: undefined } } }, /^limits\.max_failed: is empty/],
    [withGate(undefined), /^steps\[0\]\.gates\[0\]: has no source/],
    [withGate({ $case: 'builtin', value: { measure: 0, quantile: 0 } }), /builtin\.measure: unkn/],
    [withGate(fine, { onError: wire.MissingPolicy.UNRECOGNIZED }), /^steps\[0\]\.gates\[0\]\.on_e/],
    [
      withGate({ ...fine, value: prometheus({ hosts: wire.SampleHosts.UNRECOGNIZED }) }),
      /^steps\[0\]\.gates\[0\]\.prometheus\.hosts: unknown enum value/,
    ],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => specFromWire({ ...BARE, ...wrong }), {
      code: 'SKEIN_BAD_ROLLOUT',
      message,
    });
  }
});

test('a number that the wire would wrap round is not sent', () => {
  const [spec] = fc.sample(anySpec, 1);
  const [step] = spec?.steps ?? [];
  assert.ok(spec && step);
  const cases: [Partial<RolloutSpec>, RegExp][] = [
    [{ steps: [{ ...step, bakeMs: -1 }] }, /^steps\[0\]\.bake_ms: -1 is not a whole number/],
    [{ steps: [{ ...step, reach: { kind: 'hosts', hosts: 1.5 } }] }, /^steps\[0\]\.hosts: 1\.5/],
    [{ approvals: 2 ** 32 }, /^approvals: 4294967296/],
    [{ limits: { ...spec.limits, ackTimeoutMs: -5 } }, /^limits\.ack_timeout_ms: -5/],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => specToWire({ ...spec, ...wrong }), { code: 'SKEIN_BAD_ROLLOUT', message });
  }
});

const BARE: wire.RolloutSpec = {
  key: '',
  value: true,
  selector: '',
  steps: [],
  limits: undefined,
  startAt: undefined,
  windows: [],
  approvals: 0,
  description: '',
  onFailure: wire.OnFailure.UNSPECIFIED,
};

const LIMITS: wire.RolloutLimits = {
  maxUnavailable: undefined,
  maxFailed: undefined,
  maxConcurrent: undefined,
  deadlineMs: 0,
  ackTimeoutMs: 0,
};

function gate(source: wire.Gate['source']): wire.Gate {
  return {
    name: 'loss',
    source,
    success: '< 1',
    failure: '',
    intervalMs: 0,
    initialDelayMs: 0,
    count: 0,
    failureLimit: 0,
    inconclusiveLimit: 0,
    missingLimit: 0,
    onNoData: wire.MissingPolicy.UNSPECIFIED,
    onError: wire.MissingPolicy.UNSPECIFIED,
  };
}

function prometheus(more: Partial<wire.PrometheusSource>): wire.PrometheusSource {
  return {
    query: 'up',
    rangeMs: 0,
    stepMs: 0,
    reduction: wire.Reduction.UNSPECIFIED,
    hosts: wire.SampleHosts.UNSPECIFIED,
    hostLabel: '',
    alpha: 0,
    worse: wire.Worse.UNSPECIFIED,
    ...more,
  };
}
