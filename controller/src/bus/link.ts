import { Events, type NatsConnection } from 'nats';
import { SkeinError } from '#common/errors.ts';

export interface LinkListener {
  onLost(): void;
  onRestored(): void;
}

/**
 * The state of the connection to NATS. The client holds back what is sent while there is no connection and lets
 * requests that were under way run into their time-out; here they fail at once.
 */
export class Link {
  #isUp = true;
  #lost = Promise.withResolvers<never>();

  #listener: LinkListener | undefined;

  constructor(nc: NatsConnection) {
    this.#lost.promise.catch(() => {});
    void this.#follow(nc);
  }

  /** Tells `listener` from now on. */
  tell(listener: LinkListener): void {
    this.#listener = listener;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** @throws SkeinError SKEIN_NATS_UNAVAILABLE when there is no connection */
  assertUp(): void {
    if (this.#isUp) return;
    throw new SkeinError('SKEIN_NATS_UNAVAILABLE', 'the controller has no connection to NATS');
  }

  /**
   * What `start` gives, unless there is no connection, or it breaks meanwhile.
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE
   */
  async whileUp<T>(start: () => Promise<T>): Promise<T> {
    this.assertUp();
    return await Promise.race([start(), this.#lost.promise]);
  }

  async #follow(nc: NatsConnection): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === Events.Disconnect && this.#isUp) {
        this.#isUp = false;
        this.#lost.reject(new SkeinError('SKEIN_NATS_UNAVAILABLE', 'the connection broke'));
        this.#listener?.onLost();
      }
      if (type === Events.Reconnect) {
        this.#isUp = true;
        this.#lost = Promise.withResolvers();
        this.#lost.promise.catch(() => {});
        this.#listener?.onRestored();
      }
    }
  }
}
