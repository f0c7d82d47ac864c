import { type Decision, evaluate, type Target } from '#common/targeting/evaluate.ts';
import type { AgentUnit } from './agent-unit.ts';
import type { Knowledge } from './desired-table.ts';

/** Why a static key should have a value. */
export interface Reason {
  readonly fleetKey: string;
  /** 0: no desired state is known. */
  readonly generation: bigint;
  /** "declared": no desired state, or a tombstone, so the object decides. */
  readonly by: Decision['by'] | { readonly kind: 'declared' };
}

export interface Wanted {
  readonly value: boolean;
  readonly because: Reason;
  /**
   * Do not flip to it: an earlier process left this unit running, and what it runs may come from desired state
   * newer than what is known here. Over once the control plane has answered with desired state, or has none newer.
   * That it has none at all is signed by nobody, and no reason to flip anything.
   */
  readonly hold: boolean;
}

/** Static key → what it should be. Static keys that no fleet key is bound to are left alone. */
export type DesiredVector = ReadonlyMap<string, Wanted>;

/**
 * @param adopted the unit was left running by an earlier process, not loaded by this one
 */
export function desiredVector(
  unit: AgentUnit,
  adopted: boolean,
  knowledge: (fleetKey: string) => Knowledge,
  target: Target,
): DesiredVector {
  return new Map(
    unit.bindings.map(({ fleetKey, staticKey }) => {
      const declared = unit.declared.get(staticKey) === true;
      return [staticKey, wanted(fleetKey, declared, adopted, knowledge(fleetKey), target)];
    }),
  );
}

function wanted(
  fleetKey: string,
  declared: boolean,
  adopted: boolean,
  known: Knowledge,
  target: Target,
): Wanted {
  if (known.kind !== 'state') {
    const because: Reason = { fleetKey, generation: 0n, by: { kind: 'declared' } };
    return { value: declared, because, hold: adopted };
  }
  const { state } = known;
  const hold = adopted && !known.confirmed;
  if (state.deleted) {
    const because: Reason = { fleetKey, generation: state.generation, by: { kind: 'declared' } };
    return { value: declared, because, hold };
  }
  const decision = evaluate(state, target);
  const because: Reason = { fleetKey, generation: state.generation, by: decision.by };
  return { value: decision.value, because, hold };
}

/** "net.drop_icmp generation 7, rule 0 (zone=a)". */
export function describeReason(reason: Reason): string {
  if (reason.generation === 0n) return `${reason.fleetKey} has no desired state`;
  return `${reason.fleetKey} generation ${reason.generation}, ${describeDecision(reason.by)}`;
}

function describeDecision(by: Reason['by']): string {
  switch (by.kind) {
    case 'rule':
      return `rule ${by.index} (${by.selector || 'every host'})`;
    case 'declared':
      return 'deleted, so as declared';
    default:
      return by.kind;
  }
}
