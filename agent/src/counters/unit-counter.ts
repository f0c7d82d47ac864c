import type { CounterPlace } from '../engine/engine.ts';

/** Numbers in one map of a unit that are exported as one Prometheus counter. */
export interface UnitCounter {
  readonly metric: string;
  readonly help: string;
  /** Name of the label that tells the samples apart; absent where there is one sample alone. */
  readonly label: string | undefined;
  /** As Engine.readCounters() takes it. */
  readonly map: string;
  /** Not empty. */
  readonly samples: readonly CounterSample[];
}

export interface CounterSample {
  /** Of the label; absent where there is none. */
  readonly value: string | undefined;
  readonly place: CounterPlace;
}
