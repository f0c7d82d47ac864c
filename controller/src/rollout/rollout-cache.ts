import { isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutEntry } from './rollout-store.ts';

/** A rollout as it was last seen in the store. */
export interface KnownRollout {
  readonly record: RolloutRecord;
  /** Of the record. */
  readonly revision: bigint;
  /** Of the newest entry, which may be one that does not decode: what compare-and-set is based on. */
  readonly lastRevision: bigint;
}

/** Every rollout that is stored. Entries may come twice and out of order: from the watch, from own writes, from reading again. */
export class RolloutCache {
  readonly #rollouts = new Map<string, KnownRollout>();
  /** Ids of rollouts by key, in no order. */
  readonly #ofKey = new Map<string, Set<string>>();
  readonly #listeners = new Set<(id: string) => void>();
  /** Of entries that do not decode, where there is no record. */
  readonly #unreadable = new Map<string, bigint>();
  #completeTo = 0n;

  /** Everything that was written up to this revision is here. */
  get completeTo(): bigint {
    return this.#completeTo;
  }

  /** In no order. */
  all(): KnownRollout[] {
    return [...this.#rollouts.values()];
  }

  get(id: string): KnownRollout | undefined {
    return this.#rollouts.get(id);
  }

  /** Of the newest entry, whether it decodes or not; 0 when there is none. */
  lastRevision(id: string): bigint {
    return this.#rollouts.get(id)?.lastRevision ?? this.#unreadable.get(id) ?? 0n;
  }

  /** The rollout that is not over. */
  ownerOf(key: string): RolloutRecord | undefined {
    return this.ofKey(key).find(({ record }) => !isOver(record.state))?.record;
  }

  /** The newest first. */
  ofKey(key: string): KnownRollout[] {
    const ids = [...(this.#ofKey.get(key) ?? [])];
    return ids.flatMap((id) => this.#rollouts.get(id) ?? []).sort(newestFirst);
  }

  /** Calls back with the id of each rollout whose record changes; the result ends that. */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everything: the store is another one than before. */
  clear(): void {
    this.#rollouts.clear();
    this.#ofKey.clear();
    this.#unreadable.clear();
    this.#completeTo = 0n;
  }

  /** It was removed from the store; unless it was written again meanwhile. */
  forget({ record, lastRevision }: KnownRollout): void {
    const { id, spec } = record;
    if (this.#rollouts.get(id)?.lastRevision !== lastRevision) return;
    this.#rollouts.delete(id);
    const ids = this.#ofKey.get(spec.key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ofKey.delete(spec.key);
  }

  /** What the store gave, with nothing in between left out. */
  ingest(entry: RolloutEntry): void {
    this.readTo(entry.revision);
    this.#take(entry);
  }

  /** The store holds nothing up to this revision that is not here. */
  readTo(revision: bigint): void {
    if (revision > this.#completeTo) this.#completeTo = revision;
  }

  /** What was written from here: others may have written before, unseen. */
  wrote(entry: RolloutEntry): void {
    if (entry.revision === this.#completeTo + 1n) this.#completeTo = entry.revision;
    this.#take(entry);
  }

  #take({ id, revision, record }: RolloutEntry): void {
    const known = this.#rollouts.get(id);
    if (known && revision <= known.revision) return;
    const lastRevision = known && known.lastRevision > revision ? known.lastRevision : revision;
    if (!record) {
      if (known) this.#rollouts.set(id, { ...known, lastRevision });
      else this.#unreadable.set(id, revision);
      return;
    }
    this.#unreadable.delete(id);
    this.#rollouts.set(id, { record, revision, lastRevision });
    const { key } = record.spec;
    const ids = this.#ofKey.get(key) ?? new Set();
    this.#ofKey.set(key, ids.add(id));
    for (const listener of this.#listeners) listener(id);
  }
}

export function newestFirst(a: KnownRollout, b: KnownRollout): number {
  return b.record.createdAt.getTime() - a.record.createdAt.getTime();
}
