import {
  approvalPolicyFromWire,
  recordFromWire,
  tallyFromWire,
} from '#common/rollout/rollout-wire.ts';
import { specFromWire } from '#common/rollout/spec-wire.ts';
import { present } from '#common/wire-enum.ts';
import type * as rollout from '#proto/gen/skein/v1/rollout.ts';
import type { RolloutPlan, RolloutView } from './rollout-calls.ts';

/** Both throw SKEIN_STORE_CORRUPT for what does not fit. */
export function rolloutFromWire(message: rollout.Rollout): RolloutView {
  return {
    record: recordFromWire(present(message.record, 'rollout.record')),
    etag: message.etag,
    hosts: tallyFromWire(present(message.hosts, 'rollout.hosts')),
  };
}

export function planFromWire(message: rollout.RolloutPlan): RolloutPlan {
  return {
    ...message,
    spec: specFromWire(present(message.spec, 'plan.spec')),
    approval: approvalPolicyFromWire(present(message.approval, 'plan.approval')),
  };
}
