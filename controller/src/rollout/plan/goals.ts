import type { Reach, RolloutSpec } from '#common/rollout/spec.ts';
import { shareOf } from '#common/targeting/portion.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';

/** Of the hosts concerned. */
export interface Counts {
  readonly eligible: number;
  /** In a cohort of this step or of one before it. */
  readonly inCohorts: number;
  /** Those, and the hosts that earlier percentages and numbers have taken in. */
  readonly claimed: number;
}

/** How many hosts are changed when a step is done, those of earlier steps included. */
export function goalOf(reach: Reach, { eligible, inCohorts, claimed }: Counts): number {
  switch (reach.kind) {
    case 'percent':
      return Math.max(shareOf(reach.percent, eligible), inCohorts);
    case 'hosts':
      return Math.max(Math.min(reach.hosts, eligible), inCohorts);
    case 'cohort':
      return claimed;
  }
}

/** Selectors of the cohorts of all steps up to this one, each once, within the hosts that the rollout concerns. */
export function cohortSelectors({ selector, steps }: RolloutSpec, step: number): string[] {
  const selectors = steps
    .slice(0, step + 1)
    .flatMap(({ reach }) => (reach.kind === 'cohort' ? [both(selector, reach.selector)] : []));
  return [...new Set(selectors)];
}

function both(a: string, b: string): string {
  return normaliseSelector([a, b].filter((selector) => selector !== '').join(','));
}
