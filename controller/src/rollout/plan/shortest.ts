import type { Gate, RolloutSpec, Step } from '#common/rollout/spec.ts';
import { nextOpening } from './windows.ts';

/** Milliseconds from now that a rollout takes at least: the wait for its start and its window, bakes and gates. */
export function shortestMs(spec: RolloutSpec, now: Date): number {
  const { startAt, windows, steps } = spec;
  const from = startAt && startAt > now ? startAt : now;
  const start = nextOpening(windows, from) ?? from;
  const wait = start.getTime() - now.getTime();
  return steps.reduce((sum, step) => sum + stepMs(step), wait);
}

/** Gates are measured from the beginning of the bake on. */
function stepMs({ bakeMs, gates }: Step): number {
  return Math.max(bakeMs, ...gates.map(gateMs));
}

function gateMs({ initialDelayMs, intervalMs, count }: Gate): number {
  return initialDelayMs + (count - 1) * intervalMs;
}
