import type { KillAll } from '#common/control/control.ts';
import type { Change, Rule } from '#common/desired.ts';
import type { Target } from '#common/targeting/evaluate.ts';

/** What is asked to be done to one fleet key, by an operator or by Skein itself. Selectors are normalised. */
export type Mutation =
  | CreateMutation
  | SetMutation
  | ApplyMutation
  | DeleteMutation
  | KillMutation
  | ReviveMutation
  | RevertMutation
  | RolloutMutation;

export interface CreateMutation {
  readonly action: 'create';
  readonly name: string;
  readonly description: string;
  readonly defaultValue: boolean;
}

export interface SetMutation extends DeclaredRule {
  readonly action: 'set';
  readonly name: string;
  /** {@link MIN_TTL_MS}..{@link MAX_TTL_MS}; absent: for good. */
  readonly ttlMs?: number;
}

/** The whole key, as declared; made when it is not there. */
export interface ApplyMutation {
  readonly action: 'apply';
  readonly name: string;
  readonly description: string;
  readonly defaultValue: boolean;
  /** No two have the same selector. */
  readonly rules: readonly DeclaredRule[];
}

export interface DeclaredRule {
  readonly selector: string;
  readonly value: boolean;
  /** 0..100; absent is 100. */
  readonly percent?: number;
}

export interface DeleteMutation {
  readonly action: 'delete';
  readonly name: string;
}

export interface KillMutation {
  readonly action: 'kill';
  readonly name: string;
  readonly value: boolean;
  /** By the kill of all keys. */
  readonly all: boolean;
}

export interface ReviveMutation {
  readonly action: 'revive';
  readonly name: string;
  /** By the end of the kill of all keys. */
  readonly all: boolean;
}

/** Back to what the key was before it was set with a time to live; nothing when that has not passed. */
export interface RevertMutation {
  readonly action: 'revert';
  readonly name: string;
  readonly epoch: bigint;
}

export interface RolloutMutation {
  readonly action: 'rollout';
  readonly name: string;
  /** Id. */
  readonly rollout: string;
  /** Of the lease under which the rollout is driven. */
  readonly epoch: bigint;
  readonly change: RolloutChange;
}

export type RolloutChange =
  /** In place of the rollout's rules so far; each has its mark. */
  | { readonly kind: 'take'; readonly rules: readonly Rule[] }
  /** The rollout's rules go. */
  | { readonly kind: 'release' }
  /** They become the key's own. */
  | { readonly kind: 'settle' };

/** What comes to a mutation from outside. */
export interface MutationContext {
  /** Of the new state. */
  readonly generation: bigint;
  readonly change: Omit<Change, 'action'>;
  /** Hosts that bind the key, or every known host when none does: what a percentage is of. */
  readonly bound: () => Iterable<Target>;
  /** The kill of all keys that is in force. */
  readonly killAll?: KillAll;
}

export const MIN_TTL_MS = 1_000;
export const MAX_TTL_MS = 30 * 24 * 3_600_000;
