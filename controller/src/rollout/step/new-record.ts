import type { ApprovalPolicy, RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';

/** Before its first event, which is "start". */
export function newRecord(made: {
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly requestId: string;
  readonly creator: string;
  readonly approval: ApprovalPolicy;
  readonly now: Date;
}): RolloutRecord {
  const { now, ...known } = made;
  return {
    ...known,
    createdAt: now,
    transitions: [],
    epoch: 0n,
    state: {
      phase: 'planned',
      since: now,
      step: 0,
      width: 0,
      gates: [],
      rollingBack: false,
      reason: '',
      approvals: [],
    },
  };
}
