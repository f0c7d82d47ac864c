import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAYS, type Gate, type RolloutSpec } from '#common/rollout/spec.ts';
import { renderDocument } from '../output/document.ts';
import { sampleGate, sampleSpec } from '../testing/rollout-samples.ts';
import { parseManifests } from './parse-manifests.ts';
import { specManifest } from './rollout-text.ts';

const ms = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const positiveMs = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const percent = fc.double({ min: 0, max: 100, noNaN: true }).map((n) => Number(n.toFixed(3)));
const amount = fc.oneof(
  percent.map((value) => ({ kind: 'percent', percent: value }) as const),
  fc.nat().map((hosts) => ({ kind: 'hosts', hosts }) as const),
);
const reach = fc.oneof(
  percent
    .filter((value) => value > 0)
    .map((value) => ({ kind: 'percent', percent: value }) as const),
  fc.integer({ min: 1, max: 1e9 }).map((hosts) => ({ kind: 'hosts', hosts }) as const),
  fc.constant({ kind: 'cohort', cohort: 'canary', selector: '' } as const),
);
const policy = fc.constantFrom('pause', 'fail', 'ignore');
const source: fc.Arbitrary<Gate['source']> = fc.oneof(
  fc.constant({ kind: 'builtin', measure: 'flip-latency', quantile: 0.9 } as const),
  fc.constant({ kind: 'builtin', measure: 'missing-acks' } as const),
  fc.record(
    {
      kind: fc.constant('prometheus'),
      query: fc.constantFrom('up', 'a{b="c: d"} # e', '- x'),
      hosts: fc.constantFrom(
        { kind: 'all' } as const,
        { kind: 'changed', label: 'instance' } as const,
        { kind: 'compare', label: 'host', alpha: 0.01, worse: 'lower' } as const,
      ),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      kind: fc.constant('prometheus'),
      query: fc.constant('up'),
      range: fc.record(
        {
          rangeMs: positiveMs,
          stepMs: positiveMs,
          reduction: fc.constantFrom('average', 'minimum', 'maximum', 'last'),
        },
        { noNullPrototype: true },
      ),
      hosts: fc.constant({ kind: 'all' } as const),
    },
    { noNullPrototype: true },
  ),
);
const gate = fc
  .record({ source, interval: positiveMs, delay: ms, limit: fc.nat(), policy })
  .map(({ source: of, interval, delay, limit, policy: onNoData }) =>
    sampleGate({
      source: of,
      ...(of.kind === 'prometheus' && of.hosts.kind === 'compare' ? {} : { failure: '> 0.5' }),
      intervalMs: interval,
      initialDelayMs: delay,
      missingLimit: limit,
      onNoData,
    }),
  );
const step = fc.record(
  { reach, bakeMs: ms, gates: fc.array(gate, { maxLength: 2 }), hold: fc.boolean() },
  { noNullPrototype: true },
);
const spec: fc.Arbitrary<RolloutSpec> = fc
  .record({
    value: fc.boolean(),
    selector: fc.constantFrom('', 'a=b,c in (d,e)'),
    steps: fc.array(step, { minLength: 1, maxLength: 3 }),
    limits: fc.record(
      {
        maxUnavailable: amount,
        maxFailed: amount,
        maxConcurrent: amount,
        deadlineMs: positiveMs,
        ackTimeoutMs: positiveMs,
      },
      { requiredKeys: ['maxUnavailable', 'maxFailed', 'ackTimeoutMs'], noNullPrototype: true },
    ),
    windows: fc.array(
      fc.record(
        {
          days: fc.subarray([...DAYS]),
          from: fc.constant('22:00'),
          to: fc.constant('04:00'),
          timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 2 },
    ),
    approvals: fc.nat(5),
    description: fc.constantFrom('', 'on: #1'),
    onFailure: fc.constantFrom('rollback', 'pause'),
  })
  .map((over) => sampleSpec(over));

test('a spec written as a manifest is read as the same spec', () => {
  fc.assert(
    fc.property(spec, fc.boolean(), (written, isScheduled) => {
      const startAt = new Date('2026-03-01T12:00:00.250Z');
      const expected = { ...written, ...(isScheduled ? { startAt } : {}) };
      const document = { apiVersion: 'skein/v1', kind: 'Rollout', spec: specManifest(expected) };
      const [read] = parseManifests(renderDocument(document, 'yaml'), 'a.yaml');
      assert.deepEqual(read?.spec, expected);
    }),
  );
});
