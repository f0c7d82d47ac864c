import type { Clock } from '#common/clock.ts';
import type { DesiredState } from '#common/desired.ts';
import { type HostTally, isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { Tally } from './plan/tally.ts';
import type { SeenHosts } from './step/event.ts';

export interface TalliesParts {
  readonly fleet: Pick<Fleet, 'hosts' | 'onChange'>;
  /** The newest state of a key. */
  readonly desired: (key: string) => DesiredState | undefined;
  readonly clock: Clock;
}

/** How far the fleet has come with each rollout that was asked for, kept up to date as hosts report. */
export class Tallies {
  readonly #parts: TalliesParts;
  readonly #tallies = new Map<string, Tally>();
  readonly #end: () => void;

  constructor(parts: TalliesParts) {
    this.#parts = parts;
    this.#end = parts.fleet.onChange((host) => {
      const now = parts.clock.now();
      for (const tally of this.#tallies.values()) tally.update(host, now);
    });
  }

  /** Undefined when its key is not there. */
  seen(record: RolloutRecord): SeenHosts | undefined {
    const { fleet, desired, clock } = this.#parts;
    const state = desired(record.spec.key);
    if (!state || state.deleted) return undefined;
    const known = this.#tallies.get(record.id);
    if (known?.isOf(record, state)) return known.seen();
    const tally = new Tally(record, state, fleet.hosts(), clock.now());
    if (!isOver(record.state)) this.#tallies.set(record.id, tally);
    return tally.seen();
  }

  /** It is over: nobody asks any more. */
  forget(id: string): void {
    this.#tallies.delete(id);
  }

  stop(): void {
    this.#end();
  }
}

export const NO_HOSTS: HostTally = {
  eligible: 0,
  goal: 0,
  taken: 0,
  applied: 0,
  pending: 0,
  failed: 0,
  unavailable: 0,
  failedHosts: [],
  pendingHosts: [],
  unavailableHosts: [],
};
