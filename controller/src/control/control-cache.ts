import { type Control, NO_CONTROL } from '#common/control/control.ts';
import type { SkeinError } from '#common/errors.ts';
import { CONTROL_KEY } from '#proto/subjects.ts';
import type { KeyEntry } from '../keys/key-store.ts';
import { RecordCache, type RejectReason } from '../keys/record-cache.ts';
import type { ControlStore } from './control-store.ts';

export interface ControlCacheParts {
  readonly store: Pick<ControlStore, 'open' | 'readAfter'>;
  readonly onRejected: (reason: RejectReason, error: SkeinError) => void;
}

/** The control record with its kept generations. */
export class ControlCache {
  readonly #records: RecordCache<Control>;
  readonly #store: ControlCacheParts['store'];

  constructor({ store, onRejected }: ControlCacheParts) {
    this.#store = store;
    this.#records = new RecordCache({
      bucket: 'control bucket',
      claim: () => undefined,
      open: (value, place) => store.open(value, place),
      nameOf: () => CONTROL_KEY,
      onRejected,
    });
  }

  current(): Control {
    return this.#records.head(CONTROL_KEY) ?? NO_CONTROL;
  }

  /** Oldest first. */
  history(): Control[] {
    return this.#records.history(CONTROL_KEY);
  }

  lastRevision(): bigint {
    return this.#records.lastRevision(CONTROL_KEY);
  }

  nextGeneration(): bigint {
    return this.#records.nextGeneration(CONTROL_KEY);
  }

  /** The result ends it. */
  onChange(listener: () => void): () => void {
    return this.#records.onChange(listener);
  }

  /**
   * Brings in what the bucket has now: the watch trails it by a moment. All of it, not the newest alone: a request that
   * was carried out is known by the generation that it made.
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the bucket is gone
   */
  async refresh(): Promise<void> {
    for (const entry of await this.#store.readAfter(this.lastRevision())) this.ingest(entry);
  }

  ingest(entry: KeyEntry): void {
    this.#records.ingest(entry);
  }

  clear(): void {
    this.#records.clear();
  }
}
