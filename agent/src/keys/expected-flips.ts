import type { AgentUnit } from './agent-unit.ts';
import type { Knowledge } from './desired-table.ts';

/**
 * Static keys of a unit that are likely to be flipped soon: those of fleet keys that are on for a part of the
 * hosts only, for such a part is about to widen or to be taken back.
 */
export function expectedFlips(
  unit: AgentUnit,
  knowledge: (fleetKey: string) => Knowledge,
): ReadonlySet<string> {
  const isPartial = (fleetKey: string): boolean => {
    const known = knowledge(fleetKey);
    return known.kind === 'state' && known.state.rules.some((rule) => rule.portion !== undefined);
  };
  const concerned = unit.bindings.filter(({ fleetKey }) => isPartial(fleetKey));
  return new Set(concerned.map(({ staticKey }) => staticKey));
}
