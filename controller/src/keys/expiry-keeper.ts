import type { Clock } from '#common/clock.ts';
import { type Control, freezeAt } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { KeyCache } from './key-cache.ts';
import type { KeyDesk } from './key-desk.ts';
import { rolloutOf } from './rollout-rules.ts';

export interface ExpiryKeeperParts {
  readonly cache: Pick<KeyCache, 'names' | 'head' | 'onChange'>;
  readonly control: { current(): Control; onChange(listener: () => void): () => void };
  readonly desk: Pick<KeyDesk, 'mutate'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Timers follow a clock of their own; the time of day may be set. */
const MAX_WAIT_MS = 60_000;
const RETRY_MS = 5_000;

const REQUEST = {
  actor: 'skein',
  reason: 'its time to live has passed',
  requestId: '',
  etag: '',
  validateOnly: false,
};

/**
 * Takes keys back whose time to live has passed. It goes by what keys are, so that a restart forgets nothing. A freeze
 * holds it up, and so does a rollout that has rules in the key. Only the controller that holds the lease runs it.
 */
export class ExpiryKeeper {
  readonly #parts: ExpiryKeeperParts;
  /** While it runs. */
  #stop: (() => void) | undefined;

  constructor(parts: ExpiryKeeperParts) {
    this.#parts = parts;
  }

  /** @param epoch of the lease */
  start(epoch: bigint): void {
    this.stop();
    const { cache, control } = this.#parts;
    const run = new Run(this.#parts, epoch);
    const ends = [
      cache.onChange((name) => run.lookAt([name])),
      control.onChange(() => run.lookAt([])),
    ];
    this.#stop = () => {
      run.stop();
      for (const end of ends) end();
    };
    run.lookAt(cache.names());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}

/** Under one epoch of the lease. */
class Run {
  readonly #parts: ExpiryKeeperParts;
  readonly #epoch: bigint;
  /** When each key with a time to live is to be taken back. */
  readonly #due = new Map<string, Date>();
  #cancelTimer: () => void = () => {};
  #isBusy = false;
  #stopped = false;

  constructor(parts: ExpiryKeeperParts, epoch: bigint) {
    this.#parts = parts;
    this.#epoch = epoch;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  /** Takes note of what these keys are now, and acts on it. */
  lookAt(names: readonly string[]): void {
    for (const name of names) {
      const at = expiryOf(this.#parts.cache.head(name));
      if (at) this.#due.set(name, at);
      else this.#due.delete(name);
    }
    this.#look();
  }

  /** Reverts what is due, or waits until the next one is. */
  #look(): void {
    if (this.#stopped || this.#isBusy) return;
    this.#cancelTimer();
    const { clock, control } = this.#parts;
    const now = clock.now();
    if (this.#due.size === 0) return;
    const first = new Date(Math.min(...[...this.#due.values()].map(Number)));
    const freeze = freezeAt(control.current(), now);
    if (!freeze && first <= now) {
      void this.#revertDue(now);
      return;
    }
    // A freeze without an end wakes it up when it is lifted.
    const at = freeze ? freeze.until : first;
    if (at) this.#wait(Math.min(Math.max(at.getTime() - now.getTime(), 1), MAX_WAIT_MS));
  }

  #wait(ms: number): void {
    this.#cancelTimer = this.#parts.clock.after(ms, () => this.#look());
  }

  async #revertDue(now: Date): Promise<void> {
    const { desk, logger } = this.#parts;
    this.#isBusy = true;
    let failure: unknown;
    for (const [name, at] of [...this.#due]) {
      if (this.#stopped) break;
      if (at > now) continue;
      try {
        await desk.mutate({ action: 'revert', name, epoch: this.#epoch }, REQUEST);
        logger.info({ key: name }, 'time to live has passed; taken back');
      } catch (error) {
        logger.warn({ err: error, key: name }, 'time to live has passed; not taken back yet');
        failure ??= error;
      }
    }
    this.#isBusy = false;
    if (isLeaseLost(failure)) this.stop();
    else if (failure === undefined) this.#look();
    else if (!this.#stopped) this.#wait(RETRY_MS);
  }
}

/** A rollout that has rules in the key comes first. */
function expiryOf(state: DesiredState | undefined): Date | undefined {
  if (!state?.expiry || state.deleted || rolloutOf(state.rules) !== undefined) return undefined;
  return state.expiry.at;
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof SkeinError && error.code === 'SKEIN_LEASE_LOST';
}
