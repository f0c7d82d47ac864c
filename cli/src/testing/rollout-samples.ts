import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type { HostTally, RolloutState } from '#common/rollout/rollout.ts';
import { recordToWire, tallyToWire } from '#common/rollout/rollout-wire.ts';
import type { Gate, RolloutSpec } from '#common/rollout/spec.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import type { Rollout } from '#proto/gen/skein/v1/rollout.ts';
import type { RolloutView } from '../client/rollout-calls.ts';
import { EARLIER } from './samples.ts';

export function sampleGate(over: Partial<Gate> = {}): Gate {
  return {
    name: 'errors',
    source: {
      kind: 'prometheus',
      query: 'rate(errors_total[5m])',
      hosts: { kind: 'compare', label: 'host', alpha: 0.05, worse: 'higher' },
    },
    ...GATE_DEFAULTS,
    count: 3,
    ...over,
  };
}

/** Three steps, of which the second has a gate. */
export function sampleSpec(over: Partial<RolloutSpec> = {}): RolloutSpec {
  return {
    key: 'net.drop_icmp',
    value: true,
    selector: 'env=prod',
    steps: [
      {
        reach: { kind: 'cohort', cohort: 'canary', selector: '' },
        bakeMs: 0,
        gates: [],
        hold: true,
      },
      {
        reach: { kind: 'percent', percent: 25 },
        bakeMs: 600_000,
        gates: [sampleGate()],
        hold: false,
      },
      { reach: { kind: 'percent', percent: 100 }, bakeMs: 0, gates: [], hold: false },
    ],
    limits: DEFAULT_LIMITS,
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback',
    ...over,
  };
}

/** Bakes in its second step. */
export function sampleRollout(
  state: Partial<RolloutState> = {},
  over: { readonly spec?: Partial<RolloutSpec>; readonly hosts?: Partial<HostTally> } = {},
): RolloutView {
  return {
    etag: 'r9',
    hosts: {
      eligible: 48,
      goal: 12,
      taken: 12,
      applied: 11,
      pending: 0,
      failed: 0,
      unavailable: 1,
      failedHosts: [],
      pendingHosts: [],
      unavailableHosts: ['web-7'],
      ...over.hosts,
    },
    record: {
      id: 'ro-1',
      spec: sampleSpec(over.spec),
      state: {
        phase: 'baking',
        since: EARLIER,
        step: 1,
        width: 12,
        widenedAt: EARLIER,
        startedAt: EARLIER,
        bakeUntil: new Date('2026-03-01T12:05:00Z'),
        gates: [
          {
            verdict: 'open',
            succeeded: 2,
            failed: 0,
            inconclusive: 0,
            ignored: 0,
            missing: 0,
            nextAt: new Date('2026-03-01T12:00:20Z'),
            last: {
              outcome: 'success',
              time: EARLIER,
              value: 0.00213,
              pValue: 0.41,
              detail: '12 changed against 36 unchanged hosts',
            },
          },
        ],
        rollingBack: false,
        reason: '',
        approvals: [{ actor: 'bob', time: EARLIER }],
        ...state,
      },
      transitions: [
        {
          sequence: 1,
          time: EARLIER,
          to: 'planned',
          step: 0,
          actor: 'alice',
          event: 'start',
          reason: 'release 12',
        },
        {
          sequence: 2,
          time: EARLIER,
          from: 'running',
          to: 'baking',
          step: 1,
          actor: 'skein',
          event: 'hosts',
          reason: 'all hosts have applied',
        },
      ],
      epoch: 3n,
      requestId: 'q1',
      creator: 'alice',
      createdAt: EARLIER,
      approval: { required: 1, approvers: [] },
    },
  };
}

export function rolloutToWire({ record, etag, hosts }: RolloutView): Rollout {
  return { record: recordToWire(record), etag, hosts: tallyToWire(hosts) };
}
