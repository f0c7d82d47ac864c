import type { AgentUnit } from './agent-unit.ts';
import type { Knowledge } from './desired-table.ts';

/**
 * Static keys of a unit that are likely to be flipped soon: those of fleet keys that a rollout owns, or that are on for
 * a part of the hosts only. Such a part is about to widen or to be taken back.
 */
export function expectedFlips(
  unit: AgentUnit,
  knowledge: (fleetKey: string) => Knowledge,
): ReadonlySet<string> {
  const isMoving = (fleetKey: string): boolean => {
    const known = knowledge(fleetKey);
    return known.kind === 'state' && known.state.rules.some((rule) => rule.rollout || rule.portion);
  };
  const concerned = unit.bindings.filter(({ fleetKey }) => isMoving(fleetKey));
  return new Set(concerned.map(({ staticKey }) => staticKey));
}
