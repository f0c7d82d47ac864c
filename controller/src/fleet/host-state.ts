import type { DesiredState } from '#common/desired.ts';
import { phaseOf } from '../keys/progress.ts';
import { isLive, type KnownHost } from './host.ts';

export const HOST_STATES = ['synced', 'pending', 'degraded', 'lost'] as const;
export type HostState = (typeof HOST_STATES)[number];

/** Observed against desired, over every key that the host binds; the worst one counts. */
export function hostStateOf(
  host: KnownHost,
  desired: (key: string) => DesiredState | undefined,
  now: Date,
): HostState {
  if (!isLive(host, now)) return 'lost';
  let state: HostState = 'synced';
  for (const [key, observation] of host.observations) {
    if (observation.outcome === 'failed') return 'degraded';
    const wanted = desired(key);
    if (wanted && phaseOf(wanted, host, observation, now) === 'pending') state = 'pending';
  }
  return state;
}
