import type { Clock } from '#common/clock.ts';
import { backoffMs } from '../backoff.ts';
import type { Random } from '../periodic.ts';

/** Between two snapshots that hints asked for. Hosts that saw the same gap spread over it. */
const SPREAD_MS = 1_000;

export interface RereadPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Rejects when the snapshot could not be read. */
  readonly read: () => Promise<void>;
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Decides when the snapshot is read: never twice at once, hints at most once a second and at a random
 * moment of it, failures again and again with backoff.
 */
export class RereadScheduler {
  readonly #ports: RereadPorts;
  #cancel: (() => void) | undefined;
  #reading = false;
  #again = false;
  #failures = 0;
  #stopped = false;

  constructor(ports: RereadPorts) {
    this.#ports = ports;
  }

  /** A hint says that something was missed. */
  soon(): void {
    if (this.#reading) this.#again = true;
    else if (!this.#cancel) this.#schedule(this.#ports.random() * SPREAD_MS);
  }

  /** Resolves when the snapshot was read, or failed to be (and is to be read again later). */
  async now(): Promise<void> {
    if (this.#stopped) return;
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    this.#cancel = undefined;
    this.#reading = true;
    try {
      await this.#ports.read();
      this.#failures = 0;
    } catch (thrown) {
      this.#failures++;
      if (!this.#stopped) this.#ports.onFailure(thrown);
    } finally {
      this.#reading = false;
    }
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #next(): void {
    const again = this.#again;
    this.#again = false;
    if (this.#failures > 0) this.#schedule(backoffMs(this.#failures, this.#ports.random));
    else if (again) this.#schedule(SPREAD_MS * (1 + this.#ports.random()));
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#ports.clock.after(ms, () => {
      this.#cancel = undefined;
      void this.now();
    });
  }
}
