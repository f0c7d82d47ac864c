import * as wire from '#proto/gen/skein/v1/rollout.ts';
import { SkeinError, toSkeinError } from '../errors.ts';
import { type EnumTable, enumToWire } from '../wire-enum.ts';
import { gateFromWire, gateToWire } from './gate-wire.ts';
import {
  type Amount,
  DAYS,
  type Day,
  type Limits,
  type Reach,
  type RolloutSpec,
  type Step,
  type Window,
} from './spec.ts';
import { badField, enumOr, positive, uint32 } from './spec-fields.ts';

const ACK_TIMEOUT_MS = 5 * 60_000;
const MAX_UNAVAILABLE: Amount = { kind: 'percent', percent: 5 };
const MAX_FAILED: Amount = { kind: 'hosts', hosts: 0 };

/** What a spec that says nothing of limits has. */
export const DEFAULT_LIMITS: Limits = {
  maxUnavailable: MAX_UNAVAILABLE,
  maxFailed: MAX_FAILED,
  ackTimeoutMs: ACK_TIMEOUT_MS,
};

/** @throws SkeinError SKEIN_BAD_ROLLOUT naming a number that does not fit */
export function specToWire(spec: RolloutSpec): wire.RolloutSpec {
  return {
    key: spec.key,
    value: spec.value,
    selector: spec.selector,
    steps: spec.steps.map(stepToWire),
    limits: limitsToWire(spec.limits),
    startAt: spec.startAt,
    windows: spec.windows.map((window) => ({ ...window, days: [...window.days] })),
    approvals: uint32(spec.approvals, 'approvals'),
    description: spec.description,
    onFailure: enumToWire(ON_FAILURE, spec.onFailure),
  };
}

/**
 * The spec with its defaults filled in. Only what the wire can get wrong is checked; whether it makes sense is for
 * others to say.
 *
 * @throws SkeinError SKEIN_BAD_ROLLOUT naming the field
 */
export function specFromWire(message: wire.RolloutSpec): RolloutSpec {
  try {
    return readSpec(message);
  } catch (error) {
    throw toSkeinError(error).code === 'SKEIN_STORE_CORRUPT'
      ? new SkeinError('SKEIN_BAD_ROLLOUT', toSkeinError(error).message, { cause: error })
      : error;
  }
}

function readSpec(message: wire.RolloutSpec): RolloutSpec {
  return {
    key: message.key,
    value: message.value,
    selector: message.selector,
    steps: message.steps.map(stepFromWire),
    limits: limitsFromWire(message.limits),
    ...(message.startAt ? { startAt: startTime(message.startAt) } : {}),
    windows: message.windows.map(windowFromWire),
    approvals: message.approvals,
    description: message.description,
    onFailure: enumOr(ON_FAILURE, message.onFailure, 'rollback', 'on_failure'),
  };
}

function startTime(time: Date): Date {
  if (Number.isNaN(time.getTime())) throw badField('start_at', 'out of range');
  return time;
}

function stepToWire(step: Step, index: number): wire.RolloutStep {
  const field = `steps[${index}]`;
  return {
    reach: reachToWire(step.reach, field),
    bakeMs: uint32(step.bakeMs, `${field}.bake_ms`),
    gates: step.gates.map((gate, at) => gateToWire(gate, `${field}.gates[${at}]`)),
    hold: step.hold,
    cohortSelector: step.reach.kind === 'cohort' ? step.reach.selector : '',
  };
}

function stepFromWire(message: wire.RolloutStep, index: number): Step {
  const field = `steps[${index}]`;
  return {
    reach: reachFromWire(message, field),
    bakeMs: message.bakeMs,
    gates: message.gates.map((gate, at) => gateFromWire(gate, `${field}.gates[${at}]`)),
    hold: message.hold,
  };
}

function reachToWire(reach: Reach, field: string): wire.RolloutStep['reach'] {
  return reach.kind === 'cohort'
    ? { $case: 'cohort', value: reach.cohort }
    : amountToWire(reach, field).of;
}

function reachFromWire({ reach, cohortSelector }: wire.RolloutStep, field: string): Reach {
  if (!reach) throw badField(field, 'reaches nobody: give percent, hosts or cohort');
  return reach.$case === 'cohort'
    ? { kind: 'cohort', cohort: reach.value, selector: cohortSelector }
    : amountFromWire({ of: reach }, field);
}

function limitsToWire(limits: Limits): wire.RolloutLimits {
  const { maxConcurrent } = limits;
  return {
    maxUnavailable: amountToWire(limits.maxUnavailable, 'limits.max_unavailable'),
    maxFailed: amountToWire(limits.maxFailed, 'limits.max_failed'),
    maxConcurrent: maxConcurrent && amountToWire(maxConcurrent, 'limits.max_concurrent'),
    deadlineMs: uint32(limits.deadlineMs ?? 0, 'limits.deadline_ms'),
    ackTimeoutMs: uint32(limits.ackTimeoutMs, 'limits.ack_timeout_ms'),
  };
}

function limitsFromWire(message: wire.RolloutLimits | undefined): Limits {
  if (!message) return DEFAULT_LIMITS;
  const { maxUnavailable, maxFailed, maxConcurrent } = message;
  const deadlineMs = positive(message.deadlineMs);
  return {
    maxUnavailable: maxUnavailable
      ? amountFromWire(maxUnavailable, 'limits.max_unavailable')
      : MAX_UNAVAILABLE,
    maxFailed: maxFailed ? amountFromWire(maxFailed, 'limits.max_failed') : MAX_FAILED,
    ...(maxConcurrent
      ? { maxConcurrent: amountFromWire(maxConcurrent, 'limits.max_concurrent') }
      : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ackTimeoutMs: positive(message.ackTimeoutMs) ?? ACK_TIMEOUT_MS,
  };
}

function amountToWire(amount: Amount, field: string): { of: NonNullable<wire.Amount['of']> } {
  return amount.kind === 'percent'
    ? { of: { $case: 'percent', value: amount.percent } }
    : { of: { $case: 'hosts', value: uint32(amount.hosts, `${field}.hosts`) } };
}

function amountFromWire({ of }: wire.Amount, field: string): Amount {
  if (!of) throw badField(field, 'is empty: give percent or hosts');
  return of.$case === 'percent'
    ? { kind: 'percent', percent: of.value }
    : { kind: 'hosts', hosts: of.value };
}

function windowFromWire({ days, from, to, timeZone }: wire.Window, index: number): Window {
  const field = `windows[${index}].days`;
  return { days: days.map((day) => dayOf(day, field)), from, to, timeZone: timeZone || 'UTC' };
}

function dayOf(text: string, field: string): Day {
  const day = DAYS.find((known) => known === text);
  if (day) return day;
  throw badField(field, `${JSON.stringify(text.slice(0, 32))} is none of ${DAYS.join(', ')}`);
}

const ON_FAILURE: EnumTable<RolloutSpec['onFailure'], wire.OnFailure> = {
  rollback: wire.OnFailure.ROLLBACK,
  pause: wire.OnFailure.PAUSE,
};
