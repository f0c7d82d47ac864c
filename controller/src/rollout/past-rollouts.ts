import type { Logger } from '#common/log.ts';
import { isOver } from '#common/rollout/rollout.ts';
import type { KnownRollout, RolloutCache } from './rollout-cache.ts';
import type { RolloutStore } from './rollout-store.ts';

export interface PastRolloutsParts {
  readonly cache: RolloutCache;
  readonly store: Pick<RolloutStore, 'forget'>;
  readonly logger: Logger;
  /** How many are kept. */
  readonly most?: number;
}

const MOST = 1_000;

/**
 * Rollouts that are over: the newest are kept, the others forgotten; what they did stays in the audit stream. Every
 * controller does it, for all come to the same, and what is removed already is removed once more without harm.
 */
export class PastRollouts {
  readonly #parts: PastRolloutsParts;
  readonly #most: number;
  #isBusy = false;
  #end: () => void = () => {};

  constructor(parts: PastRolloutsParts) {
    this.#parts = parts;
    this.#most = parts.most ?? MOST;
  }

  /** Once the cache has all that is stored. */
  start(): void {
    const { cache } = this.#parts;
    this.#end = cache.onChange((id) => {
      const known = cache.get(id);
      if (known && isOver(known.record.state)) void this.#look();
    });
    void this.#look();
  }

  stop(): void {
    this.#end();
  }

  async #look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { cache, store, logger } = this.#parts;
    try {
      for (let oldest = this.#tooMany(); oldest; oldest = this.#tooMany()) {
        await store.forget(oldest.record.id, oldest.lastRevision);
        cache.forget(oldest);
      }
    } catch (error) {
      // The next one that is over has it tried again.
      logger.debug({ err: error }, 'past rollouts not forgotten yet');
    }
    this.#isBusy = false;
  }

  /** The oldest, when there are more than are kept. */
  #tooMany(): KnownRollout | undefined {
    const past = this.#parts.cache.all().filter(({ record }) => isOver(record.state));
    if (past.length <= this.#most) return undefined;
    return past.reduce((oldest, other) => (endOf(other) < endOf(oldest) ? other : oldest));
  }
}

function endOf({ record }: KnownRollout): number {
  return record.state.since.getTime();
}
