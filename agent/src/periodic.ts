import type { Clock } from '#common/clock.ts';

/** A number in [0, 1), injected so that tests are the same each time. */
export type Random = () => number;

/**
 * Calls back again and again, `intervalMs` ± 20 % apart, so that a fleet started at once does not act at once.
 *
 * @returns stops it
 */
export function periodically(
  clock: Clock,
  random: Random,
  intervalMs: number,
  callback: () => void,
): () => void {
  let cancel: () => void = () => {};
  const arm = () => {
    cancel = clock.after(intervalMs * (0.8 + 0.4 * random()), () => {
      arm();
      callback();
    });
  };
  arm();
  return () => cancel();
}
