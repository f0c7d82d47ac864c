import {
  type JetStreamManager,
  type KV,
  type KvEntry,
  KvWatchInclude,
  type QueuedIterator,
} from 'nats';
import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import { KEYS_BUCKET } from '#proto/subjects.ts';
import type { KeyEntry } from '../keys/key-store.ts';
import { natsFailure, withDeadline } from './deadline.ts';
import { bucketStream } from './stores.ts';

export interface KeyWatchParts {
  readonly bucket: KV;
  readonly jsm: JetStreamManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEntry: (entry: KeyEntry) => void;
  /** The bucket is another one than before: what was delivered no longer counts. */
  readonly onReset: () => void;
}

const CHECK_MS = 5_000;

/**
 * Follows the keys bucket from its first kept entry on. A watch whose server-side consumer vanished can stay
 * silent for good, so the bucket's last sequence is compared with what was delivered, and the watch made anew
 * where it stopped.
 */
export class KeyWatch {
  readonly #parts: KeyWatchParts;
  #entries: QueuedIterator<KvEntry> | undefined;
  /** Highest sequence known to be delivered. */
  #delivered = 0;
  /** The bucket's last sequence when the watch was last found behind. */
  #behindOf: number | undefined;
  #cancelCheck: () => void = () => {};
  #stopped = false;
  /** One restart at a time, or the one that lost would go on delivering. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: KeyWatchParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when all that the bucket holds was delivered.
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE
   */
  async start(): Promise<void> {
    this.#scheduleCheck();
    await this.restart();
  }

  /** Makes the watch anew, going on after what was delivered; resolves when it has caught up. */
  restart(): Promise<void> {
    this.#turn = this.#turn.catch(() => {}).then(() => this.#makeAnew());
    return this.#turn;
  }

  async #makeAnew(): Promise<void> {
    if (this.#stopped) return;
    const { bucket } = this.#parts;
    const what = `nats: watching ${KEYS_BUCKET}`;
    this.#entries?.stop();
    try {
      const last = await this.#lastSequence();
      const caughtUp = Promise.withResolvers<void>();
      const entries = await withDeadline(
        what,
        bucket.watch({
          include: KvWatchInclude.AllHistory,
          ...(this.#delivered > 0 ? { resumeFromRevision: this.#delivered + 1 } : {}),
          initializedFn: () => caughtUp.resolve(),
        }),
      );
      this.#entries = entries;
      this.#behindOf = undefined;
      void this.#consume(entries);
      await this.#loaded(what, caughtUp.promise);
      // Sequences up to here that were not seen no longer exist.
      this.#delivered = Math.max(this.#delivered, last);
    } catch (error) {
      throw natsFailure(what, error);
    }
  }

  /** Verifying what is loaded takes its time; only silence means that the server is away. */
  async #loaded(what: string, caughtUp: Promise<void>): Promise<void> {
    for (;;) {
      const delivered = this.#delivered;
      try {
        return await withDeadline(what, caughtUp);
      } catch (error) {
        if (this.#delivered === delivered) throw error;
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelCheck();
    this.#entries?.stop();
  }

  async #consume(entries: QueuedIterator<KvEntry>): Promise<void> {
    try {
      for await (const { key, revision, value } of entries) {
        this.#parts.onEntry({ name: key, revision: BigInt(revision), value });
        this.#delivered = Math.max(this.#delivered, revision);
      }
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'watch of the keys bucket ended');
    }
  }

  async #lastSequence(): Promise<number> {
    const { state } = await this.#parts.jsm.streams.info(bucketStream(KEYS_BUCKET));
    if (state.last_seq < this.#delivered) {
      this.#parts.logger.error(
        { delivered: this.#delivered, last: state.last_seq },
        'the keys bucket lost entries or was made anew; reading it again',
      );
      this.#delivered = 0;
      this.#parts.onReset();
    }
    return state.last_seq;
  }

  #scheduleCheck(): void {
    this.#cancelCheck = this.#parts.clock.after(CHECK_MS, async () => {
      try {
        await this.#check();
      } catch (error) {
        this.#parts.logger.debug({ err: error }, 'watch of the keys bucket not checked');
      }
      if (!this.#stopped) this.#scheduleCheck();
    });
  }

  /** Silent is a watch that has not reached now what was last a whole interval ago. */
  async #check(): Promise<void> {
    const delivered = this.#delivered;
    const last = await this.#lastSequence();
    const isLost = this.#delivered < delivered;
    const isSilent = this.#behindOf !== undefined && this.#delivered < this.#behindOf;
    this.#behindOf = last > this.#delivered ? last : undefined;
    if (!isLost && !isSilent) return;
    this.#parts.logger.warn({ delivered: this.#delivered, last }, 'watch made anew');
    await this.restart();
  }
}
