import type { Clock } from '#common/clock.ts';

/** Waits for work that never rejects, but no longer than `ms`. */
export async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await Promise.race([work, late]);
  cancel();
}
