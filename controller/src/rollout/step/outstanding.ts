import type { Draft } from './draft.ts';
import { isGoing, isSettling, ruleStep } from './phases.ts';

/** What was decided and may not have been done yet. */
export function redo(draft: Draft): void {
  const { spec, state } = draft;
  if (isSettling(spec, state)) draft.do({ kind: 'settle' });
  else if (state.phase === 'aborted' && state.rollingBack) draft.do({ kind: 'release' });
  else redoTake(draft);
}

/** Paused or blocked, not even what was decided before takes in a host: it is done once the rollout goes on. */
export function redoTake(draft: Draft): void {
  const { spec, state } = draft;
  if (!isGoing(state.phase) || isSettling(spec, state) || state.blocked) return;
  const isDecided = state.phase !== 'running' || state.widenedAt !== undefined;
  if (state.width === 0 || !isDecided) return;
  draft.do({ kind: 'take', step: ruleStep(spec, state), width: state.width });
}

/** The decisions of the last change: their teller may have died before it told them. */
export function retell(draft: Draft): void {
  const { transitions } = draft.record;
  const last = transitions.at(-1)?.time.getTime();
  for (const transition of transitions) {
    if (transition.time.getTime() === last) draft.tell(transition);
  }
}
