import type { RolloutSpec } from '#common/rollout/spec.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { eligibleHosts } from './eligible.ts';
import { type PlannedStep, planSteps } from './planned-steps.ts';
import type { PreviewContext } from './preview-context.ts';
import { programsOn } from './programs.ts';
import { rank } from './ranked.ts';
import { shortestMs } from './shortest.ts';
import { warningsOf } from './warnings.ts';

/** What a rollout would do, were it started now. */
export interface Preview {
  readonly steps: readonly PlannedStep[];
  /** Hosts in the fleet, of those that bind the key, of those that the rollout concerns. */
  readonly fleet: number;
  readonly bound: number;
  readonly eligible: number;
  /** Whose value the whole rollout changes, a kill aside. */
  readonly changed: number;
  /** One line each. */
  readonly warnings: readonly string[];
  /** "guard/guard_xdp on 3 hosts". */
  readonly programs: readonly string[];
  /** At least, waits and gates included. */
  readonly shortestMs: number;
}

/** @param spec as checkSpec() gives it */
export function previewOf(spec: RolloutSpec, context: PreviewContext): Preview {
  const { desired, hosts, now } = context;
  const eligible = eligibleHosts({ key: spec.key, selector: spec.selector }, hosts, now);
  const reports = eligible.map(({ report }) => report);
  const { steps, taken } = planSteps(spec, rank(spec.key, reports));
  const { kill, ...unkilled } = desired;
  const names = new Set<string>();
  for (const target of taken) {
    if (evaluate(unkilled, target).value !== spec.value) names.add(target.host);
  }
  const changed = reports.filter(({ host }) => names.has(host));
  const figures = {
    fleet: hosts.length,
    bound: hosts.filter(({ observations }) => observations.has(spec.key)).length,
    eligible: eligible.length,
    changed: changed.length,
  };
  return {
    ...figures,
    steps,
    warnings: warningsOf(spec, context, { ...figures, steps }),
    programs: programsOn(changed.filter(({ keys }) => keys.some(({ key }) => key === spec.key))),
    shortestMs: shortestMs(spec, now),
  };
}
