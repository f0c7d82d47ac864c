import type { Clock } from '#common/clock.ts';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #ms: number;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  constructor(start = '2026-01-01T00:00:00Z') {
    this.#ms = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#ms);
  }

  monotonicNs(): bigint {
    return BigInt(this.#ms) * 1_000_000n;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#ms + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many callbacks are waited for. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, calling back what falls due, in order, each at its time. */
  advance(ms: number): void {
    const end = this.#ms + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#ms = Math.max(this.#ms, due.at);
      due.callback();
    }
    this.#ms = end;
  }
}
