/** One revision of one record, as stored. */
interface Stored {
  readonly revision: bigint;
  readonly value: Uint8Array;
}

export interface LineageParts<T> {
  /**
   * The generation that a stored value says it is, unverified: enough to tell whether it has to be verified. Undefined
   * when it does not say.
   */
  readonly claim: (value: Uint8Array) => bigint | undefined;
  /** Verifies a stored value; undefined when it is not to be believed. Called once for each revision. */
  readonly open: (stored: Stored) => T | undefined;
  /** Told once of each sound record that is an older one put again. */
  readonly onReplay: (revision: bigint, record: T) => void;
}

export interface Outline<T> {
  readonly oldest: T;
  /** What the kept values claim to be, oldest first. */
  readonly claimed: readonly bigint[];
  /** All of them that are sound, oldest first. */
  readonly history: () => readonly T[];
}

/** As many as the bucket keeps. */
export const HISTORY = 64;

interface Slot<T> {
  readonly revision: bigint;
  readonly claimed: bigint | undefined;
  /** What it holds: as stored, then as it was opened. */
  content: { readonly value: Uint8Array } | { readonly record: T | undefined };
}

/**
 * The kept revisions of one record. Each write is based on the revision before it, so generations rise with revisions,
 * or one was put again. Values are verified when they are asked for: no value below the newest can be in its place that
 * does not even claim to be as new.
 */
export class Lineage<T extends { readonly generation: bigint }> {
  readonly #parts: LineageParts<T>;
  /** By revision; those that are not to be believed go as they are found. */
  #slots: Slot<T>[] = [];
  /** Revisions that went, as far as the bucket may still have them. */
  readonly #rejected = new Set<bigint>();
  #lastRevision = 0n;
  /** What head() gives, until something is added. */
  #head: { readonly record: T | undefined } | undefined;

  constructor(parts: LineageParts<T>) {
    this.#parts = parts;
  }

  /** Of the newest entry, verified or not. */
  get lastRevision(): bigint {
    return this.#lastRevision;
  }

  /** In any order; what is known already is passed over. */
  add({ revision, value }: Stored): void {
    const at = this.#slots.findLastIndex((slot) => slot.revision <= revision);
    if (this.#slots[at]?.revision === revision || this.#rejected.has(revision)) return;
    const slot = { revision, claimed: this.#parts.claim(value), content: { value } };
    this.#slots.splice(at + 1, 0, slot);
    if (revision > this.#lastRevision) this.#lastRevision = revision;
    this.#head = undefined;
    if (this.#slots.length <= HISTORY) return;
    // Not before what is newest is known to be sound: anybody may have put many that are not.
    this.head();
    this.#slots = this.#slots.slice(-HISTORY);
  }

  /** The newest record. */
  head(): T | undefined {
    this.#head ??= { record: this.#newest() };
    return this.#head.record;
  }

  /** All of them, oldest first. */
  history(): T[] {
    const sound: Slot<T>[] = [];
    const records: T[] = [];
    for (const slot of this.#slots) {
      const record = this.#read(slot);
      const isReplay = record && record.generation <= (records.at(-1)?.generation ?? 0n);
      if (isReplay) this.#parts.onReplay(slot.revision, record);
      if (record && !isReplay) {
        sound.push(slot);
        records.push(record);
      } else {
        this.#reject(slot.revision);
      }
    }
    this.#slots = sound;
    return records;
  }

  /** Enough to tell whether it is worth looking at the history; undefined when nothing is sound. */
  outline(): Outline<T> | undefined {
    const [first] = this.#slots;
    const oldest = (first && this.#read(first)) ?? this.history()[0];
    if (!oldest) return undefined;
    const claimed = this.#slots.flatMap(({ claimed }) => claimed ?? []);
    return { oldest, claimed, history: () => this.history() };
  }

  #newest(): T | undefined {
    const newest = this.#slots.at(-1);
    const record = newest && this.#read(newest);
    const isAbove = ({ claimed }: Slot<T>) =>
      record !== undefined && claimed !== undefined && claimed < record.generation;
    return this.#slots.slice(0, -1).every(isAbove) ? record : this.history().at(-1);
  }

  #read(slot: Slot<T>): T | undefined {
    if ('value' in slot.content) {
      const { value } = slot.content;
      slot.content = { record: this.#parts.open({ revision: slot.revision, value }) };
    }
    return slot.content.record;
  }

  #reject(revision: bigint): void {
    this.#rejected.add(revision);
    if (this.#rejected.size <= HISTORY) return;
    const [first] = this.#rejected;
    if (first !== undefined) this.#rejected.delete(first);
  }
}
