import * as wire from '#proto/gen/skein/v1/rollout.ts';
import { type EnumTable, enumFromWire, enumToWire } from '../wire-enum.ts';
import type { BuiltinMeasure, Gate, GateSource, MissingPolicy, Reduction } from './spec.ts';
import { badField, enumOr, positive, uint32 } from './spec-fields.ts';

/** What a gate that does not say has. */
export const GATE_DEFAULTS = {
  intervalMs: 30_000,
  initialDelayMs: 0,
  count: 1,
  failureLimit: 0,
  inconclusiveLimit: 0,
  missingLimit: 0,
  onNoData: 'pause',
  onError: 'pause',
} as const satisfies Partial<Gate>;
export const ALPHA = 0.05;
export const HOST_LABEL = 'host';
/** A range query has so many points, unless that were more than one a second. */
const RANGE_POINTS = 60;
const LEAST_STEP_MS = 1_000;

/** @throws SkeinError SKEIN_BAD_ROLLOUT for a number that is not a uint32 */
export function gateToWire(gate: Gate, field: string): wire.Gate {
  const number = (name: string, value: number) => uint32(value, `${field}.${name}`);
  return {
    name: gate.name,
    source: sourceToWire(gate.source, field),
    success: gate.success ?? '',
    failure: gate.failure ?? '',
    intervalMs: number('interval_ms', gate.intervalMs),
    initialDelayMs: number('initial_delay_ms', gate.initialDelayMs),
    count: number('count', gate.count),
    failureLimit: number('failure_limit', gate.failureLimit),
    inconclusiveLimit: number('inconclusive_limit', gate.inconclusiveLimit),
    missingLimit: number('missing_limit', gate.missingLimit),
    onNoData: enumToWire(MISSING_POLICIES, gate.onNoData),
    onError: enumToWire(MISSING_POLICIES, gate.onError),
  };
}

/** @throws SkeinError SKEIN_BAD_ROLLOUT; SKEIN_STORE_CORRUPT for an unknown enum value; each names the field */
export function gateFromWire(message: wire.Gate, field: string): Gate {
  const policy = (value: wire.MissingPolicy, name: string) =>
    enumOr(MISSING_POLICIES, value, GATE_DEFAULTS.onNoData, `${field}.${name}`);
  return {
    name: message.name,
    source: sourceFromWire(message.source, field),
    ...(message.success === '' ? {} : { success: message.success }),
    ...(message.failure === '' ? {} : { failure: message.failure }),
    intervalMs: message.intervalMs || GATE_DEFAULTS.intervalMs,
    initialDelayMs: message.initialDelayMs,
    count: message.count || GATE_DEFAULTS.count,
    failureLimit: message.failureLimit,
    inconclusiveLimit: message.inconclusiveLimit,
    missingLimit: message.missingLimit,
    onNoData: policy(message.onNoData, 'on_no_data'),
    onError: policy(message.onError, 'on_error'),
  };
}

function sourceToWire(source: GateSource, field: string): wire.Gate['source'] {
  if (source.kind === 'builtin') {
    const measure = enumToWire(MEASURES, source.measure);
    return { $case: 'builtin', value: { measure, quantile: source.quantile ?? 0 } };
  }
  const { query, range, hosts } = source;
  const place = `${field}.prometheus`;
  const compare = hosts.kind === 'compare' ? hosts : undefined;
  return {
    $case: 'prometheus',
    value: {
      query,
      rangeMs: range ? uint32(range.rangeMs, `${place}.range_ms`) : 0,
      stepMs: range ? uint32(range.stepMs, `${place}.step_ms`) : 0,
      reduction: range ? enumToWire(REDUCTIONS, range.reduction) : wire.Reduction.UNSPECIFIED,
      hosts: enumToWire(SAMPLE_HOSTS, hosts.kind),
      hostLabel: hosts.kind === 'all' ? '' : hosts.label,
      alpha: compare?.alpha ?? 0,
      worse: compare ? enumToWire(WORSE, compare.worse) : wire.Worse.UNSPECIFIED,
    },
  };
}

function sourceFromWire(source: wire.Gate['source'], field: string): GateSource {
  if (source?.$case === 'prometheus') {
    return prometheusFromWire(source.value, `${field}.prometheus`);
  }
  if (source?.$case === 'builtin') {
    const { measure, quantile } = source.value;
    return {
      kind: 'builtin',
      measure: enumFromWire(MEASURES, measure, `${field}.builtin.measure`),
      ...(quantile === 0 ? {} : { quantile }),
    };
  }
  throw badField(field, 'has no source: give prometheus or builtin');
}

function prometheusFromWire(message: wire.PrometheusSource, field: string): GateSource {
  const { query, rangeMs } = message;
  const label = message.hostLabel || HOST_LABEL;
  const kind = enumOr(SAMPLE_HOSTS, message.hosts, 'all', `${field}.hosts`);
  const reduction = enumOr(REDUCTIONS, message.reduction, 'average', `${field}.reduction`);
  const worse = enumOr(WORSE, message.worse, 'higher', `${field}.worse`);
  return {
    kind: 'prometheus',
    query,
    ...(rangeMs === 0
      ? {}
      : {
          range: { rangeMs, stepMs: positive(message.stepMs) ?? resolutionOf(rangeMs), reduction },
        }),
    hosts:
      kind === 'compare'
        ? { kind, label, alpha: message.alpha || ALPHA, worse }
        : kind === 'changed'
          ? { kind, label }
          : { kind },
  };
}

/** Of a range query that does not say. */
export function resolutionOf(rangeMs: number): number {
  return Math.max(LEAST_STEP_MS, Math.ceil(rangeMs / RANGE_POINTS));
}

const MISSING_POLICIES: EnumTable<MissingPolicy, wire.MissingPolicy> = {
  pause: wire.MissingPolicy.PAUSE,
  fail: wire.MissingPolicy.FAIL,
  ignore: wire.MissingPolicy.IGNORE,
};

const REDUCTIONS: EnumTable<Reduction, wire.Reduction> = {
  average: wire.Reduction.AVERAGE,
  minimum: wire.Reduction.MINIMUM,
  maximum: wire.Reduction.MAXIMUM,
  last: wire.Reduction.LAST,
};

const SAMPLE_HOSTS: EnumTable<'all' | 'changed' | 'compare', wire.SampleHosts> = {
  all: wire.SampleHosts.ALL,
  changed: wire.SampleHosts.CHANGED,
  compare: wire.SampleHosts.COMPARE,
};

const WORSE: EnumTable<'higher' | 'lower', wire.Worse> = {
  higher: wire.Worse.HIGHER,
  lower: wire.Worse.LOWER,
};

const MEASURES: EnumTable<BuiltinMeasure, wire.BuiltinMeasure> = {
  'host-failures': wire.BuiltinMeasure.HOST_FAILURES,
  'verifier-failures': wire.BuiltinMeasure.VERIFIER_FAILURES,
  'flip-latency': wire.BuiltinMeasure.FLIP_LATENCY,
  'missing-acks': wire.BuiltinMeasure.MISSING_ACKS,
};
