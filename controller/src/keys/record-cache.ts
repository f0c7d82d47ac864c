import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { KeyEntry } from './key-store.ts';
import { Lineage, type Outline } from './lineage.ts';

/** Why a stored value was not taken: the `reason` label of the rejected-messages metric. */
export type RejectReason = 'unverified' | 'wrong_key' | 'replayed';

export interface RecordCacheParts<T> {
  /** For messages: "keys bucket". */
  readonly bucket: string;
  /** The generation that a value says it is, unverified; undefined to have every value verified. */
  readonly claim: (value: Uint8Array) => bigint | undefined;
  /** @throws SkeinError for a value that is not to be believed */
  readonly open: (value: Uint8Array, place: string) => T;
  /** Under which name the record belongs. */
  readonly nameOf: (record: T) => string;
  /** Told once per rejected entry. */
  readonly onRejected: (reason: RejectReason, error: SkeinError) => void;
}

/**
 * Every record of a bucket with its kept generations. Entries may come twice and out of order: from the watch, from own
 * writes, from re-reading after a lost race. A value that does not open, that is stored under another record's name, or
 * that is an older one put again, counts as a revision but is never served. What nobody has asked for is not verified
 * yet: a controller that starts finds thousands of old generations.
 */
export class RecordCache<T extends { readonly generation: bigint }> {
  readonly #lineages = new Map<string, Lineage<T>>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #parts: RecordCacheParts<T>;

  constructor(parts: RecordCacheParts<T>) {
    this.#parts = parts;
  }

  names(): string[] {
    const names = [...this.#lineages].filter(([, lineage]) => lineage.head() !== undefined);
    return names.map(([name]) => name).sort();
  }

  /** The newest verified record. */
  head(name: string): T | undefined {
    return this.#lineages.get(name)?.head();
  }

  /** Oldest first. */
  history(name: string): T[] {
    return this.#lineages.get(name)?.history() ?? [];
  }

  /** See {@link Lineage.outline}. */
  outline(name: string): Outline<T> | undefined {
    return this.#lineages.get(name)?.outline();
  }

  /** 0 when the record was never written. */
  lastRevision(name: string): bigint {
    return this.#lineages.get(name)?.lastRevision ?? 0n;
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
    this.#lineages.clear();
  }

  ingest(entry: KeyEntry): void {
    const lineage = this.#lineages.get(entry.name) ?? this.#begin(entry.name);
    // While nobody listens, nothing has to be verified to tell whether the head changes.
    if (this.#listeners.size === 0) {
      lineage.add(entry);
      return;
    }
    const before = lineage.head();
    lineage.add(entry);
    if (lineage.head() === before) return;
    for (const listener of this.#listeners) listener(entry.name);
  }

  #begin(name: string): Lineage<T> {
    const { bucket, claim, open, nameOf, onRejected } = this.#parts;
    const place = (revision: bigint) => `${bucket}, ${name} revision ${revision}`;
    const lineage = new Lineage<T>({
      claim,
      open({ revision, value }) {
        try {
          const record = open(value, place(revision));
          const owner = nameOf(record);
          if (owner === name) return record;
          const what = `${place(revision)}: is of "${owner}"`;
          onRejected('wrong_key', new SkeinError('SKEIN_BAD_SIGNATURE', what));
        } catch (error) {
          onRejected('unverified', toSkeinError(error));
        }
        return undefined;
      },
      onReplay(revision, { generation }) {
        const what = `${place(revision)}: generation ${generation} was put again`;
        onRejected('replayed', new SkeinError('SKEIN_STALE_GENERATION', what));
      },
    });
    this.#lineages.set(name, lineage);
    return lineage;
  }
}
