import type { KnownHost } from '../fleet/host.ts';

/** Hosts that bind the key; all of them when none does (yet). */
export function hostsOf(key: string, hosts: readonly KnownHost[]): readonly KnownHost[] {
  const bound = hosts.filter((host) => host.observations.has(key));
  return bound.length > 0 ? bound : hosts;
}
