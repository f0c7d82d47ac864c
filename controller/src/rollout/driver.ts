import { isOver } from '#common/rollout/rollout.ts';
import type { RolloutCache } from './rollout-cache.ts';
import { RolloutRun, type RunPorts } from './rollout-run.ts';

/** Something to follow: tells that it changed until the result is called. */
type Follow = (listener: () => void) => () => void;

export interface DriverParts extends Omit<RunPorts, 'get'> {
  readonly cache: RolloutCache;
  /** Hosts, keys and fleet-wide settings. */
  readonly world: readonly Follow[];
}

/** Drives every rollout that is not over, while this controller holds the lease. */
export class Driver {
  readonly #parts: DriverParts;
  readonly #runs = new Map<string, RolloutRun>();
  #ends: (() => void)[] = [];

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Takes up every rollout where another controller, or this one, left it. */
  start(): void {
    const { cache, world } = this.#parts;
    const pokeAll = () => {
      for (const run of this.#runs.values()) run.poke();
    };
    this.#ends = [
      cache.onChange((id) => this.#follow(id)),
      ...world.map((follow) => follow(pokeAll)),
    ];
    for (const { record } of cache.all()) this.#follow(record.id);
  }

  /** What is under way is the last that is done. */
  stop(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    for (const run of this.#runs.values()) run.stop();
    this.#runs.clear();
  }

  #follow(id: string): void {
    const { cache } = this.#parts;
    const known = cache.get(id);
    const run = this.#runs.get(id);
    if (!known || isOver(known.record.state)) {
      run?.stop();
      this.#runs.delete(id);
      return;
    }
    const driven = run ?? new RolloutRun(id, { ...this.#parts, get: (name) => cache.get(name) });
    this.#runs.set(id, driven);
    driven.poke();
  }
}
