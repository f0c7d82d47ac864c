import type { HostProgress } from '../client/skein-client.ts';

/** Hosts that bind a key, counted. `live` = applied + pending + failed. */
interface Tally {
  readonly live: number;
  readonly applied: number;
  readonly pending: number;
  readonly failed: number;
  readonly lost: number;
}

export function tally(hosts: readonly HostProgress[]): Tally {
  const count = (phase: HostProgress['phase']) => hosts.filter((h) => h.phase === phase).length;
  const lost = count('lost');
  return {
    live: hosts.length - lost,
    applied: count('applied'),
    pending: count('pending'),
    failed: count('failed'),
    lost,
  };
}
