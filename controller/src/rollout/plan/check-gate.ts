import { SkeinError } from '#common/errors.ts';
import type { Gate, GateSource } from '#common/rollout/spec.ts';
import { badField } from '#common/rollout/spec-fields.ts';
import { parseCondition } from '../gates/condition.ts';
import { checkDuration, checkWhole } from './check-number.ts';

/** @throws SkeinError SKEIN_BAD_ROLLOUT naming the field */
export function checkGate(gate: Gate, field: string): void {
  if (gate.name.trim() === '') throw badField(`${field}.name`, 'is empty');
  checkSource(gate.source, field);
  const isComparison = gate.source.kind === 'prometheus' && gate.source.hosts.kind === 'compare';
  if (gate.success === undefined && gate.failure === undefined && !isComparison) {
    throw badField(field, 'has no condition: give success, failure, or both');
  }
  for (const name of ['success', 'failure'] as const) {
    if (isComparison && gate[name] !== undefined) {
      throw badField(`${field}.${name}`, 'has no effect in a comparison, which alpha decides');
    }
  }
  checkCondition(`${field}.success`, gate.success);
  checkCondition(`${field}.failure`, gate.failure);
  checkDuration(`${field}.interval_ms`, gate.intervalMs, 1);
  checkDuration(`${field}.initial_delay_ms`, gate.initialDelayMs, 0);
  checkWhole(`${field}.count`, gate.count, 1);
  checkWhole(`${field}.failure_limit`, gate.failureLimit, 0);
  checkWhole(`${field}.inconclusive_limit`, gate.inconclusiveLimit, 0);
  checkWhole(`${field}.missing_limit`, gate.missingLimit, 0);
}

function checkSource(source: GateSource, field: string): void {
  if (source.kind === 'builtin') {
    checkQuantile(source, `${field}.builtin.quantile`);
    return;
  }
  const { query, range, hosts } = source;
  if (query.trim() === '') throw badField(`${field}.prometheus.query`, 'is empty');
  if (range) {
    checkDuration(`${field}.prometheus.range_ms`, range.rangeMs, 1);
    checkDuration(`${field}.prometheus.step_ms`, range.stepMs, 1);
    if (range.stepMs > range.rangeMs) {
      const what = `${range.stepMs} is more than the range, ${range.rangeMs}`;
      throw badField(`${field}.prometheus.step_ms`, what);
    }
  }
  if (hosts.kind !== 'all' && hosts.label === '') {
    throw badField(`${field}.prometheus.host_label`, 'is empty');
  }
  if (hosts.kind === 'compare' && !(hosts.alpha > 0 && hosts.alpha < 1)) {
    throw badField(`${field}.prometheus.alpha`, `${hosts.alpha} is not between 0 and 1`);
  }
}

function checkQuantile(
  { measure, quantile }: Extract<GateSource, { kind: 'builtin' }>,
  field: string,
): void {
  if (measure !== 'flip-latency') return;
  if (quantile !== undefined && quantile > 0 && quantile <= 1) return;
  throw badField(field, `${quantile ?? 'none'} is not above 0 and at most 1`);
}

function checkCondition(field: string, text: string | undefined): void {
  if (text === undefined) return;
  try {
    parseCondition(text);
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    throw new SkeinError(error.code, `${field}: ${error.message}`, { cause: error });
  }
}
