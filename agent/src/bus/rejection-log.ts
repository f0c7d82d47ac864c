import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { Rejection } from '../agent-bus.ts';

const QUIET_NS = 10_000_000_000n;

/** One line per kind of rejection every ten seconds: a flood of bad messages must not become one of log lines. */
export class RejectionLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #lastNs = new Map<Rejection, bigint>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  add(rejection: Rejection, key: string, why: string): void {
    const now = this.#clock.monotonicNs();
    const last = this.#lastNs.get(rejection);
    if (last !== undefined && now - last < QUIET_NS) return;
    this.#lastNs.set(rejection, now);
    this.#logger.warn({ rejection, key }, why);
  }
}
