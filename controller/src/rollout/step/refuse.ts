import { SkeinError } from '#common/errors.ts';
import { isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import { isFinishing, isSettling } from './phases.ts';

/** @throws SkeinError SKEIN_ROLLOUT_PHASE, always */
export function refuse(record: RolloutRecord, action: string, remedy: string): never {
  throw new SkeinError(
    'SKEIN_ROLLOUT_PHASE',
    `rollout ${record.id} ${standing(record)}: there is nothing to ${action}`,
    { remedy },
  );
}

/** "is baking after step 2". */
function standing({ spec, state }: RolloutRecord): string {
  const step = `step ${state.step + 1}`;
  switch (state.phase) {
    case 'running':
      return isFinishing(spec, state) ? 'has done all steps' : `is running ${step}`;
    case 'gating':
      return isSettling(spec, state) ? 'has done all steps' : `waits for the gates of ${step}`;
    case 'baking':
      return `is baking after ${step}`;
    case 'paused':
      return state.pause?.from === 'planned'
        ? 'is paused before its start'
        : `is paused in ${step}`;
    case 'aborted':
      if (state.rollingBack) return 'is being rolled back';
      return isOver(state) ? 'was aborted before it changed a host' : 'is aborted';
    case 'planned':
      return 'has not begun';
    case 'rolled-back':
      return 'is rolled back';
    case 'completed':
      return 'is completed';
  }
}
