import type { Clock } from '#common/clock.ts';

/** The part of a gRPC server stream that is needed. */
export interface WatchSink<Message> {
  write(message: Message): boolean;
  once(event: 'drain', listener: () => void): unknown;
  end(): void;
}

/**
 * A burst of acks becomes one message per key: the reader is a person or a script that waits. Rendering a key's
 * progress takes time in the number of hosts, so it must not happen once per ack either.
 */
const HOLD_OFF_MS = 50;

/**
 * One subscriber of a Watch. It remembers which ids changed, not what they changed to, so a slow reader costs no
 * more memory than there are ids, and gets the latest state of each.
 */
export class WatchStream<Message> {
  readonly #sink: WatchSink<Message>;
  readonly #render: (id: string) => Message | undefined;
  readonly #clock: Clock;
  readonly #changed = new Set<string>();
  #isFull = false;
  #cancelHoldOff: (() => void) | undefined;
  #isEnded = false;

  constructor(sink: WatchSink<Message>, render: (id: string) => Message | undefined, clock: Clock) {
    this.#sink = sink;
    this.#render = render;
    this.#clock = clock;
  }

  /** Has the id's state sent: at once, or when the reader and the hold-off let it. */
  mark(id: string): void {
    this.#changed.add(id);
    this.#send();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelHoldOff?.();
    this.#sink.end();
  }

  #send(): void {
    if (this.#isEnded || this.#isFull || this.#cancelHoldOff || this.#changed.size === 0) return;
    for (const id of this.#changed) {
      this.#changed.delete(id);
      const message = this.#render(id);
      if (message === undefined || this.#sink.write(message)) continue;
      this.#isFull = true;
      this.#sink.once('drain', () => {
        this.#isFull = false;
        this.#send();
      });
      break;
    }
    this.#cancelHoldOff = this.#clock.after(HOLD_OFF_MS, () => {
      this.#cancelHoldOff = undefined;
      this.#send();
    });
  }
}
