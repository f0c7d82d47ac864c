import { isOver } from '#common/rollout/rollout.ts';
import { approve } from './approval.ts';
import type { Cause, Draft } from './draft.ts';
import type { RolloutEvent } from './event.ts';
import { promote, resume, retry, skipStep } from './onward.ts';
import { abort, isGoing, isSettling, pause } from './phases.ts';
import { refuse } from './refuse.ts';

/** What people ask for. */
export type OperatorEvent = Exclude<Extract<RolloutEvent, { actor: string }>, { kind: 'killed' }>;

/** @throws SkeinError SKEIN_ROLLOUT_PHASE, SKEIN_APPROVAL_REQUIRED */
export function act(draft: Draft, event: OperatorEvent): void {
  if (event.kind === 'approve') {
    approveIt(draft, event.actor);
    return;
  }
  const by: Cause = { actor: event.actor, event: event.kind, reason: event.reason };
  switch (event.kind) {
    case 'start':
      start(draft, by);
      break;
    case 'pause':
      pauseIt(draft, by);
      break;
    case 'resume':
      resume(draft, by);
      break;
    case 'promote':
      promote(draft, by, event.all);
      break;
    case 'skip-step':
      skipStep(draft, by);
      break;
    case 'abort':
      abortIt(draft, by, event.rollback);
      break;
    case 'retry':
      retry(draft, by);
      break;
  }
}

function approveIt(draft: Draft, actor: string): void {
  const { phase, pause } = draft.state;
  const waits = phase === 'planned' || (phase === 'paused' && pause?.from === 'planned');
  if (!waits) refuse(draft.record, 'approve', 'Approve a rollout before it begins.');
  approve(draft, actor);
}

/** The first event of every rollout. It begins by a tick of its driver, who knows what blocks it. */
function start(draft: Draft, by: Cause): void {
  if (draft.record.transitions.length > 0) {
    refuse(
      draft.record,
      'start',
      'Have it begin now with skein rollout promote, or start another.',
    );
  }
  draft.move('planned', by);
}

function pauseIt(draft: Draft, by: Cause): void {
  const { spec, state } = draft;
  const goes = state.phase === 'planned' || isGoing(state.phase);
  if (!goes || isSettling(spec, state)) {
    refuse(draft.record, 'pause', 'See where it stands with skein rollout get.');
  }
  pause(draft, 'operator', by);
}

function abortIt(draft: Draft, by: Cause, rollback: boolean): void {
  const { spec, state, record } = draft;
  if (isOver(state) || isSettling(spec, state)) {
    refuse(record, 'abort', 'Change the key with skein set; skein kill works at any time.');
  }
  if (state.phase === 'aborted' && !rollback) {
    refuse(
      record,
      'abort',
      'Give the hosts back what they had with skein rollout abort --rollback.',
    );
  }
  abort(draft, by, rollback);
}
