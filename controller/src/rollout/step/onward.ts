import { isOver } from '#common/rollout/rollout.ts';
import { requireApprovals } from './approval.ts';
import type { Cause, Draft } from './draft.ts';
import { rearmed } from './gate.ts';
import { redoTake } from './outstanding.ts';
import { bake, begin, goOn, isGoing, moveDeadline, take } from './phases.ts';
import { refuse } from './refuse.ts';

export function resume(draft: Draft, by: Cause): void {
  const { spec, state, now } = draft;
  const { pause } = state;
  if (state.phase !== 'paused' || !pause) {
    refuse(draft.record, 'resume', 'Only a paused rollout is resumed.');
  }
  moveDeadline(draft);
  if (pause.cause === 'hold') {
    goOn(draft, by);
    return;
  }
  const step = spec.steps[state.step];
  const gates = step ? rearmed(state.gates, step, now) : [];
  const bakeUntil = new Date(now.getTime() + pause.bakeLeftMs);
  draft.move(pause.from, by, { gates, ...(pause.from === 'baking' ? { bakeUntil } : {}) });
  redoTake(draft);
}

/** Ends the wait that it is in, or with `all` every wait to come as well. */
export function promote(draft: Draft, by: Cause, all: boolean): void {
  const { spec, state } = draft;
  const last = spec.steps.length;
  const at = whereabouts(draft, 'promote');
  if (at === 'planned') {
    requireApprovals(draft);
    begin(draft, by, all ? last : 0);
    return;
  }
  refuseWhenDone(draft, 'promote');
  moveDeadlineIfPaused(draft);
  if (all) take(draft, by, last);
  else if (state.pause?.cause === 'hold' || at === 'gating') goOn(draft, by);
  else if (at === 'running') bake(draft, by);
  else draft.move('gating', by);
  redoTake(draft);
}

export function skipStep(draft: Draft, by: Cause): void {
  if (whereabouts(draft, 'skip') === 'planned') {
    refuse(draft.record, 'skip', 'Have it begin now with skein rollout promote.');
  }
  refuseWhenDone(draft, 'skip');
  moveDeadlineIfPaused(draft);
  goOn(draft, by);
}

export function retry(draft: Draft, by: Cause): void {
  const { state, record } = draft;
  if (state.phase === 'rolled-back' || (state.phase === 'aborted' && isOver(state))) {
    requireApprovals(draft);
    begin(draft, by);
    return;
  }
  const from = state.pause?.from;
  const failed = state.phase === 'aborted' && !state.rollingBack;
  if (!failed && (from === undefined || from === 'planned')) {
    refuse(
      record,
      'retry',
      'Only a rollout that is paused, aborted or rolled back is tried again.',
    );
  }
  moveDeadline(draft);
  if (failed || from === 'running') take(draft, by, state.step);
  else bake(draft, by);
  redoTake(draft);
}

/** The phase that it is in, or was in when it was paused. */
function whereabouts(draft: Draft, action: string): 'planned' | 'running' | 'baking' | 'gating' {
  const { phase, pause } = draft.state;
  if (phase === 'planned' || isGoing(phase)) return phase;
  if (!pause) refuse(draft.record, action, 'Take it up again with skein rollout retry.');
  return pause.from;
}

function refuseWhenDone({ record, spec, state }: Draft, action: string): void {
  if (state.step < spec.steps.length) return;
  const remedy =
    state.phase === 'paused' ? 'Resume it; it completes by itself.' : 'It completes by itself.';
  refuse(record, action, remedy);
}

function moveDeadlineIfPaused(draft: Draft): void {
  if (draft.state.phase === 'paused') moveDeadline(draft);
}
