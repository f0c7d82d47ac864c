import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { isLive, type KnownHost } from '../fleet/host.ts';

export type HostPhase = 'pending' | 'applied' | 'failed' | 'lost';

/** How far one host has come with a key's current generation. */
export interface HostProgress {
  readonly host: string;
  readonly phase: HostPhase;
  /** What the rules say for this host; false for a deleted key, whose value only the host's object knows. */
  readonly desiredValue: boolean;
  readonly observation: KeyObservation;
}

/** Of every host that binds the key, in name order. */
export function progressOf(
  desired: DesiredState,
  hosts: Iterable<KnownHost>,
  now: Date,
): HostProgress[] {
  const progress: HostProgress[] = [];
  for (const host of hosts) {
    const observation = host.observations.get(desired.name);
    if (!observation) continue;
    const desiredValue = valueOn(desired, host);
    const phase = phaseOf(desired, host, observation, now);
    progress.push({ host: host.report.host, phase, desiredValue, observation });
  }
  return progress.sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Applied means: acked with read-back for this generation or a newer one, and what was read is what is wanted. */
export function phaseOf(
  desired: DesiredState,
  host: KnownHost,
  observation: KeyObservation,
  now: Date,
): HostPhase {
  if (!isLive(host, now)) return 'lost';
  if (observation.generation < desired.generation) return 'pending';
  if (observation.outcome === 'failed') return 'failed';
  // A deleted key goes back to what the object declares, which the controller does not know: the ack must do.
  const asWanted = desired.deleted || observation.value === valueOn(desired, host);
  return asWanted ? 'applied' : 'pending';
}

function valueOn(desired: DesiredState, host: KnownHost): boolean {
  return !desired.deleted && evaluate(desired, host.report).value;
}
