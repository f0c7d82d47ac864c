import type { Rule } from '#common/desired.ts';
import type { Reach, RolloutSpec } from '#common/rollout/spec.ts';
import { type Counts, cohortSelectors, goalOf } from './goals.ts';
import { type Ranked, selectsOf, takes } from './ranked.ts';
import { rulesFor } from './rules.ts';

export interface PlannedStep {
  /** "10%", "3 hosts", "cohort canary". */
  readonly title: string;
  /** Taken in when the step is done. */
  readonly hosts: number;
  readonly added: number;
  /** The first few, by name. */
  readonly addedHosts: readonly string[];
}

/** Hosts of a step that are named. */
const NAMED = 10;

/** What each step comes to, by the very rules that it would put in force, and the hosts that the last one has taken in. */
export function planSteps(
  spec: RolloutSpec,
  hosts: readonly Ranked[],
): { readonly steps: readonly PlannedStep[]; readonly taken: readonly Ranked[] } {
  const steps: PlannedStep[] = [];
  let rules: readonly Rule[] = [];
  let taken: readonly Ranked[] = [];
  for (const [step, { reach }] of spec.steps.entries()) {
    const goal = goalOf(reach, countsOf(spec, step, hosts, rules));
    // A goal that lies behind adds nobody.
    const width = Math.max(goal, taken.length);
    const wasTaken = takes(rules, selectsOf(hosts));
    rules = rulesFor({ id: '', spec, step, width, hosts, older: rules });
    taken = hosts.filter(takes(rules, selectsOf(hosts)));
    const added = taken.filter((host) => !wasTaken(host));
    steps.push({
      title: titleOf(reach),
      hosts: taken.length,
      added: added.length,
      addedHosts: added.slice(0, NAMED).map(({ host }) => host),
    });
  }
  return { steps, taken };
}

function titleOf(reach: Reach): string {
  switch (reach.kind) {
    case 'percent':
      return `${reach.percent}%`;
    case 'hosts':
      return reach.hosts === 1 ? '1 host' : `${reach.hosts} hosts`;
    case 'cohort':
      return `cohort ${reach.cohort}`;
  }
}

function countsOf(
  spec: RolloutSpec,
  step: number,
  hosts: readonly Ranked[],
  rules: readonly Rule[],
): Counts {
  const testOf = selectsOf(hosts);
  const cohorts = cohortSelectors(spec, step).map(testOf);
  const isTaken = takes(rules, testOf);
  let [inCohorts, claimed] = [0, 0];
  for (const host of hosts) {
    const isIn = cohorts.some((test) => test(host));
    if (isIn) inCohorts++;
    if (isIn || isTaken(host)) claimed++;
  }
  return { eligible: hosts.length, inCohorts, claimed };
}
