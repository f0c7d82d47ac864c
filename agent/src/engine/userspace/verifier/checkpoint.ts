import type { Dependencies } from './dependencies.ts';
import { type State, sourcesOf } from './state.ts';

/** A state that was kept, to compare later ones with: struct bpf_verifier_state_list. */
export interface Checkpoint {
  readonly at: number;
  readonly state: State;
  readonly parent: Checkpoint | undefined;
  /** Ways from here that are not walked to their end yet. */
  branches: number;
  /** Places whose number a decision on some way from here rests on; see dependencies.ts. */
  readonly precise: Set<number>;
  hits: number;
  misses: number;
}

/**
 * What follows rests on the numbers that these places held: here, and at the checkpoints before.
 * mark_chain_precision() of kernel/bpf/verifier.c.
 */
export function requirePrecise(sources: Dependencies, last: Checkpoint | undefined): void {
  let places: Iterable<number> = sources;
  for (let each = last; each !== undefined; each = each.parent) {
    const before = new Set<number>();
    for (const place of places) {
      // What is marked here is marked at all checkpoints before, too.
      if (each.precise.has(place)) continue;
      each.precise.add(place);
      for (const source of sourcesOf(each.state, place)) before.add(source);
    }
    if (before.size === 0) return;
    places = before;
  }
}

/** A way has come to its end: update_branch_counts(). */
export function endWay(last: Checkpoint | undefined): void {
  for (let each = last; each !== undefined; each = each.parent) {
    each.branches -= 1;
    if (each.branches > 0) return;
  }
}
