import type { KeyObservation } from '#common/observed.ts';

/**
 * How long generations took to be acknowledged, by this controller's clock alone. It only knows of acks that it saw
 * come in from a host that was live.
 */
export class FlipLatencies {
  readonly #byHost = new Map<string, Map<string, { generation: bigint; seconds: number }>>();

  /** @param seconds from the making of the generation to the arrival of its ack */
  add(host: string, { key, generation }: KeyObservation, seconds: number): void {
    let keys = this.#byHost.get(host);
    if (!keys) {
      keys = new Map();
      this.#byHost.set(host, keys);
    }
    keys.set(key, { generation, seconds });
  }

  /** Seconds; undefined when the ack of that generation was not seen. */
  of(host: string, { key, generation }: KeyObservation): number | undefined {
    const last = this.#byHost.get(host)?.get(key);
    return last?.generation === generation ? last.seconds : undefined;
  }
}
