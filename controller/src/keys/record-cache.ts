import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { KeyEntry } from './key-store.ts';

/** Why a stored value was not taken: the `reason` label of the rejected-messages metric. */
export type RejectReason = 'unverified' | 'wrong_key' | 'replayed';

export interface RecordCacheParts<T> {
  /** For messages: "keys bucket". */
  readonly bucket: string;
  /** @throws SkeinError for a value that is not to be believed */
  readonly open: (value: Uint8Array, place: string) => T;
  /** Under which name the record belongs. */
  readonly nameOf: (record: T) => string;
  /** Told once per rejected entry. */
  readonly onRejected: (reason: RejectReason, error: SkeinError) => void;
}

interface Generation<T> {
  readonly revision: bigint;
  readonly record: T;
}

interface History<T> {
  /** Verified, oldest first. */
  readonly generations: readonly Generation<T>[];
  /** Of the newest entry, verified or not: what compare-and-set is based on. */
  readonly lastRevision: bigint;
}

/** As many as the bucket keeps. */
export const HISTORY = 64;

/**
 * Every record of a bucket with its kept generations, all verified. Entries may come twice and out of order: from the
 * watch, from own writes, from re-reading after a lost race. A value that does not open, that is stored under another
 * record's name, or that is an older one put again, counts as a revision but is never served.
 */
export class RecordCache<T extends { readonly generation: bigint }> {
  readonly #histories = new Map<string, History<T>>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #rejected = new Map<string, bigint>();
  readonly #parts: RecordCacheParts<T>;

  constructor(parts: RecordCacheParts<T>) {
    this.#parts = parts;
  }

  names(): string[] {
    const names = [...this.#histories].filter(([, { generations }]) => generations.length > 0);
    return names.map(([name]) => name).sort();
  }

  /** The newest verified record. */
  head(name: string): T | undefined {
    return this.#histories.get(name)?.generations.at(-1)?.record;
  }

  /** Oldest first. */
  history(name: string): T[] {
    return (this.#histories.get(name)?.generations ?? []).map(({ record }) => record);
  }

  /** 0 when the record was never written. */
  lastRevision(name: string): bigint {
    return this.#histories.get(name)?.lastRevision ?? 0n;
  }

  /** Of a record that is written next. Revisions are never below, but for a bucket that was lost and made anew. */
  nextGeneration(name: string): bigint {
    const made = this.head(name)?.generation ?? 0n;
    const revision = this.lastRevision(name);
    return (revision > made ? revision : made) + 1n;
  }

  /** Calls back with the name of each record whose head changes; the result ends that. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everything: the store is another one than before. */
  clear(): void {
    this.#histories.clear();
    this.#rejected.clear();
  }

  ingest(entry: KeyEntry): void {
    const known = this.#histories.get(entry.name)?.generations ?? [];
    const last = this.lastRevision(entry.name);
    if (known.some(({ revision }) => revision === entry.revision)) return;
    const generations = this.#withEntry(known, entry);
    const isLast = entry.revision > last;
    const lastRevision = isLast ? entry.revision : last;
    this.#histories.set(entry.name, { generations, lastRevision });
    if (generations.at(-1) !== known.at(-1)) {
      for (const listener of this.#listeners) listener(entry.name);
    }
  }

  #withEntry(generations: readonly Generation<T>[], entry: KeyEntry): readonly Generation<T>[] {
    const { bucket, open, nameOf } = this.#parts;
    const place = `${bucket}, ${entry.name} revision ${entry.revision}`;
    let record: T;
    try {
      record = open(entry.value, place);
    } catch (error) {
      this.#reject(entry, 'unverified', toSkeinError(error));
      return generations;
    }
    const name = nameOf(record);
    if (name !== entry.name) {
      const error = new SkeinError('SKEIN_BAD_SIGNATURE', `${place}: is of "${name}"`);
      this.#reject(entry, 'wrong_key', error);
      return generations;
    }
    // Each write is based on the revision before it, so generations rise with revisions, or one was put again.
    const inOrder = generations.every(
      (known) =>
        known.record.generation !== record.generation &&
        known.revision < entry.revision === known.record.generation < record.generation,
    );
    if (!inOrder) {
      const what = `${place}: generation ${record.generation} was put again`;
      this.#reject(entry, 'replayed', new SkeinError('SKEIN_STALE_GENERATION', what));
      return generations;
    }
    const all = [...generations, { revision: entry.revision, record }];
    all.sort((a, b) => (a.revision < b.revision ? -1 : 1));
    return all.slice(-HISTORY);
  }

  #reject(entry: KeyEntry, reason: RejectReason, error: SkeinError): void {
    const told = this.#rejected.get(entry.name) ?? 0n;
    if (entry.revision <= told) return;
    this.#rejected.set(entry.name, entry.revision);
    this.#parts.onRejected(reason, error);
  }
}
