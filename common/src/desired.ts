/** Desired state of a fleet key: the domain type. Its wire form is known only to envelope.ts and api/. */
export interface DesiredState {
  readonly name: string;
  /** Only ever goes up; 1 or more. */
  readonly generation: bigint;
  readonly defaultValue: boolean;
  /** First match wins. */
  readonly rules: readonly Rule[];
  /** Beats every rule. */
  readonly kill?: boolean;
  /** A tombstone: bound static keys go back to the value their object declares. */
  readonly deleted: boolean;
  readonly description: string;
  readonly change: Change;
  /** The key reverts to this by itself. */
  readonly expiry?: Expiry;
  /** Lease epoch of the last write by a rollout or an expiry; one with a lower epoch is refused. Absent: none yet. */
  readonly fence?: bigint;
  /** Set while `kill` comes from the kill of all keys. */
  readonly killedByAll?: KilledByAll;
}

export interface KilledByAll {
  /** The key's own kill, which comes back when the kill of all keys ends. */
  readonly own?: boolean;
}

/** What a key with a time to live goes back to, and when. */
export interface Expiry {
  readonly at: Date;
  readonly defaultValue: boolean;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** Kubernetes selector syntax; empty takes every host in. */
  readonly selector: string;
  readonly value: boolean;
  /** Absent: every host that the selector matches. */
  readonly portion?: Portion;
  /** The running rollout that owns the rule: nobody else changes it. */
  readonly rollout?: RolloutMark;
}

/** What of a rollout the rules put in force. */
export interface RolloutMark {
  readonly id: string;
  /** Index of the step. */
  readonly step: number;
  /** How many hosts the rollout's rules take in by now. */
  readonly width: number;
}

/** The hosts whose {@link hostHash} is below the threshold. */
export interface Portion {
  /** What was asked for, 0..100; for people. */
  readonly percent: number;
  /** 0..2^63. */
  readonly threshold: bigint;
  readonly salt: string;
}

/** Who made a generation, when and why. */
export interface Change {
  readonly action: ChangeAction;
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  readonly time: Date;
}

export type ChangeAction =
  | 'create'
  | 'set'
  | 'delete'
  /** The whole key as a manifest declares it. */
  | 'apply'
  | 'kill'
  /** The end of a kill. */
  | 'revive'
  /** By the expiry of a time to live. */
  | 'revert'
  | 'rollout';
