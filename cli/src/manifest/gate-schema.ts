import { z } from 'zod';
import { ALPHA, GATE_DEFAULTS, HOST_LABEL, resolutionOf } from '#common/rollout/gate-wire.ts';
import type { Gate, GateSource, SampleHosts } from '#common/rollout/spec.ts';
import { durationField, waitField } from './fields.ts';

const POLICY = z.enum(['pause', 'fail', 'ignore']).default('pause');

const prometheus = z.strictObject({
  query: z.string().min(1).describe('PromQL'),
  range: durationField
    .optional()
    .describe('a range query over so long; absent: an instant query at the time of measuring'),
  step: durationField
    .optional()
    .describe('resolution of the range query; default a sixtieth of the range, at least 1s'),
  reduction: z
    .enum(['average', 'minimum', 'maximum', 'last'])
    .default('average')
    .describe('how each series of a range query becomes one value'),
  hosts: z
    .enum(['all', 'changed', 'compare'])
    .default('all')
    .describe('which series count: all, those of changed hosts, or changed against unchanged ones'),
  hostLabel: z.string().min(1).default(HOST_LABEL).describe('label that holds the host’s name'),
  alpha: z
    .number()
    .gt(0)
    .lt(1)
    .default(ALPHA)
    .describe('of a comparison: changed hosts fail when worse with a p-value below it'),
  worse: z
    .enum(['higher', 'lower'])
    .default('higher')
    .describe('of a comparison: which way is bad'),
});

const builtin = z.strictObject({
  measure: z.enum(['host-failures', 'verifier-failures', 'flip-latency', 'missing-acks']),
  quantile: z.number().gt(0).max(1).optional().describe('of flip-latency, in seconds'),
});

/** A health condition on a step. */
export const gateSchema = z
  .strictObject({
    name: z.string().min(1).max(64).describe('for people'),
    prometheus: prometheus.optional(),
    builtin: builtin.optional().describe('measured by the controller, without Prometheus'),
    success: z.string().optional().describe('condition that a good measurement meets: "< 0.01"'),
    failure: z.string().optional().describe('condition that a bad measurement meets: "> 0.05"'),
    interval: durationField
      .prefault(`${GATE_DEFAULTS.intervalMs / 1_000}s`)
      .describe('between measurements'),
    initialDelay: waitField.prefault('0s').describe('before the first measurement'),
    count: z.int().min(1).default(1).describe('successful measurements that pass the gate'),
    failureLimit: z.int().min(0).default(0).describe('more failures than this: failed'),
    inconclusiveLimit: z.int().min(0).default(0).describe('more of these than this: paused'),
    missingLimit: z
      .int()
      .min(0)
      .default(0)
      .describe('measurements in a row without data or with an error before the policy applies'),
    onNoData: POLICY.describe('what a lack of data means'),
    onError: POLICY.describe('what an error of Prometheus means'),
  })
  .refine((gate) => (gate.prometheus === undefined) !== (gate.builtin === undefined), {
    error: 'give either prometheus or builtin',
  })
  .refine(
    (gate) => gate.success !== undefined || gate.failure !== undefined || isComparison(gate),
    {
      error: 'give success or failure, or both',
    },
  )
  .refine(
    (gate) => (gate.success === undefined && gate.failure === undefined) || !isComparison(gate),
    {
      error: 'success and failure have no effect in a comparison, which alpha decides',
    },
  )
  .transform(({ prometheus: query, builtin: own, interval, initialDelay, ...gate }): Gate => {
    const { success, failure, ...rest } = gate;
    return {
      ...rest,
      source: query ? prometheusSource(query) : builtinSource(own),
      ...(success === undefined ? {} : { success }),
      ...(failure === undefined ? {} : { failure }),
      intervalMs: interval,
      initialDelayMs: initialDelay,
    };
  });

function isComparison(gate: { readonly prometheus?: { readonly hosts: string } | undefined }) {
  return gate.prometheus?.hosts === 'compare';
}

function prometheusSource(source: z.output<typeof prometheus>): GateSource {
  const { query, range, step, reduction } = source;
  return {
    kind: 'prometheus',
    query,
    ...(range === undefined
      ? {}
      : { range: { rangeMs: range, stepMs: step ?? resolutionOf(range), reduction } }),
    hosts: sampleHosts(source),
  };
}

function sampleHosts(source: z.output<typeof prometheus>): SampleHosts {
  const { hosts: kind, hostLabel: label, alpha, worse } = source;
  if (kind === 'all') return { kind };
  return kind === 'changed' ? { kind, label } : { kind, label, alpha, worse };
}

function builtinSource(source: z.output<typeof builtin> | undefined): GateSource {
  const { measure, quantile } = source ?? { measure: 'host-failures' };
  return { kind: 'builtin', measure, ...(quantile === undefined ? {} : { quantile }) };
}
