import * as wire from '#proto/gen/skein/v1/rollout.ts';
import { type EnumTable, enumFromWire, enumToWire, present, validTime } from '../wire-enum.ts';
import type {
  ApprovalPolicy,
  GateProgress,
  HostTally,
  Measurement,
  Pause,
  PauseCause,
  Phase,
  RolloutRecord,
  RolloutState,
  Transition,
} from './rollout.ts';
import { specFromWire, specToWire } from './spec-wire.ts';

/** Rollouts between their domain types and their wire types: the same in the store, in the audit log and in the API. */
export function recordToWire(record: RolloutRecord): wire.RolloutRecord {
  return {
    ...record,
    spec: specToWire(record.spec),
    state: stateToWire(record.state),
    transitions: record.transitions.map(transitionToWire),
    approval: approvalPolicyToWire(record.approval),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT, SKEIN_BAD_ROLLOUT for its spec; each names the field */
export function recordFromWire(message: wire.RolloutRecord): RolloutRecord {
  return {
    id: message.id,
    spec: specFromWire(present(message.spec, 'rollout.spec')),
    state: stateFromWire(present(message.state, 'rollout.state')),
    transitions: message.transitions.map(transitionFromWire),
    epoch: message.epoch,
    requestId: message.requestId,
    creator: message.creator,
    createdAt: validTime(message.createdAt, 'rollout.created_at'),
    approval: approvalPolicyFromWire(present(message.approval, 'rollout.approval')),
  };
}

export function transitionToWire(transition: Transition): wire.Transition {
  const { from, to } = transition;
  return {
    ...transition,
    from: from ? enumToWire(PHASES, from) : wire.RolloutPhase.UNSPECIFIED,
    to: enumToWire(PHASES, to),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT */
export function transitionFromWire(message: wire.Transition): Transition {
  const { from } = message;
  return {
    sequence: message.sequence,
    time: validTime(message.time, 'transition.time'),
    ...(from === wire.RolloutPhase.UNSPECIFIED ? {} : { from: phaseOf(from, 'transition.from') }),
    to: phaseOf(message.to, 'transition.to'),
    step: message.step,
    actor: message.actor,
    event: message.event,
    reason: message.reason,
  };
}

export function approvalPolicyToWire(policy: ApprovalPolicy): wire.ApprovalPolicy {
  const { required, approvers, validMs } = policy;
  return { required, approvers: [...approvers], validMs: validMs ?? 0 };
}

export function approvalPolicyFromWire(message: wire.ApprovalPolicy): ApprovalPolicy {
  const { required, approvers, validMs } = message;
  return { required, approvers, ...(validMs === 0 ? {} : { validMs }) };
}

export function tallyToWire(tally: HostTally): wire.HostTally {
  return {
    ...tally,
    failedHosts: [...tally.failedHosts],
    pendingHosts: [...tally.pendingHosts],
    unavailableHosts: [...tally.unavailableHosts],
  };
}

export function tallyFromWire(message: wire.HostTally): HostTally {
  return message;
}

function stateToWire(state: RolloutState): wire.RolloutState {
  return {
    phase: enumToWire(PHASES, state.phase),
    since: state.since,
    step: state.step,
    width: state.width,
    widenedAt: state.widenedAt,
    startedAt: state.startedAt,
    bakeUntil: state.bakeUntil,
    deadlineAt: state.deadlineAt,
    gates: state.gates.map(gateProgressToWire),
    pause: state.pause && pauseToWire(state.pause),
    rollingBack: state.rollingBack,
    reason: state.reason,
    approvals: state.approvals.map((approval) => ({ ...approval })),
    blocked: state.blocked?.reason ?? '',
    blockedUntil: state.blocked?.until,
    reached: state.reached && tallyToWire(state.reached),
  };
}

function stateFromWire(message: wire.RolloutState): RolloutState {
  const { blocked } = message;
  return {
    phase: phaseOf(message.phase, 'state.phase'),
    since: validTime(message.since, 'state.since'),
    step: message.step,
    width: message.width,
    ...timeIn('widenedAt', message.widenedAt),
    ...timeIn('startedAt', message.startedAt),
    ...timeIn('bakeUntil', message.bakeUntil),
    ...timeIn('deadlineAt', message.deadlineAt),
    gates: message.gates.map(gateProgressFromWire),
    ...(message.pause ? { pause: pauseFromWire(message.pause) } : {}),
    rollingBack: message.rollingBack,
    reason: message.reason,
    approvals: message.approvals.map(({ actor, time }) => ({
      actor,
      time: validTime(time, 'approval.time'),
    })),
    ...(blocked === ''
      ? {}
      : { blocked: { reason: blocked, ...timeIn('until', message.blockedUntil) } }),
    ...(message.reached ? { reached: tallyFromWire(message.reached) } : {}),
  };
}

/** A time that may be absent, as a property of that name. */
function timeIn<Name extends string>(
  name: Name,
  time: Date | undefined,
): { readonly [N in Name]?: Date } {
  const found: { [N in Name]?: Date } = {};
  if (time) found[name] = validTime(time, `state.${name}`);
  return found;
}

function pauseToWire(pause: Pause): wire.Pause {
  return {
    ...pause,
    cause: enumToWire(CAUSES, pause.cause),
    from: enumToWire(PHASES, pause.from),
  };
}

function pauseFromWire(message: wire.Pause): Pause {
  return {
    cause: enumFromWire(CAUSES, message.cause, 'pause.cause'),
    reason: message.reason,
    from: enumFromWire(PAUSABLE, message.from, 'pause.from'),
    bakeLeftMs: message.bakeLeftMs,
  };
}

function gateProgressToWire({ last, ...progress }: GateProgress): wire.GateProgress {
  return {
    ...progress,
    verdict: enumToWire(VERDICTS, progress.verdict),
    last: last && measurementToWire(last),
  };
}

function gateProgressFromWire(message: wire.GateProgress): GateProgress {
  const { verdict, nextAt, last, ...counts } = message;
  return {
    ...counts,
    verdict: enumFromWire(VERDICTS, verdict, 'gate.verdict'),
    nextAt: validTime(nextAt, 'gate.next_at'),
    ...(last ? { last: measurementFromWire(last) } : {}),
  };
}

function measurementToWire(measurement: Measurement): wire.Measurement {
  const { outcome, time, value, pValue, detail } = measurement;
  return { outcome: enumToWire(OUTCOMES, outcome), time, value, pValue, detail };
}

function measurementFromWire(message: wire.Measurement): Measurement {
  const { outcome, time, value, pValue, detail } = message;
  return {
    outcome: enumFromWire(OUTCOMES, outcome, 'measurement.outcome'),
    time: validTime(time, 'measurement.time'),
    ...(value === undefined ? {} : { value }),
    ...(pValue === undefined ? {} : { pValue }),
    detail,
  };
}

function phaseOf(value: wire.RolloutPhase, field: string): Phase {
  return enumFromWire(PHASES, value, field);
}

const PAUSABLE: EnumTable<Pause['from'], wire.RolloutPhase> = {
  planned: wire.RolloutPhase.PLANNED,
  running: wire.RolloutPhase.RUNNING,
  baking: wire.RolloutPhase.BAKING,
  gating: wire.RolloutPhase.GATING,
};

const PHASES: EnumTable<Phase, wire.RolloutPhase> = {
  ...PAUSABLE,
  paused: wire.RolloutPhase.PAUSED,
  aborted: wire.RolloutPhase.ABORTED,
  'rolled-back': wire.RolloutPhase.ROLLED_BACK,
  completed: wire.RolloutPhase.COMPLETED,
};

const CAUSES: EnumTable<PauseCause, wire.PauseCause> = {
  operator: wire.PauseCause.OPERATOR,
  hold: wire.PauseCause.HOLD,
  killed: wire.PauseCause.KILLED,
  unavailable: wire.PauseCause.UNAVAILABLE,
  'missing-acks': wire.PauseCause.MISSING_ACKS,
  'gate-inconclusive': wire.PauseCause.GATE_INCONCLUSIVE,
  'gate-no-data': wire.PauseCause.GATE_NO_DATA,
  'gate-error': wire.PauseCause.GATE_ERROR,
  failure: wire.PauseCause.FAILURE,
};

const VERDICTS: EnumTable<GateProgress['verdict'], wire.GateVerdict> = {
  open: wire.GateVerdict.OPEN,
  passed: wire.GateVerdict.PASSED,
  failed: wire.GateVerdict.FAILED,
};

const OUTCOMES: EnumTable<Measurement['outcome'], wire.MeasurementOutcome> = {
  success: wire.MeasurementOutcome.SUCCESS,
  failure: wire.MeasurementOutcome.FAILURE,
  inconclusive: wire.MeasurementOutcome.INCONCLUSIVE,
  'no-data': wire.MeasurementOutcome.NO_DATA,
  error: wire.MeasurementOutcome.ERROR,
};
