import type { RolloutRecord } from '#common/rollout/rollout.ts';

/**
 * Tells one run of a step's gates from the next: the transition by which they were begun, or taken up again. What was
 * measured for another run does not count.
 */
export function gateRun({ transitions }: RolloutRecord): number {
  return (
    transitions.findLast(({ to, from }) => to === 'baking' || from === 'paused')?.sequence ?? 0
  );
}
