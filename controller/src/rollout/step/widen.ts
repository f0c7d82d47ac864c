import { bySkein, type Draft } from './draft.ts';
import type { SeenHosts } from './event.ts';
import { amountOf, hosts } from './limits.ts';
import { bake, isFinishing, pause, ruleStep, settle } from './phases.ts';

/** A running step: takes in more hosts as those before them have acknowledged, and is done when all have. */
export function widen(draft: Draft, seen: SeenHosts): void {
  const { spec, state } = draft;
  // What was seen of another step says nothing of where this one goes.
  if (seen.step !== state.step) return;
  const { goal, pending } = seen.tally;
  const asked = state.widenedAt !== undefined;
  const isInForce =
    seen.inForce?.step === ruleStep(spec, state) && seen.inForce.width === state.width;
  const finishing = isFinishing(spec, state);
  if (asked && !isInForce) return;
  if (goal === 0 && state.width === 0) {
    if (finishing && !state.blocked) settle(draft, seen.tally);
    else if (!finishing) giveUpOnNobody(draft);
    return;
  }
  const reach = Math.max(state.width, seen.inForce ? seen.tally.taken : 0);
  const width = reach >= goal ? state.width : nextWidth(draft, seen, reach);
  if (!isInForce || width > state.width) {
    if (!state.blocked && width > 0) takeIn(draft, width);
  } else if (reach >= goal && finishing) {
    if (!state.blocked) settle(draft, seen.tally);
  } else if (reach >= goal && pending === 0) {
    bake(draft, bySkein('reached', `${hosts(state.width, [])} changed`));
  } else if (pending > 0) {
    giveUpOnPending(draft, seen);
  }
}

function takeIn(draft: Draft, width: number): void {
  draft.set({ ...draft.state, width, widenedAt: draft.now });
  draft.do({ kind: 'take', step: ruleStep(draft.spec, draft.state), width });
}

/**
 * Each widening is a generation that the whole fleet hears of: with a limit on what is on the way, one is worth it
 * when half of what the limit allows is free.
 */
function nextWidth(draft: Draft, { tally, inForce }: SeenHosts, reach: number): number {
  const { maxConcurrent } = draft.spec.limits;
  const { goal, eligible, pending } = tally;
  if (!maxConcurrent) return goal;
  const most = Math.max(1, amountOf(maxConcurrent, eligible));
  const room = most - (inForce ? pending : 0);
  const worthwhile = Math.min(goal - reach, Math.ceil(most / 2));
  return room < worthwhile ? draft.state.width : Math.min(goal, reach + room);
}

function giveUpOnPending(draft: Draft, { tally: { pending, pendingHosts } }: SeenHosts): void {
  if (!isTimeUp(draft)) return;
  const reason = `${hosts(pending, pendingHosts)} did not acknowledge in time`;
  pause(draft, 'missing-acks', bySkein('limit', reason));
}

function giveUpOnNobody(draft: Draft): void {
  if (!isTimeUp(draft)) return;
  pause(draft, 'missing-acks', bySkein('limit', 'there is no live host for the step to change'));
}

function isTimeUp({ state, spec, now }: Draft): boolean {
  const from = Math.max(state.since.getTime(), state.widenedAt?.getTime() ?? 0);
  return now.getTime() - from >= spec.limits.ackTimeoutMs;
}
