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
}

export interface Rule {
  /** Kubernetes selector syntax; empty takes every host in. */
  readonly selector: string;
  readonly value: boolean;
  /** Absent: every host that the selector matches. */
  readonly portion?: Portion;
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
  readonly action: 'create' | 'set' | 'delete';
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  readonly time: Date;
}
