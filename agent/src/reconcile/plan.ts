import { type DesiredVector, describeReason, type Reason } from '../keys/desired-vector.ts';

/** Inert data: what to do so that observed state becomes desired state. */
export interface Plan {
  readonly flips: readonly Flip[];
}

/** One engine call: the static keys of one unit change together. */
export interface Flip {
  readonly unit: string;
  /** Never empty. */
  readonly changes: ReadonlyMap<string, Change>;
}

export interface Change {
  readonly value: boolean;
  readonly because: Reason;
}

/** Desired against observed, of one unit. */
export interface Comparison {
  readonly unit: string;
  readonly wanted: DesiredVector;
  readonly observed: ReadonlyMap<string, boolean>;
}

export function planFlips(comparisons: Iterable<Comparison>): Plan {
  const flips: Flip[] = [];
  for (const { unit, wanted, observed } of comparisons) {
    const changes = new Map<string, Change>();
    for (const [staticKey, { value, because, hold }] of wanted) {
      if (!hold && observed.get(staticKey) !== value) changes.set(staticKey, { value, because });
    }
    if (changes.size > 0) flips.push({ unit, changes });
  }
  return { flips };
}

/** One line per change: "guard: drop_icmp on, because net.drop_icmp generation 7, default". */
export function describePlan(plan: Plan): readonly string[] {
  return plan.flips.flatMap((flip) =>
    [...flip.changes].map(
      ([staticKey, { value, because }]) =>
        `${flip.unit}: ${staticKey} ${value ? 'on' : 'off'}, because ${describeReason(because)}`,
    ),
  );
}
