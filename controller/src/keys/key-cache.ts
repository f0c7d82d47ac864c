import type { DesiredState } from '#common/desired.ts';
import { openDesired } from '#common/envelope.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { Verifier } from '#common/nkey.ts';
import type { KeyEntry } from './key-store.ts';

/** Why a stored value was not taken: the `reason` label of the rejected-messages metric. */
export type RejectReason = 'unverified' | 'wrong_key' | 'replayed';

interface Generation {
  readonly revision: bigint;
  readonly state: DesiredState;
}

interface KeyRecord {
  /** Verified, oldest first. */
  readonly generations: readonly Generation[];
  /** Of the newest entry, verified or not: what compare-and-set is based on. */
  readonly lastRevision: bigint;
}

/** As many as the bucket keeps. */
export const HISTORY = 64;

const NO_RECORD: KeyRecord = { generations: [], lastRevision: 0n };

/**
 * Every fleet key with its kept generations, all verified. Entries may come twice and out of order: from the watch,
 * from own writes, from re-reading after a lost race. A value that this controller did not sign, that is stored
 * under another key's name, or that is an older one put again, counts as a revision but is never served.
 */
export class KeyCache {
  readonly #records = new Map<string, KeyRecord>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #rejected = new Map<string, bigint>();
  readonly #verifier: Verifier;
  readonly #onRejected: (reason: RejectReason, error: SkeinError) => void;

  /** @param onRejected told once per rejected entry */
  constructor(verifier: Verifier, onRejected: (reason: RejectReason, error: SkeinError) => void) {
    this.#verifier = verifier;
    this.#onRejected = onRejected;
  }

  names(): string[] {
    const names = [...this.#records].filter(([, { generations }]) => generations.length > 0);
    return names.map(([name]) => name).sort();
  }

  /** The newest verified state, perhaps a tombstone. */
  head(name: string): DesiredState | undefined {
    return this.#records.get(name)?.generations.at(-1)?.state;
  }

  /** Oldest first. */
  history(name: string): DesiredState[] {
    return (this.#records.get(name) ?? NO_RECORD).generations.map(({ state }) => state);
  }

  /** 0 when the key was never written. */
  lastRevision(name: string): bigint {
    return (this.#records.get(name) ?? NO_RECORD).lastRevision;
  }

  /** Calls back with the name of each key whose head changes; the result ends that. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everything: the store is another one than before. */
  clear(): void {
    this.#records.clear();
    this.#rejected.clear();
  }

  ingest(entry: KeyEntry): void {
    const record = this.#records.get(entry.name) ?? NO_RECORD;
    if (record.generations.some(({ revision }) => revision === entry.revision)) return;
    const generations = this.#withEntry(record.generations, entry);
    const isLast = entry.revision > record.lastRevision;
    const lastRevision = isLast ? entry.revision : record.lastRevision;
    this.#records.set(entry.name, { generations, lastRevision });
    if (generations.at(-1) !== record.generations.at(-1)) {
      for (const listener of this.#listeners) listener(entry.name);
    }
  }

  #withEntry(generations: readonly Generation[], entry: KeyEntry): readonly Generation[] {
    const place = `keys bucket, ${entry.name} revision ${entry.revision}`;
    let state: DesiredState;
    try {
      state = openDesired(entry.value, [this.#verifier], place);
    } catch (error) {
      this.#reject(entry, 'unverified', toSkeinError(error));
      return generations;
    }
    if (state.name !== entry.name) {
      const error = new SkeinError('SKEIN_BAD_SIGNATURE', `${place}: is of key "${state.name}"`);
      this.#reject(entry, 'wrong_key', error);
      return generations;
    }
    // Each write is based on the revision before it, so generations rise with revisions, or one was put again.
    const inOrder = generations.every(
      (known) =>
        known.state.generation !== state.generation &&
        known.revision < entry.revision === known.state.generation < state.generation,
    );
    if (!inOrder) {
      const what = `${place}: generation ${state.generation} was put again`;
      this.#reject(entry, 'replayed', new SkeinError('SKEIN_STALE_GENERATION', what));
      return generations;
    }
    const all = [...generations, { revision: entry.revision, state }];
    all.sort((a, b) => (a.revision < b.revision ? -1 : 1));
    return all.slice(-HISTORY);
  }

  #reject(entry: KeyEntry, reason: RejectReason, error: SkeinError): void {
    const told = this.#rejected.get(entry.name) ?? 0n;
    if (entry.revision <= told) return;
    this.#rejected.set(entry.name, entry.revision);
    this.#onRejected(reason, error);
  }
}
