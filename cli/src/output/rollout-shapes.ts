import type {
  ApprovalPolicy,
  GateProgress,
  RolloutState,
  Transition,
} from '#common/rollout/rollout.ts';
import type { RolloutPlan, RolloutView } from '../client/rollout-calls.ts';
import { specManifest } from '../manifest/rollout-text.ts';

/** The documents of `skein rollout`; stable like those of shapes.ts. A spec is written as in a manifest. */
export function rolloutDocument({ record, etag, hosts }: RolloutView) {
  return {
    id: record.id,
    spec: specManifest(record.spec),
    creator: record.creator,
    createdAt: record.createdAt,
    ...stateDocument(record.state),
    approval: {
      ...policyDocument(record.approval),
      given: record.state.approvals.map(({ actor, time }) => ({ actor, time })),
    },
    hosts: {
      eligible: hosts.eligible,
      goal: hosts.goal,
      taken: hosts.taken,
      applied: hosts.applied,
      pending: hosts.pending,
      failed: hosts.failed,
      unavailable: hosts.unavailable,
      failedHosts: hosts.failedHosts,
      pendingHosts: hosts.pendingHosts,
      unavailableHosts: hosts.unavailableHosts,
    },
    transitions: record.transitions.map(transitionDocument),
    etag,
  };
}

export function transitionDocument(transition: Transition) {
  return {
    sequence: transition.sequence,
    time: transition.time,
    from: transition.from,
    to: transition.to,
    step: transition.step,
    actor: transition.actor,
    event: transition.event,
    reason: transition.reason,
  };
}

export function planDocument(plan: RolloutPlan) {
  return {
    spec: specManifest(plan.spec),
    fleet: plan.fleet,
    bound: plan.bound,
    eligible: plan.eligible,
    changed: plan.changed,
    steps: plan.steps.map(({ title, hosts, added, addedHosts }) => ({
      title,
      hosts,
      added,
      addedHosts,
    })),
    programs: plan.programs,
    warnings: plan.warnings,
    approval: policyDocument(plan.approval),
    shortestMs: plan.shortestMs,
  };
}

function policyDocument({ required, approvers, validMs }: ApprovalPolicy) {
  return { required, approvers, validMs };
}

function stateDocument(state: RolloutState) {
  return {
    phase: state.phase,
    since: state.since,
    step: state.step,
    width: state.width,
    startedAt: state.startedAt,
    widenedAt: state.widenedAt,
    bakeUntil: state.bakeUntil,
    deadlineAt: state.deadlineAt,
    gates: state.gates.map(gateDocument),
    pause: state.pause && {
      cause: state.pause.cause,
      reason: state.pause.reason,
      from: state.pause.from,
      bakeLeftMs: state.pause.bakeLeftMs,
    },
    rollingBack: state.rollingBack,
    reason: state.reason,
    blocked: state.blocked && { reason: state.blocked.reason, until: state.blocked.until },
  };
}

function gateDocument(gate: GateProgress) {
  const { last } = gate;
  return {
    verdict: gate.verdict,
    succeeded: gate.succeeded,
    failed: gate.failed,
    inconclusive: gate.inconclusive,
    ignored: gate.ignored,
    missing: gate.missing,
    nextAt: gate.nextAt,
    last: last && {
      outcome: last.outcome,
      time: last.time,
      value: last.value,
      pValue: last.pValue,
      detail: last.detail,
    },
  };
}
