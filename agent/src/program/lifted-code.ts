import type { Instruction, LiftedFunction } from './lifted.ts';

/** The code while the rest of the object is being hung on it. */
export interface LiftedCode {
  readonly functions: readonly LiftedFunction[];
  /** By section number: what begins at each slot; undefined for a second half. */
  readonly slots: ReadonlyMap<number, readonly (Instruction | undefined)[]>;
  /** By section number, then slot. */
  readonly starts: ReadonlyMap<number, ReadonlyMap<number, LiftedFunction>>;
}
