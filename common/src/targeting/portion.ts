import { createHash } from 'node:crypto';
import type { Portion } from '../desired.ts';

/** Hashes lie in [0, 2^63), so that a threshold above every hash still fits in a uint64. */
const HASH_LIMIT = 1n << 63n;

/** Where a host falls for a salt: the first 63 bits of SHA-256(salt NUL host). */
export function hostHash(salt: string, host: string): bigint {
  return createHash('sha256').update(`${salt}\0${host}`).digest().readBigUInt64BE() >> 1n;
}

export function inPortion(portion: Portion, host: string): boolean {
  return hostHash(portion.salt, host) < portion.threshold;
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
  const hashes = [...new Set(hosts)]
    .map((host) => hostHash(salt, host))
    .sort((a, b) => (a < b ? -1 : 1));
  const wanted = Math.round((hashes.length * percent) / 100);
  const count = percent > 0 ? Math.max(1, wanted) : 0;
  const lastIn = hashes[count - 1];
  const firstOut = hashes[count];
  const lowest = lastIn === undefined ? 0n : lastIn + 1n;
  const highest = firstOut ?? HASH_LIMIT;
  const proportional = (HASH_LIMIT * BigInt(Math.round(percent * 1e6))) / 100_000_000n;
  return { percent, threshold: clamp(proportional, lowest, highest), salt };
}

function clamp(value: bigint, lowest: bigint, highest: bigint): bigint {
  if (value < lowest) return lowest;
  return value > highest ? highest : value;
}
