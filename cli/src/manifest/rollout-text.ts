import type { Gate, RolloutSpec, Step } from '#common/rollout/spec.ts';
import { formatDuration } from '../output/quantities.ts';
import { formatAmount } from '../parse/amount.ts';
import { onOff } from '../parse/values.ts';

/** The `spec` of a manifest of kind Rollout: what the schema makes the same spec of. Absent: as by default. */
export function specManifest(spec: RolloutSpec) {
  const { limits } = spec;
  return {
    key: spec.key,
    value: onOff(spec.value),
    selector: spec.selector || undefined,
    description: spec.description || undefined,
    steps: spec.steps.map(stepManifest),
    limits: {
      maxUnavailable: formatAmount(limits.maxUnavailable),
      maxFailed: formatAmount(limits.maxFailed),
      maxConcurrent: limits.maxConcurrent && formatAmount(limits.maxConcurrent),
      deadline: limits.deadlineMs && formatDuration(limits.deadlineMs),
      ackTimeout: formatDuration(limits.ackTimeoutMs),
    },
    startAt: spec.startAt,
    windows: spec.windows.length === 0 ? undefined : spec.windows,
    approvals: spec.approvals || undefined,
    onFailure: spec.onFailure,
  };
}

function stepManifest({ reach, bakeMs, gates, hold }: Step) {
  return {
    percent: reach.kind === 'percent' ? reach.percent : undefined,
    hosts: reach.kind === 'hosts' ? reach.hosts : undefined,
    cohort: reach.kind === 'cohort' ? reach.cohort : undefined,
    bake: bakeMs === 0 ? undefined : formatDuration(bakeMs),
    gates: gates.length === 0 ? undefined : gates.map(gateManifest),
    hold: hold || undefined,
  };
}

function gateManifest(gate: Gate) {
  return {
    name: gate.name,
    ...sourceManifest(gate),
    success: gate.success,
    failure: gate.failure,
    interval: formatDuration(gate.intervalMs),
    initialDelay: gate.initialDelayMs === 0 ? undefined : formatDuration(gate.initialDelayMs),
    count: gate.count,
    failureLimit: gate.failureLimit,
    inconclusiveLimit: gate.inconclusiveLimit,
    missingLimit: gate.missingLimit,
    onNoData: gate.onNoData,
    onError: gate.onError,
  };
}

function sourceManifest({ source }: Gate) {
  if (source.kind === 'builtin') {
    return { builtin: { measure: source.measure, quantile: source.quantile } };
  }
  const { query, range, hosts } = source;
  return {
    prometheus: {
      query,
      range: range && formatDuration(range.rangeMs),
      step: range && formatDuration(range.stepMs),
      reduction: range?.reduction,
      hosts: hosts.kind,
      hostLabel: hosts.kind === 'all' ? undefined : hosts.label,
      alpha: hosts.kind === 'compare' ? hosts.alpha : undefined,
      worse: hosts.kind === 'compare' ? hosts.worse : undefined,
    },
  };
}
