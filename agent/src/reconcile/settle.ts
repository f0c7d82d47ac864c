import type { KeyObservation } from '#common/observed.ts';

/** Why a fleet key was acted on. */
export type FlipReason = 'desired' | 'retry' | 'drift';

export interface Settlement {
  /** What is to be known of the key from now on. */
  readonly observation: KeyObservation;
  /** The control plane must hear of it. */
  readonly news: boolean;
  /** Set when the round did something for the key, or learnt of a generation. */
  readonly reason?: FlipReason;
}

/**
 * What a round's observation changes in what is known of a key. A round that found all well, or repaired
 * drift, leaves the standing observation: it is still true, and its times belong to the first flip.
 *
 * @param flipped the round flipped a static key that this key governs
 */
export function settle(
  standing: KeyObservation | undefined,
  fresh: KeyObservation,
  flipped: boolean,
): Settlement {
  if (!standing || standing.generation !== fresh.generation) {
    return { observation: fresh, news: true, reason: 'desired' };
  }
  if (standing.outcome === 'failed') {
    if (!sameFailure(standing, fresh)) return { observation: fresh, news: true, reason: 'retry' };
    return { observation: standing, news: false, ...(flipped ? { reason: 'retry' as const } : {}) };
  }
  if (fresh.outcome === 'failed') return { observation: fresh, news: true, reason: 'drift' };
  if (standing.value !== fresh.value) return { observation: fresh, news: true, reason: 'drift' };
  return { observation: standing, news: false, ...(flipped ? { reason: 'drift' as const } : {}) };
}

function sameFailure(a: KeyObservation, b: KeyObservation): boolean {
  return (
    b.outcome === 'failed' &&
    a.value === b.value &&
    a.error?.code === b.error?.code &&
    a.error?.message === b.error?.message
  );
}
