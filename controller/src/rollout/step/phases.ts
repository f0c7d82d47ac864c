import type { HostTally, PauseCause, RolloutState } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { bySkein, type Cause, type Draft } from './draft.ts';
import { freshGates } from './gate.ts';

/** Phases in which a rollout that has begun goes on by itself. */
type Going = 'running' | 'baking' | 'gating';

export function isGoing(phase: RolloutState['phase']): phase is Going {
  return phase === 'running' || phase === 'baking' || phase === 'gating';
}

/** All steps are done: what is left is that the last one's reach is in force, and settled. */
export function isFinishing(spec: RolloutSpec, { phase, step }: RolloutState): boolean {
  return phase === 'running' && step === spec.steps.length;
}

/** Its rules are becoming the key's own. From here on there is no way back but to change the key. */
export function isSettling(spec: RolloutSpec, { phase, step }: RolloutState): boolean {
  return phase === 'gating' && step === spec.steps.length;
}

/** Index of the step by which the key's rules are made. */
export function ruleStep(spec: RolloutSpec, { step }: RolloutState): number {
  return Math.min(step, spec.steps.length - 1);
}

/** From its first step on, however often it has been tried. */
export function begin(draft: Draft, cause: Cause, step = 0): void {
  const { now, spec } = draft;
  const { deadlineAt, ...state } = draft.state;
  const { deadlineMs } = spec.limits;
  draft.set({
    ...state,
    startedAt: now,
    reason: '',
    ...(deadlineMs === undefined ? {} : { deadlineAt: new Date(now.getTime() + deadlineMs) }),
  });
  take(draft, cause, step);
}

/** Takes a step; as many as there are steps: finishes. */
export function take(draft: Draft, cause: Cause, step: number): void {
  const { widenedAt, ...state } = draft.state;
  draft.set({ ...state, step, gates: [], reason: '' });
  draft.move('running', cause);
}

export function bake(draft: Draft, cause: Cause): void {
  const { spec, state, now } = draft;
  const step = spec.steps[state.step];
  draft.move('baking', cause, {
    bakeUntil: new Date(now.getTime() + (step?.bakeMs ?? 0)),
    gates: freshGates(step, now),
  });
}

/** After a step: the next one, unless it was the last. */
export function goOn(draft: Draft, cause: Cause): void {
  take(draft, cause, draft.state.step + 1);
}

export function settle(draft: Draft, reached: HostTally): void {
  const by = bySkein('settle', 'every step is done; its rules become the key’s own');
  draft.move('gating', by, { reached });
  draft.do({ kind: 'settle' });
}

export function pause(draft: Draft, cause: PauseCause, by: Cause): void {
  const { now, state } = draft;
  const earlier = state.pause;
  const from = state.phase === 'planned' || isGoing(state.phase) ? state.phase : earlier?.from;
  if (!from) return;
  const left = state.bakeUntil ? state.bakeUntil.getTime() - now.getTime() : 0;
  draft.move('paused', by, {
    pause: {
      cause,
      reason: by.reason,
      from,
      bakeLeftMs: earlier ? earlier.bakeLeftMs : Math.max(0, left),
    },
    // The deadline stands still from the first pause on.
    ...(earlier ? { since: state.since } : {}),
  });
}

/** Given up. What was changed stays as it is, unless it is rolled back; where nothing was changed, that is the end. */
export function abort(draft: Draft, by: Cause, rollback: boolean): void {
  const { blocked, ...state } = draft.state;
  const rollingBack = rollback && state.width > 0;
  draft.set(state);
  draft.move('aborted', by, { rollingBack, reason: by.reason });
  if (rollingBack) draft.do({ kind: 'release' });
}

/** A gate or a limit was failed. */
export function fail(draft: Draft, by: Cause): void {
  if (draft.spec.onFailure === 'pause') pause(draft, 'failure', by);
  else abort(draft, by, true);
}

/** Time spent paused or aborted does not count. */
export function moveDeadline(draft: Draft): void {
  const { deadlineAt, since } = draft.state;
  if (!deadlineAt) return;
  // The clock may have been set back meanwhile.
  const stood = Math.max(0, draft.now.getTime() - since.getTime());
  draft.set({ ...draft.state, deadlineAt: new Date(deadlineAt.getTime() + stood) });
}
