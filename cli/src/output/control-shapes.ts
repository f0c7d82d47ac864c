import type { Control } from '#common/control/control.ts';
import type { Cohort } from '#common/rollout/spec.ts';

/** The documents of `freeze`, `kill --all`, `cohort` and `state`; stable like those of shapes.ts. */
export function controlDocument({ generation, freeze, killAll, cohorts, note }: Control) {
  return {
    generation,
    freeze: freeze && {
      actor: freeze.actor,
      reason: freeze.reason,
      since: freeze.since,
      until: freeze.until,
    },
    killAll: killAll && {
      value: killAll.value,
      actor: killAll.actor,
      reason: killAll.reason,
      since: killAll.since,
    },
    cohorts: cohorts.map(cohortDocument),
    note: note && { actor: note.actor, reason: note.reason, time: note.time, what: note.what },
  };
}

export function cohortDocument({ name, selector }: Cohort) {
  return { name, selector };
}
