import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { LeaseEntry, LeaseStore } from './lease-store.ts';

export interface LeaseParts {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of this process; no two are alike. */
  readonly holder: string;
  /** The highest epoch that anything was written with: a store that was lost must not make epochs go back. */
  readonly highestEpoch: () => bigint;
  readonly onAcquired: (epoch: bigint) => void;
  /** Another controller may begin in a moment. */
  readonly onLost: () => void;
}

const RENEW_MS = 3_000;
/** Between looks at another's lease, and between tries to renew that failed. */
const LOOK_MS = 1_000;
/** After the beginning of the last renewal that was stored, the holder no longer acts. */
const HOLD_MS = 7_000;
/** Unchanged for so long, a lease has no holder: the holder has stopped by then, with a margin for slow clocks. */
const EXPIRE_MS = 10_000;
/** A write under way at shutdown gets this long. */
const STOP_MS = 2_000;

/**
 * The lease on driving the rollouts: at most one controller acts at a time. Nothing here compares the clocks of two
 * machines: each measures, on its own monotonic clock, for how long the lease has stayed as it is. Whatever that
 * misses is caught by the epoch, which is checked with each write.
 */
export class Lease {
  readonly #parts: LeaseParts;
  #held: { readonly epoch: bigint; readonly revision: bigint } | undefined;
  /** Monotonic milliseconds. */
  #heldUntil = 0;
  /** Another's lease, and since when it has been as it is. */
  #seen: { readonly revision: bigint; readonly since: number } | undefined;
  #turn: Promise<void> | undefined;
  #cancelTurn: () => void = () => {};
  #cancelExpiry: () => void = () => {};
  #stopped = false;
  /** Nothing is acquired any more, not even by a write that was under way. */
  #ended = false;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  /** Looks at once, and from then on until stopped. */
  start(): void {
    this.#schedule(0);
  }

  /** While this controller holds the lease. Ask before each act: a timer may be late. */
  get epoch(): bigint | undefined {
    if (this.#held && this.#now() >= this.#heldUntil) this.#lose('not renewed in time');
    return this.#held?.epoch;
  }

  /** Gives it back: another controller takes it at its next look. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTurn();
    const late = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(STOP_MS, () => late.resolve());
    await Promise.race([this.#turn, late.promise]);
    cancel();
    this.#ended = true;
    const held = this.#held;
    if (!held) return;
    this.#lose('given back');
    const { store, logger } = this.#parts;
    try {
      await store.put({ holder: '', epoch: held.epoch }, held.revision);
    } catch (error) {
      logger.debug({ err: error }, 'lease not given back; it will run out');
    }
  }

  #schedule(ms: number): void {
    this.#cancelTurn();
    if (this.#stopped) return;
    this.#cancelTurn = this.#parts.clock.after(ms, () => {
      this.#turn = this.#takeTurn().finally(() => {
        this.#turn = undefined;
      });
    });
  }

  async #takeTurn(): Promise<void> {
    let isWritten = false;
    try {
      isWritten = this.#held ? await this.#renew(this.#held) : await this.#look();
    } catch (error) {
      this.#parts.logger.debug({ err: error }, 'lease not read or written');
    }
    this.#schedule(isWritten ? RENEW_MS : LOOK_MS);
  }

  async #renew(held: { readonly epoch: bigint; readonly revision: bigint }): Promise<boolean> {
    const { store, holder } = this.#parts;
    const { epoch } = held;
    const startedAt = this.#now();
    const result = await store.put({ holder, epoch }, held.revision);
    if (this.#held !== held) return false;
    if (result.kind === 'stored') {
      this.#hold({ epoch, revision: result.revision }, startedAt);
      return true;
    }
    const entry = await store.read();
    if (this.#held !== held) return false;
    // An earlier try was stored after all, though its answer never came.
    if (entry?.holder === holder && entry.epoch === epoch) {
      this.#held = { epoch, revision: entry.revision };
    } else {
      this.#lose('another controller has it');
    }
    return false;
  }

  async #look(): Promise<boolean> {
    const { store, holder, highestEpoch, onAcquired } = this.#parts;
    const entry = await store.read();
    if (this.#stopped || (entry && !this.#isFree(entry))) return false;
    const last = entry?.epoch ?? 0n;
    const highest = highestEpoch();
    const epoch = (last > highest ? last : highest) + 1n;
    const startedAt = this.#now();
    const result = await store.put({ holder, epoch }, entry?.revision ?? 0n);
    const isLate = this.#ended || startedAt + HOLD_MS <= this.#now();
    if (result.kind === 'conflict' || isLate) return false;
    this.#hold({ epoch, revision: result.revision }, startedAt);
    this.#parts.logger.info({ epoch: String(epoch) }, 'this controller drives the rollouts');
    onAcquired(epoch);
    return true;
  }

  #isFree({ holder, revision }: LeaseEntry): boolean {
    // An own one was acquired so slowly that it could not be used.
    if (holder === '' || holder === this.#parts.holder) return true;
    if (this.#seen?.revision !== revision) this.#seen = { revision, since: this.#now() };
    return this.#now() - this.#seen.since >= EXPIRE_MS;
  }

  #hold(held: { readonly epoch: bigint; readonly revision: bigint }, startedAt: number): void {
    this.#held = held;
    this.#heldUntil = startedAt + HOLD_MS;
    this.#cancelExpiry();
    this.#cancelExpiry = this.#parts.clock.after(this.#heldUntil - this.#now(), () => this.epoch);
  }

  #lose(why: string): void {
    this.#held = undefined;
    this.#seen = undefined;
    this.#cancelExpiry();
    this.#parts.logger.info({ why }, 'this controller no longer drives the rollouts');
    this.#parts.onLost();
  }

  #now(): number {
    return Number(this.#parts.clock.monotonicNs() / 1_000_000n);
  }
}
