import type { Random } from './periodic.ts';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/**
 * Milliseconds to wait after the nth failure in a row (1, 2, ...): doubling from one second to a minute,
 * each shortened by up to half at random so that hosts that failed together do not retry together.
 */
export function backoffMs(failures: number, random: Random): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return longest * (1 - random() / 2);
}
