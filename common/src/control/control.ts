import type { Cohort } from '../rollout/spec.ts';

/** What holds for the whole fleet, above single keys. One record, changed as a whole. */
export interface Control {
  /** Only ever goes up; 0 before the first change. */
  readonly generation: bigint;
  readonly freeze?: Freeze;
  readonly killAll?: KillAll;
  /** By name. */
  readonly cohorts: readonly Cohort[];
  /** The change that made this generation. */
  readonly note?: ControlNote;
}

/** No key changes and no rollout goes on; kills, aborts and roll-backs work all the same. */
export interface Freeze {
  readonly actor: string;
  readonly reason: string;
  readonly since: Date;
  /** Absent: until lifted. */
  readonly until?: Date;
}

/** Every key is killed, and every key that is made. */
export interface KillAll {
  readonly value: boolean;
  readonly actor: string;
  readonly reason: string;
  readonly since: Date;
}

export interface ControlNote {
  readonly actor: string;
  readonly reason: string;
  readonly time: Date;
  /** In words: "freeze", "cohort canary set". */
  readonly what: string;
  /** Of the request that made it; empty: none was given. */
  readonly requestId: string;
}

export const NO_CONTROL: Control = { generation: 0n, cohorts: [] };

/** The freeze in force at `now`; one that has ended by itself is none. */
export function freezeAt(control: Control, now: Date): Freeze | undefined {
  const { freeze } = control;
  return freeze?.until && freeze.until <= now ? undefined : freeze;
}
