import type { UnitCounter } from '../counters/unit-counter.ts';
import type { UnitSpec } from '../engine/engine.ts';

/** A configured unit with what the reconciler must know of its object. */
export interface AgentUnit {
  readonly spec: UnitSpec;
  /** Every static key of the object → the value it declares. */
  readonly declared: ReadonlyMap<string, boolean>;
  /** Each static key at most once. */
  readonly bindings: readonly Binding[];
  /** What is exported of its maps; each metric at most once. */
  readonly counters: readonly UnitCounter[];
}

/** A fleet key governs a static key. One fleet key may govern several, in several units. */
export interface Binding {
  readonly fleetKey: string;
  readonly staticKey: string;
}

/** Every fleet key that some unit binds, once each, sorted. */
export function boundKeys(units: Iterable<AgentUnit>): readonly string[] {
  const names = [...units].flatMap((unit) => unit.bindings.map((binding) => binding.fleetKey));
  return [...new Set(names)].sort();
}

export function bindsKey(unit: AgentUnit, fleetKey: string): boolean {
  return unit.bindings.some((binding) => binding.fleetKey === fleetKey);
}
