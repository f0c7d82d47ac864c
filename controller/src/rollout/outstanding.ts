import type { RolloutRecord } from '#common/rollout/rollout.ts';
import type { SeenHosts } from './step/event.ts';
import { isGoing, isSettling, ruleStep } from './step/phases.ts';

/** Whether the key's rules are not what the rollout has decided that they be. */
export function isOutstanding({ spec, state }: RolloutRecord, { inForce }: SeenHosts): boolean {
  if (state.rollingBack || isSettling(spec, state)) return inForce !== undefined;
  if (!isGoing(state.phase) || state.width === 0) return false;
  return inForce?.step !== ruleStep(spec, state) || inForce.width !== state.width;
}
