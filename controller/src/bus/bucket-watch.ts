import {
  type JetStreamManager,
  type KV,
  type KvEntry,
  KvWatchInclude,
  type QueuedIterator,
  type StreamInfo,
} from 'nats';
import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { KeyEntry } from '../keys/key-store.ts';
import { withDeadline } from './deadline.ts';
import { isStreamGone, natsFailure } from './nats-failure.ts';
import { bucketStream } from './stores.ts';

export interface BucketWatchParts {
  /** The bucket's name. */
  readonly name: string;
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
 * Follows a bucket, from every revision that it keeps on. A watch whose server-side consumer vanished can stay
 * silent for good, so the bucket's last sequence is compared with what was delivered, and the watch made anew
 * where it stopped.
 */
export class BucketWatch {
  readonly #parts: BucketWatchParts;
  #entries: QueuedIterator<KvEntry> | undefined;
  /** Highest sequence known to be delivered. */
  #delivered = 0;
  /** The bucket's last sequence when the watch was last found behind. */
  #behindOf: number | undefined;
  #cancelCheck: () => void = () => {};
  #stopped = false;
  #isMissing = false;
  /** One restart at a time, or the one that lost would go on delivering. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: BucketWatchParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.name;
  }

  /** It was there once, and is no longer: nothing can be written, and what was read is all that is left. */
  get isMissing(): boolean {
    return this.#isMissing;
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
    const { name, bucket } = this.#parts;
    const what = `nats: watching ${name}`;
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
      const { logger, name: bucket } = this.#parts;
      logger.warn({ err: error, bucket }, 'watch of a bucket ended');
    }
  }

  async #lastSequence(): Promise<number> {
    const { logger, name: bucket, onReset } = this.#parts;
    const { state } = await this.#info();
    if (state.last_seq < this.#delivered) {
      logger.error(
        { bucket, delivered: this.#delivered, last: state.last_seq },
        'a bucket lost entries or was made anew; reading it again',
      );
      this.#delivered = 0;
      onReset();
    }
    return state.last_seq;
  }

  async #info(): Promise<StreamInfo> {
    const { jsm, logger, name: bucket } = this.#parts;
    try {
      const info = await jsm.streams.info(bucketStream(bucket));
      this.#isMissing = false;
      return info;
    } catch (error) {
      if (isStreamGone(error) && !this.#isMissing) {
        this.#isMissing = true;
        logger.error({ bucket }, 'a bucket is gone; restore it, or restart to make it anew');
      }
      throw error;
    }
  }

  #scheduleCheck(): void {
    const { clock, logger, name: bucket } = this.#parts;
    this.#cancelCheck = clock.after(CHECK_MS, async () => {
      try {
        await this.#check();
      } catch (error) {
        logger.debug({ err: error, bucket }, 'watch of a bucket not checked');
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
    const { logger, name: bucket } = this.#parts;
    logger.warn({ bucket, delivered: this.#delivered, last }, 'watch made anew');
    await this.restart();
  }
}
