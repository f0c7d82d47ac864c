/** Where a republished message says that it stands in the bucket's stream. Unsigned: a hint, never an order. */
export interface StreamPosition {
  readonly subject: string;
  /** Nats-Sequence. */
  readonly sequence: number;
  /** Nats-Last-Sequence: of the message before it on the same subject; 0: none. */
  readonly lastSequence: number;
}

/**
 * Tells from sequence numbers that messages of the bucket went missing. Since a false alarm costs one
 * snapshot and a message is never taken or refused for its position, forged numbers gain nothing.
 */
export class GapDetector {
  #sequence: number | undefined;
  readonly #bySubject = new Map<string, number>();
  readonly #tracked: (subject: string) => boolean;

  /** @param tracked subjects worth remembering one by one; bounds the memory */
  constructor(tracked: (subject: string) => boolean) {
    this.#tracked = tracked;
  }

  /** @returns whether something between this message and those before it was missed */
  observe({ subject, sequence, lastSequence }: StreamPosition): boolean {
    const before = this.#sequence;
    const beforeHere = this.#bySubject.get(subject);
    this.#sequence = sequence;
    if (this.#tracked(subject)) this.#bySubject.set(subject, sequence);
    if (before !== undefined && sequence !== before + 1) return true;
    return beforeHere !== undefined && beforeHere !== lastSequence;
  }

  /** After a connection was lost the first message proves nothing. */
  reset(): void {
    this.#sequence = undefined;
    this.#bySubject.clear();
  }
}
