import type { RolloutRecord } from '#common/rollout/rollout.ts';
import type { PutResult } from '../keys/key-store.ts';

/** One revision of one rollout. */
export interface RolloutEntry {
  readonly id: string;
  /** Counts all writes to the store, in order. */
  readonly revision: bigint;
  /** Absent: what is stored does not decode. */
  readonly record?: RolloutRecord;
}

/**
 * The rollouts bucket. Each method may throw SkeinError SKEIN_NATS_UNAVAILABLE, and what was written is then unknown;
 * SKEIN_STORE_REFUSED, and nothing was.
 */
export interface RolloutStore {
  /** Writes if the rollout's newest revision is still `previousRevision` (0: none). */
  put(record: RolloutRecord, previousRevision: bigint): Promise<PutResult>;

  /**
   * The same, and only if no rollout at all was written after `revision`. So two that were each decided on what was
   * there, such as that their key is free, cannot both be stored.
   */
  claim(record: RolloutRecord, previousRevision: bigint, revision: bigint): Promise<PutResult>;

  /**
   * What was written after `revision` and is still kept, in order; complete up to `last`, which may be one that is not
   * kept any more.
   */
  readAfter(
    revision: bigint,
  ): Promise<{ readonly entries: readonly RolloutEntry[]; readonly last: bigint }>;

  /** Removes what was written of a rollout up to this revision. */
  forget(id: string, revision: bigint): Promise<void>;
}
