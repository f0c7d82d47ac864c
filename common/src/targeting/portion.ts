import { hash } from 'node:crypto';
import type { Portion } from '../desired.ts';

/** Hashes lie in [0, 2^63), so that a threshold above every hash still fits in a uint64. */
const HASH_LIMIT = 1n << 63n;

/** Where a host falls for a salt: the first 63 bits of SHA-256(salt NUL host). */
export function hostHash(salt: string, host: string): bigint {
  // As text: a Buffer for each host costs more than the hash.
  return BigInt(`0x${hash('sha256', `${salt}\0${host}`, 'hex').slice(0, 16)}`) >> 1n;
}

export function inPortion(portion: Portion, host: string): boolean {
  return hostHash(portion.salt, host) < portion.threshold;
}

/** How many hosts a percentage of `total` is: rounded, and at least one, if there is one, of any percentage above 0. */
export function shareOf(percent: number, total: number): number {
  if (percent <= 0) return 0;
  return Math.min(total, Math.max(1, Math.round((total * percent) / 100)));
}

/**
 * The thresholds that take in exactly the first `count` hosts.
 *
 * @param hashes ascending
 */
export function thresholdsFor(
  count: number,
  hashes: readonly bigint[],
): { readonly lowest: bigint; readonly highest: bigint } {
  const lastIn = hashes[count - 1];
  const firstOut = hashes[count];
  return { lowest: lastIn === undefined ? 0n : lastIn + 1n, highest: firstOut ?? HASH_LIMIT };
}

/** The threshold of a percentage of all hosts that there may ever be, as near as `lowest` and `highest` allow. */
export function proportionalThreshold(
  percent: number,
  { lowest, highest }: ReturnType<typeof thresholdsFor>,
): bigint {
  const proportional = (HASH_LIMIT * BigInt(Math.round(percent * 1e6))) / 100_000_000n;
  if (proportional < lowest) return lowest;
  return proportional > highest ? highest : proportional;
}

/**
 * The portion that takes in exactly round(percent of hosts), at least one host for any percent above 0.
 * By rank, not by hash range: 10 % of 30 hosts is 3. Since rank order for one salt is fixed, widening
 * the percentage over the same hosts never evicts one. Hosts that join later fall by their hash, in proportion.
 *
 * @param percent 0..100
 * @param hosts each counts once, however often it is given
 */
export function portionByRank(percent: number, hosts: Iterable<string>, salt: string): Portion {
  const hashes = [...new Set(hosts)].map((host) => hostHash(salt, host)).sort(ascending);
  const thresholds = thresholdsFor(shareOf(percent, hashes.length), hashes);
  return { percent, threshold: proportionalThreshold(percent, thresholds), salt };
}

export const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : 1);
