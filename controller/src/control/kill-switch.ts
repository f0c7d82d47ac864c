import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { KeyDesk } from '../keys/key-desk.ts';
import type { Mutation } from '../keys/mutation.ts';
import type { ControlCache } from './control-cache.ts';
import { dueMutation, requestFor } from './due-kills.ts';

export interface KillSwitchParts {
  readonly control: Pick<ControlCache, 'current' | 'history' | 'refresh' | 'onChange'>;
  readonly keys: Pick<KeyCache, 'names' | 'head' | 'onChange'>;
  readonly desk: Pick<KeyDesk, 'mutate'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IN_FLIGHT = 32;
/** Whoever was asked is at it; the others wait so long before they finish what is left. */
const GRACE_MS = 1_000;
const RETRY_MS = 2_000;

/**
 * Makes every key what the kill of all keys in the control record says, or gives it back what it had once that has
 * ended. It goes by what keys are, not by what was done: whichever controller wrote the record, and wherever one died
 * half-way, any controller finishes it. Two of them at once do no harm, for what is so already is not written.
 */
export class KillSwitch {
  readonly #parts: KillSwitchParts;
  readonly #ends: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #again = false;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(parts: KillSwitchParts) {
    this.#parts = parts;
  }

  /** Finishes what is left from before, and follows keys and the control record from now on. */
  start(): void {
    const { control, keys } = this.#parts;
    this.#ends.push(
      control.onChange(() => this.#after(GRACE_MS)),
      keys.onChange((name) => {
        if (this.#due(name)) this.#after(GRACE_MS);
      }),
    );
    void this.#inBackground();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    for (const end of this.#ends) end();
  }

  /**
   * Resolves when every key is as the record says.
   *
   * @throws SkeinError what the first key that could not be changed met; the others were tried all the same, and it is
   *   tried again
   */
  async enforce(): Promise<void> {
    try {
      await this.#joined();
    } catch (error) {
      this.#later(error);
      throw error;
    }
  }

  async #inBackground(): Promise<void> {
    try {
      await this.#joined();
    } catch (error) {
      this.#later(error);
    }
  }

  /** One run at a time; who asks while one is under way gets what a further one comes to. */
  #joined(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { control, keys } = this.#parts;
    try {
      do {
        this.#again = false;
        await control.refresh();
        const due = keys.names().flatMap((name) => this.#due(name) ?? []);
        await this.#carryOut(due);
      } while (this.#again && !this.#stopped);
    } finally {
      // In the same turn as the last look at what is asked for: who asks from now on gets a run of its own.
      this.#running = undefined;
    }
  }

  async #carryOut(due: readonly Mutation[]): Promise<void> {
    if (due.length === 0) return;
    const { desk, logger } = this.#parts;
    const request = requestFor(this.#parts.control.current(), this.#parts.control.history());
    const left = due.values();
    const failures: unknown[] = [];
    const worker = async () => {
      for (const mutation of left) {
        if (this.#stopped) return;
        try {
          await desk.mutate(mutation, request);
        } catch (error) {
          if (!isGone(error)) failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    const [failure] = failures;
    logger.warn(
      { keys: due.length, failed: failures.length, action: due[0]?.action },
      'keys changed by the kill of all keys, or by its end',
    );
    if (failure !== undefined) throw failure;
  }

  #due(name: string): Mutation | undefined {
    const { control, keys } = this.#parts;
    const state = keys.head(name);
    return state && dueMutation(state, control.current());
  }

  #later(error: unknown): void {
    if (this.#stopped) return;
    const { logger } = this.#parts;
    logger.warn({ err: error }, 'kill of all keys not carried out yet; trying again');
    this.#after(RETRY_MS);
  }

  #after(ms: number): void {
    this.#cancelTimer ??= this.#parts.clock.after(ms, () => {
      this.#cancelTimer = undefined;
      void this.#inBackground();
    });
  }
}

function isGone(error: unknown): boolean {
  return error instanceof SkeinError && error.code === 'SKEIN_KEY_NOT_FOUND';
}
