import type { HostTally, RolloutRecord } from '#common/rollout/rollout.ts';
import { approvalPolicyToWire, recordToWire, tallyToWire } from '#common/rollout/rollout-wire.ts';
import { specToWire } from '#common/rollout/spec-wire.ts';
import type * as wire from '#proto/gen/skein/v1/rollout.ts';
import type { RolloutPlan } from '../rollout/rollout-desk.ts';

/** What rollout/ gives, to the wire. */
export function rolloutToWire(record: RolloutRecord, etag: string, hosts: HostTally): wire.Rollout {
  return { record: recordToWire(record), etag, hosts: tallyToWire(hosts) };
}

export function planToWire(plan: RolloutPlan): wire.RolloutPlan {
  return {
    ...plan,
    spec: specToWire(plan.spec),
    steps: plan.steps.map((step) => ({ ...step, addedHosts: [...step.addedHosts] })),
    warnings: [...plan.warnings],
    programs: [...plan.programs],
    approval: approvalPolicyToWire(plan.approval),
    shortestMs: BigInt(plan.shortestMs),
  };
}
