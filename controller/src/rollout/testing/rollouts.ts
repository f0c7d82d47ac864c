import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type {
  GateProgress,
  HostTally,
  Measurement,
  RolloutRecord,
  RolloutState,
} from '#common/rollout/rollout.ts';
import type { Gate, RolloutSpec, Step } from '#common/rollout/spec.ts';
import type { SeenHosts } from '../step/event.ts';
import { newRecord } from '../step/new-record.ts';

/** Valid parts of rollouts with what a test does not care about filled in. */

export const START = new Date('2026-01-01T00:00:00Z');
export const MINUTE = 60_000;

export function after(ms: number): Date {
  return new Date(START.getTime() + ms);
}

export function gate(more: Partial<Gate> = {}): Gate {
  return {
    name: 'loss',
    source: { kind: 'prometheus', query: 'loss', hosts: { kind: 'all' } },
    success: '< 1',
    ...GATE_DEFAULTS,
    intervalMs: 10_000,
    ...more,
  };
}

export function percentStep(percent: number, more: Partial<Step> = {}): Step {
  return { reach: { kind: 'percent', percent }, bakeMs: MINUTE, gates: [], hold: false, ...more };
}

export function hostsStep(hosts: number, more: Partial<Step> = {}): Step {
  return percentStep(0, { reach: { kind: 'hosts', hosts }, ...more });
}

export function cohortStep(cohort: string, selector: string, more: Partial<Step> = {}): Step {
  return percentStep(0, { reach: { kind: 'cohort', cohort, selector }, ...more });
}

export function rolloutSpec(more: Partial<RolloutSpec> = {}): RolloutSpec {
  return {
    key: 'net.drop_icmp',
    value: true,
    selector: '',
    steps: [percentStep(50, { gates: [gate()] }), percentStep(100)],
    limits: {
      maxUnavailable: { kind: 'percent', percent: 5 },
      maxFailed: { kind: 'hosts', hosts: 0 },
      ackTimeoutMs: 5 * MINUTE,
    },
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback',
    ...more,
  };
}

export function rolloutRecord(
  state: Partial<RolloutState> = {},
  spec: RolloutSpec = rolloutSpec(),
  more: Partial<RolloutRecord> = {},
): RolloutRecord {
  const approval = { required: spec.approvals, approvers: [] };
  const made = { id: 'r1', spec, requestId: '', creator: 'alice', approval, now: START };
  const record = newRecord(made);
  const { phase = 'planned', step = 0 } = state;
  const start = {
    sequence: 1,
    time: START,
    to: phase,
    step,
    actor: 'alice',
    event: 'start',
    reason: '',
  };
  return { ...record, transitions: [start], state: { ...record.state, ...state }, ...more };
}

export function gateProgress(more: Partial<GateProgress> = {}): GateProgress {
  return {
    verdict: 'open',
    succeeded: 0,
    failed: 0,
    inconclusive: 0,
    ignored: 0,
    missing: 0,
    nextAt: START,
    ...more,
  };
}

export function measurement(outcome: Measurement['outcome'], detail = 'for a test'): Measurement {
  return { outcome, time: START, detail };
}

/** All of `taken` have applied, but for those counted otherwise. */
export function seenHosts(
  { step = 0, inForce }: Partial<Pick<SeenHosts, 'step' | 'inForce'>>,
  tally: Partial<HostTally> = {},
): SeenHosts {
  const counts = {
    eligible: 10,
    goal: 5,
    taken: inForce?.width ?? 0,
    pending: 0,
    failed: 0,
    unavailable: 0,
    ...tally,
  };
  const { taken, pending, failed, unavailable } = counts;
  const names = (what: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${what}-${i}`);
  return {
    step,
    ...(inForce ? { inForce } : {}),
    tally: {
      applied: taken - pending - failed - unavailable,
      failedHosts: names('failed', failed),
      pendingHosts: names('pending', pending),
      unavailableHosts: names('silent', unavailable),
      ...counts,
    },
  };
}
