import { SkeinError } from '#common/errors.ts';
import type { Helper } from '../../helper/helper.ts';

/**
 * The helper process in use, started on demand and anew after it ended. Handles belong to one process: who
 * keeps some compares the Helper it got them from with current().
 */
export class HelperSession {
  readonly #start: () => Promise<Helper>;
  readonly #onRestart: (why: string) => void;
  #current: Promise<Helper> | undefined;
  #closed = false;

  constructor(start: () => Promise<Helper>, onRestart: (why: string) => void) {
    this.#start = start;
    this.#onRestart = onRestart;
  }

  /** @throws SkeinError SKEIN_HELPER_MISSING, SKEIN_HELPER_PRIVILEGE, SKEIN_HELPER_PROTOCOL */
  current(): Promise<Helper> {
    if (this.#closed) {
      return Promise.reject(new SkeinError('SKEIN_INTERNAL', 'the engine is closed'));
    }
    if (this.#current === undefined) {
      const starting = this.#start();
      this.#current = starting;
      starting.then(
        (helper) => void helper.exited.then((why) => this.#ended(starting, why)),
        () => this.#forget(starting),
      );
    }
    return this.#current;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const helper = await this.#current?.catch(() => undefined);
    await helper?.close();
  }

  #ended(which: Promise<Helper>, why: string): void {
    this.#forget(which);
    if (!this.#closed) this.#onRestart(why);
  }

  #forget(which: Promise<Helper>): void {
    if (this.#current === which) this.#current = undefined;
  }
}
