import type { SkeinError } from '#common/errors.ts';
import type { ObjectSpec } from '../../object/spec.ts';
import type { CounterPlace, UnitSpec } from '../engine.ts';

/** The operations of an engine that a test can make fail. */
export type FaultyOperation =
  | 'load'
  | 'attach'
  | 'adopt'
  | 'flip'
  | 'observe'
  | 'sites'
  | 'readCounters'
  | 'unload';

/** One object, loaded: its global data and its program ids. */
export interface FakeObject {
  readonly spec: UnitSpec;
  readonly object: ObjectSpec;
  readonly digest: string;
  readonly keys: Map<string, boolean>;
  /** By map, index and offset; what is missing is 0. */
  readonly counters: Map<string, bigint>;
  readonly firstProgramId: number;
}

/** What exists under one unit's name. An object may be loaded while an older one is in force. */
export interface FakeUnit {
  loaded: FakeObject;
  inForce?: FakeObject;
}

/**
 * The kernel's part of the fake engine: it outlives engines, as pins outlive processes. Tests reach into it
 * to see what is in force, to change it behind the agent's back, and to break what reality seldom breaks.
 */
export class FakeWorld {
  readonly units = new Map<string, FakeUnit>();
  /** Every engine call that succeeded, in order: "flip guard". */
  readonly history: string[] = [];
  readonly #faults: {
    operation: FaultyOperation;
    unit: string;
    error: SkeinError;
    left: number;
  }[] = [];
  readonly #stuck = new Set<string>();
  #nextProgramId = 1;

  /** The next `times` calls of the operation for the unit reject. */
  fail(operation: FaultyOperation, unit: string, error: SkeinError, times = 1): void {
    this.#faults.push({ operation, unit, error, left: times });
  }

  /** From now on writes to the static key have no effect; false undoes it. */
  stick(unit: string, key: string, stuck = true): void {
    if (stuck) this.#stuck.add(`${unit} ${key}`);
    else this.#stuck.delete(`${unit} ${key}`);
  }

  /** What programs in force act on; undefined when nothing is in force. */
  inForce(unit: string): ReadonlyMap<string, boolean> | undefined {
    return this.units.get(unit)?.inForce?.keys;
  }

  /** What programs in force do to a counter. */
  count(unit: string, map: string, place: CounterPlace, by = 1n): void {
    const counters = this.units.get(unit)?.inForce?.counters;
    const key = counterKey(map, place);
    counters?.set(key, (counters.get(key) ?? 0n) + by);
  }

  /** Another program's write to the key. */
  tamper(unit: string, key: string, value: boolean): void {
    this.units.get(unit)?.inForce?.keys.set(key, value);
  }

  /** For the engine: throws the fault that is due, if any. */
  strike(operation: FaultyOperation, unit: string): void {
    const fault = this.#faults.find(
      (f) => f.operation === operation && f.unit === unit && f.left > 0,
    );
    if (!fault) return;
    fault.left--;
    throw fault.error;
  }

  /** For the engine. */
  write(object: FakeObject, key: string, value: boolean): void {
    if (!this.#stuck.has(`${object.spec.name} ${key}`)) object.keys.set(key, value);
  }

  /** For the engine: kernel ids are never reused here. */
  takeProgramIds(count: number): number {
    const first = this.#nextProgramId;
    this.#nextProgramId += count;
    return first;
  }
}

/** The key in {@link FakeObject.counters}. */
export function counterKey(map: string, { index, offset }: CounterPlace): string {
  return `${map} ${index} ${offset}`;
}
